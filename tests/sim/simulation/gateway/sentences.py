"""What has to hold, each a sentence. One that fails is told with the moment and the numbers."""

from __future__ import annotations

__all__ = ["SENTENCES"]

SENTENCES = {
    "true": "Every value given out is one that the meter showed within the last half minute.",
    "fresh": "What is given out as live was confirmed by the meter within the stale limit, by true time.",
    "live": "While the meter answers, the page's live values are there.",
    "charts": "While values come, the page's curve goes on.",
    "read": "While the line is good, the registers are read every period (within three).",
    "energy": "The energy of each true hour is what the meter counted in it.",
    "kept": "Of every ten minutes in which values came there is a point in the history's curve: nothing stalled, nothing was deleted.",
    "lost": "Every register reading given out comes to the broker; a power cut costs those of the last commit interval at most.",
    "seq": "No number (seq) is ever given to two readings that the broker gets.",
    "twice": "No reading gets two numbers.",
    "order": "Readings of a meter come to the broker in the order of their numbers, repeats aside.",
    "falls": "No total of a segment falls at the broker, repeats aside.",
    "sound": "After a power cut the history is sound: integrity good, nothing moved aside.",
    "told": "While the history cannot write, its status says so.",
    "refused": "What the broker refuses is told within two minutes: in the log, or in the status.",
    "clock": "A host's clock that is wrong and not synchronised is told to people within ten minutes, with a meter's clock to see it by.",
    "swap": "A meter that was replaced is noticed within three periods of its registers.",
    "once": "The log says a thing at most six times an hour.",
    "mistake": "The program makes no mistake: no traceback, no 'mistake of this program', it does not end by itself.",
    "well": "Six minutes after the last fault (eleven after a refusal) all is well: meters online, broker connected, nothing waits, history good.",
}
