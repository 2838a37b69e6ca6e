"""Worlds that once failed, as the list of the faults that were needed. They must hold for ever.

Those of the README's table failed on the code of commit de7a754; the others were found by seeds since.
"""

from __future__ import annotations

from simulation.gateway.faults import Fault
from simulation.gateway.world import Setting

__all__ = ["ONCE_FAILED"]

ONCE_FAILED = {
    "a_clock_three_days_ahead": Setting(0, (Fault(1500.0, "clock", 40, 259200.0),), 0.7, start=1806181973.0),
    "a_clock_ten_years_ahead_at_boot": Setting(
        0, (Fault(900.0, "boot_clock", 300, 315576000.0),), 0.6, start=1792872465.0
    ),
    "b_layout_within_a_read": Setting(0, (Fault(600.0, "layout_within", 900, 33),), 0.5, start=1792872465.0),
    "c_refused_publish": Setting(3, (Fault(600.0, "refuse", 200, 0x99),), 0.5, start=1806187904.0),
    "c_no_retain": Setting(2, (Fault(600.0, "no_retain", 200, 0),), 0.5, start=1792874064.0),
    "c_refused_subscription": Setting(8, (Fault(601.5, "wish", 40, 131),), 0.5),
    "c_slow_to_greet": Setting(32, (Fault(600.0, "slow", 200, 15),), 0.5),
    "c_greeting_without_retain_for_a_while": Setting(1, (Fault(600.0, "greeting", 120, 0x9A),), 0.6),
    "c_small_packets_for_a_while": Setting(1, (Fault(600.0, "largest", 200, 400),), 0.6),
    "d_power_cut": Setting(0, (Fault(600.0, "cut", 40, "none"),), 0.5),
    "d_power_cut_in_a_write": Setting(2, (Fault(600.0, "cut_in_write", 200, "page"),), 0.7, start=1792874064.0),
}
