"""Plays replies of a meter to the guard and prints what it believes; on MicroPython and on CPython.

Lines of JSON come in: ``[max_power]`` makes a new guard; ``[what, instant, label, more]`` is a step, its times in milliseconds, None
where there is none.
"""

import json
import sys
from collections import OrderedDict

from nes2mqtt.meters.guard import Guard
from nes2mqtt.meters.register import Limits
from nes2mqtt.timing.moment import Moment
from osgp.sources import SOURCES


def same(number):
    return number


class Judge:
    """A guard that steps are played to.

    Args:
        power: the most that the meter carries.
        time: makes a time of the guard's of milliseconds.
        label: makes a time of day of milliseconds.
    """

    def __init__(self, power, time=same, label=same):
        self.guard = Guard("house", Limits(power))
        self.time, self.label = time, label

    def step(self, what, instant, label, more):
        """Do one thing; return what came of it as one line."""
        at = Moment(self.label(label), None if instant is None else self.time(instant))
        if what == "identify":
            notes = self.guard.identify(more[0], more[1], at)
            return "segment " + str(self.guard.segment) + " " + " / ".join([note.text for note in notes])
        values = OrderedDict([(SOURCES[key], value) for key, value in more])
        judged = (self.guard.registers if what == "registers" else self.guard.present)(values, at, None)
        believed = {} if judged.sample is None else judged.sample.values
        shown = [
            key + "=" + str(value) for key, value in sorted([(source.key, value) for source, value in believed.items()])
        ]
        numbers = [judged.rejected, judged.held, judged.doubt, 0 if judged.sample is None else judged.sample.segment]
        return " ".join(shown + [str(number) for number in numbers] + [note.text for note in judged.notes])


def main():
    judge = None
    for line in sys.stdin:
        if line.strip():
            given = json.loads(line)
            if len(given) == 1:
                judge = Judge(given[0])
            else:
                print(judge.step(*given))


if __name__ == "__main__":
    main()
