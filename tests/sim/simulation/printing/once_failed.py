"""Worlds of printing that once failed, as the list of the faults that were needed. They must hold for ever.

All of them failed on the code of commit 09f7265, by the sentence and on the seed that stand beside them, shrunk.
"""

from __future__ import annotations

from simulation.plan import Fault
from simulation.printing.world import Setting

__all__ = ["ONCE_FAILED"]

ONCE_FAILED = {
    # twice, seed 1029: printed twice and reported plain "Printed"
    "p3_cupsd_killed_and_back_within_a_second": Setting(
        1, (Fault(5.0, "cups_kill_printing", 0, 0.0),), 1.0, 2, save_after=0.0, page_seconds=0.3
    ),
    # twice, seeds 120 and 208: CUPS forgot that it had finished
    "s2_power_cut_after_the_report": Setting(
        4, (Fault(5.0, "cut_printing", 5, "none"),), 1.0, 3, save_after=0.0, page_seconds=0.3
    ),
    # twice, seed 1055
    "s2_power_cut_half_a_minute_after_the_report": Setting(
        1055, (Fault(204.4, "cut", 40, "none"),), 4.0, 12, "1.0", token_seconds=400.0, page_seconds=6.0
    ),
    # whole, seed 1076: a power cut destroyed the document, CUPS said "completed", it was reported Printed
    "s1_document_destroyed_in_cups": Setting(
        1076,
        (Fault(30.5, "cut_step", 20, "before the 14."),),
        2.0,
        12,
        processors=2,
        uncertain="reprint",
        save_after=0.0,
        page_seconds=6.0,
    ),
}
