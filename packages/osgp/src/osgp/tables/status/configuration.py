"""Status and configuration of the meter: ET54 and ET55 (MEP guide v1.1 p. 132-163).

ET55 stands in two columns in the guide, meters of 3.x and of 4.0 on; they differ by one
character in the display codes, so here it is one list.

This module does not know what the settings do.
"""

from __future__ import annotations

from osgp.psem import EXTENDED
from osgp.tables.schema.count import count
from osgp.tables.schema.table import Bit, Bits, Field, Filler, Table
from osgp.tables.schema.types import (
    DATE,
    INT8,
    INT16,
    LTIME_DATE_UTC,
    NI_FMAT,
    UINT8,
    UINT16,
    UINT32,
    char,
    set_of,
)

__all__ = ["ET54", "ET55"]

_KEY_USAGE = ((3, 13),)
"""An older line that counts how often keys were used, too (p. 137)."""

_MODULES = count("module_records_size")
"""The module records that meters from 4.0 on put before the rest of ET54; where it is 0, there is no rest."""

ET54 = Table(
    EXTENDED + 54,
    "Meter Status",
    "132-139",
    (
        Bits(
            UINT16,
            (
                Bit("multiple_load_profiles", 2, note="ET42 describes sets 2-4"),
                Bit("energy_units", 6, note="the control node supports units other than 1 Wh"),
                Bit("five_digit_codes", 7, since=(4, 0)),
                Bit("multiple_mep_clients", 8, since=(4, 0)),
            ),
            page="133-134",
        ),
        Filler(17, page="134"),
        Bits(UINT16, (Bit("load_profile_opted_out", 0),), page="134"),
        # Printed "reserved 20..43", though the flags at 19 have two bytes.
        Filler(23, page="134"),
        Bits(UINT8, (Bit("over_power", 0), Bit("step_tariff", 1)), page="134"),
        Filler(17, page="134"),
        Field("relay_1_random_pending", UINT8, page="134"),
        Field("relay_1_random_remaining", UINT16, unit="s", page="135"),
        Field("relay_1_random_total", UINT16, unit="s", page="135"),
        Filler(1, page="135"),
        Field("mis_wiring", UINT8, note="1 low voltage, 2 high, 4 phases equal", since=(3, 60), page="135"),
        Field("et74_entries", UINT16, since=(3, 60), page="136"),
        Bits(
            UINT8,
            (
                Bit("welmec_11_2", 0),
                Bit("time_synchronisation", 1, 2, note="0 none, 1 ongoing, 2 done"),
                Bit("disconnect_button_locked", 6, since=(4, 0)),
            ),
            since=(3, 60),
            page="136",
        ),
        Field("interval_time_adjustment", NI_FMAT, unit="s", since=(3, 60), page="137"),
        Field("step_tariff_reset", DATE, since=(3, 60), page="137"),
        Field("et77_entries", UINT8, since=(3, 70), page="137"),
        Field("et79_entries", UINT16, since=(3, 70), page="137"),
        # In 3.13 only partial reads reach them.
        Field("unicast_key_usage", UINT32, since=(3, 80), also=_KEY_USAGE, page="137"),
        Field("broadcast_key_usage", UINT32, since=(3, 80), also=_KEY_USAGE, page="137"),
        Field(
            "security_modes", set_of(1), note="0 RC4, 2 OSGP-AES-128-PSK", since=(3, 80), also=_KEY_USAGE, page="137"
        ),
        Filler(_MODULES, since=(4, 0), when=_MODULES, page="137"),
        Filler(4, since=(4, 0), when=_MODULES, page="137-138"),
        # Printed u32 at 95 overlaps 97; two bytes fit.
        Field("tamper_input_adc", UINT16, since=(4, 0), when=_MODULES, page="138"),
        Field("transactions_locked", UINT8, since=(4, 0), when=_MODULES, page="138"),
        Field("transaction_lock_holder", UINT8, note="MEP port", since=(4, 0), when=_MODULES, page="138"),
        Field("procedure_failure", UINT32, note="procedure << 16 | code", since=(4, 10), when=_MODULES, page="138"),
        Field("relay_2_random_pending", UINT8, since=(4, 30), when=_MODULES, page="138"),
        Field("relay_2_random_remaining", UINT16, unit="s", since=(4, 30), when=_MODULES, page="138"),
        Field("relay_2_random_total", UINT16, unit="s", since=(4, 30), when=_MODULES, page="139"),
    ),
)

_CODE_LENGTH = 4 + count("is_generation_4").written("X")
"""X is 1 from 4.0 on, else 0 (p. 139)."""
_GENERATION_4 = count("is_generation_4")

ET55 = Table(
    EXTENDED + 55,
    "Meter Configuration",
    "139-163",
    (
        Filler(3, page="140"),
        Bits(UINT8, (Bit("consumption_tariff_enabled", 1), Bit("step_tariff_enabled", 5)), page="140"),
        # Printed at offset 1 for 4.0 on; that is inside the reserved bytes and 4 is the only place left.
        Field("clock_slew", UINT8, unit="s/min", page="140"),
        Filler(9, page="140"),
        # Printed UINT8, with a default of -84 dB.
        Field("signal_strength_threshold", INT8, unit="dB", page="141"),
        Field("plc_active_timeout", UINT16, unit="min", page="141"),
        Filler(3, page="141"),
        Field("plc_lockout_threshold", UINT8, since=(4, 30), page="141"),
        Field("plc_lockout", UINT8, unit="min", since=(4, 30), page="141"),
        Field("optical_lockout_threshold", UINT8, since=(4, 30), page="142"),
        Field("optical_lockout", UINT8, unit="min", since=(4, 30), page="142"),
        Filler(28, page="142"),
        Field("message_id", char, count=_CODE_LENGTH, page="142"),
        Field("message_id_decimals", UINT8, page="143"),
        Field("message_text", char(8), page="143"),
        Field("message_start", LTIME_DATE_UTC, page="143"),
        Field("message_end", LTIME_DATE_UTC, page="144"),
        Bits(
            UINT8,
            (Bit("message_override_disabled", 0), Bit("message_overridden", 1), Bit("message_not_scrolled", 2)),
            page="145-146",
        ),
        Field("phase_loss_seconds", UINT16, unit="s", page="146"),
        Bits(UINT8, (Bit("consumption_tariff_disabled", 1), Bit("step_tariff_disabled", 3)), page="146"),
        Field("over_power_threshold", UINT32, unit="W", page="147"),
        Field("over_power_seconds", UINT16, unit="s", page="147"),
        Field("over_power_tier", UINT8, page="147"),
        Field("over_power_source", UINT8, note="0 fwd + rev, 1 fwd, 2 fwd - rev", page="147"),
        Filler(4, page="147"),
        Field("ct_secondary_current", UINT8, unit="A", page="148"),
        Field("clock_error_calendar_id", UINT32, page="148"),
        Field("over_power_calendar_id", UINT32, page="148"),
        Filler(1, page="148"),
        Field("cover_removed_seconds", UINT16, unit="s", page="149"),
        Field("cover_removed_quality_seconds", UINT16, unit="s", since=(3, 40), before=(4, 0), page="149"),
        Bits(
            UINT16,
            (
                Bit("cover_phase_loss", 0),
                Bit("cover_current_on_missing_phase", 1),
                Bit("cover_subsequent_outage", 2),
                Bit("cover_preceding_outage", 3),
            ),
            since=(3, 40),
            before=(4, 0),
            page="149-150",
        ),
        Field("primary_load_profile", UINT8, note="0-3 is set 1-4", since=(3, 50), page="150"),
        Field("hf_noise_threshold", INT16, since=(3, 50), page="151"),
        Field("hf_noise_seconds", UINT16, unit="s", since=(3, 50), page="151"),
        Field("earth_fault_current", UINT16, unit="mA", since=(4, 0), page="151"),
        Filler(1, since=(3, 50), page="152"),
        Field("earth_fault_seconds", UINT16, unit="s", since=(4, 0), page="152"),
        Field("broken_conductor_seconds", UINT16, unit="s", since=(3, 60), page="152"),
        Field("zero_fault_seconds", UINT16, unit="s", since=(3, 60), page="152"),
        Field("normal_voltage_upper", UINT8, unit="%", since=(3, 60), page="153"),
        Field("normal_voltage_lower", UINT8, unit="%", since=(3, 60), page="153"),
        Field("low_voltage_upper", UINT8, unit="%", since=(3, 60), page="153"),
        Field("voltage_fluctuation", UINT8, unit="%", since=(3, 60), page="153"),
        # The next printed offset leaves one byte without a name.
        Filler(1, since=(3, 70), page="154"),
        Field("prepay_tier_rates", UINT32, count=4, unit="Wh/kWh", note="tiers 5-8", since=(3, 70), page="154"),
        Field("reverse_energy_current", UINT16, unit="mA", since=(3, 70), page="154"),
        Field(
            "step_tariff_thresholds",
            UINT32,
            count=count("max_tiers") - 1,
            unit="energy unit",
            since=(3, 70),
            page="155",
        ),
        Field("step_tariff_source", UINT8, note="0 fwd, 1 rev, 2 fwd + rev, 3 fwd - rev", since=(3, 70), page="155"),
        Field("step_tariff_tou_id", UINT32, since=(3, 70), page="155"),
        Field("step_tariff_reset_day", UINT8, since=(3, 70), page="156"),
        Field("step_tariff_reset_hour", UINT8, since=(3, 70), page="156"),
        Field("step_tariff_reset_minute", UINT8, since=(3, 70), page="156"),
        Field("step_tariff_reset_second", UINT8, since=(3, 70), page="156"),
        Filler(1, since=(3, 70), page="156"),
        Field("rms_voltage_cycles", UINT16, unit="mains cycles", since=(3, 70), page="156"),
        Field("average_voltage_seconds", UINT16, unit="s", since=(3, 70), page="157"),
        Field("average_voltage_count", UINT16, since=(3, 70), page="157"),
        Field("voltage_proper_upper", UINT32, unit="mV", since=(3, 70), page="157"),
        Field("voltage_proper_lower", UINT32, unit="mV", since=(3, 70), page="158"),
        Field("voltage_medium_upper", UINT32, unit="mV", since=(3, 70), page="158"),
        Field("voltage_medium_lower", UINT32, unit="mV", since=(3, 70), page="158"),
        Field("mvd_lower_limit", UINT16, unit="mains cycles", since=(3, 70), page="158"),
        Field("mvd_upper_limit", UINT16, unit="mains cycles", since=(3, 70), page="158"),
        Field("mvd_sag_low", UINT8, unit="%", since=(3, 70), page="158"),
        Field("mvd_sag_high", UINT8, unit="%", since=(3, 70), page="158"),
        Field("mvd_swell_low", UINT8, unit="%", since=(3, 70), page="158"),
        Field("energy_unit", UINT8, unit="Wh, varh", note="1, 10 or 100", since=(3, 70), page="158-159"),
        Bits(
            UINT8,
            (
                Bit("house_icon_control", 0, 1, note="0 nobody, 1 MEP1, 2 MEP2"),
                Bit("mbus_auto_confirmation", 2, since=(4, 30)),
            ),
            when=_GENERATION_4,
            page="159",
        ),
        Bits(UINT8, (Bit("optical_timers", 0), Bit("optical_disabled", 1)), when=_GENERATION_4, page="160"),
        Field("optical_session_timeout", UINT16, unit="s", when=_GENERATION_4, page="160"),
        Field("optical_session_hold_off", UINT16, unit="s", when=_GENERATION_4, page="160"),
        Bits(UINT8, (Bit("tamper_1_in_use", 0), Bit("tamper_2_in_use", 1)), when=_GENERATION_4, page="160"),
        Field("tamper_levels", INT16, count=3, when=_GENERATION_4, page="161"),
        Field("tamper_seconds", UINT8, unit="s", when=_GENERATION_4, page="161"),
        Field("cover_removed_seconds_2", UINT16, unit="s", when=_GENERATION_4, page="162"),
        Field("magnetic_tamper_seconds", UINT16, unit="s", when=_GENERATION_4, page="162"),
        Field("va_method", UINT8, note="0 Vrms*Irms, 1 from W and var", when=_GENERATION_4, page="162"),
        Bits(UINT16, (Bit("bev_load_profile_lock", 0),), when=_GENERATION_4, page="162-163"),
        Field("reverse_energy_current_msb", UINT8, when=_GENERATION_4, page="163"),
    ),
)
