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
    # blocks, told, seeds 200, 219 and 1038: a document that a filter refuses stopped the queue until it was given up
    "p1_filter_refuses": Setting(1, (Fault(20.0, "poison", 0, "office"),), 5.0, 5, save_after=0.0),
    # told, ends, seeds 5 and 1078: of a printer that says that it prints and does nothing nobody was told, and its jobs never ended
    "p4_printer_stuck": Setting(
        1, (Fault(1.0, "stuck", 300, "office"), Fault(20.0, "burst", 0, 3)), 1.0, 0, save_after=0.0, give_up=100.0
    ),
    # told, seeds 4011 and 4012: Business Central did not say what a job waited for
    "p5_queue_stopped": Setting(1, (Fault(10.0, "disable", 200, 0), Fault(20.0, "burst", 0, 2)), 1.0, 0),
    # once, seed 31: each failure of a line that flaps was a warning
    "line_flaps": Setting(202, (Fault(20.0, "bc_before", 200, 0.5),), 4.0, 12),
    # once, seed 4024: the same on the way to CUPS
    "line_to_cups_flaps": Setting(
        4024, (Fault(163.6, "cancel", 0, 1), Fault(209.2, "line_before", 40, 0.4)), 4.0, 12, page_seconds=6.0
    ),
}
