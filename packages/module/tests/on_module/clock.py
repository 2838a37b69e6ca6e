"""Asks a clock every six days for 400 days, and a minute apart around each time that the chip's own clock begins anew."""

import time

from nesmodule.board.clock import Clock

PERIOD = 1 << 30
DAY = 86_400_000
at = [0]


def ticks():
    return at[0] % PERIOD


def since(one, other):
    return (one - other + PERIOD // 2) % PERIOD - PERIOD // 2


def after_400_days(since):
    at[0] = PERIOD - 5
    clock = Clock(ticks, since)
    begun = at[0]
    end = begun + 400 * DAY
    moments = [begun + 6 * DAY * count for count in range(67)] + [PERIOD * count + 3 for count in range(2, 33)]
    moments.append(end)
    last = 0
    for moment in sorted([one for one in moments if one <= end]):
        at[0] = moment
        assert clock.now() == moment - begun >= last
        last = clock.now()
    return last


# The chip's own difference, where its period is that of an ESP32.
own = time.ticks_diff if time.ticks_diff(0, PERIOD - 1) == 1 else since
print(after_400_days(since), after_400_days(own))
