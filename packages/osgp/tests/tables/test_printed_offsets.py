"""Computed offsets against the offsets the guide prints (MEP guide v1.1, the pages of each table)."""

import pytest
from told import told

from osgp.tables import TABLES, Dimensions
from osgp.tables.schema.dimensions import Logs

GEN3 = told(firmware=(3, 82))
GEN4 = told(
    firmware=(4, 30), summations=19, tiers=8, max_tiers=8, present_values=84, mep_clients=2, module_records_size=6 * 7
)
# ET55 counts from A on: 146 or 147 + 4 * (BT20.7 - 1) (p. 155).
A3, A4 = 146 + 4 * 3, 147 + 4 * 7
# ET09 counts from B = ET04.53 * 18 on (p. 70).
B = 10 * 18
A97 = 8 * 3
# ET54 counts from Z = ET11.32 * ET11.33 on (p. 138).
Z = 42

PRINTED = {
    ("BT00", GEN3): {
        "big_endian": 0, "time_format": 1, "non_integer_format_1": 2, "manufacturer": 3, "nameplate_type": 7,
        "procedure_parameter_length": 9, "response_data_length": 10, "basic_tables_size": 13,
        "extended_procedures_size": 16, "manufacturer_status_length": 17, "pending_tables": 18,
    },
    ("BT01", GEN3): {"manufacturer": 0, "model": 4, "firmware": 14},
    # Optical guide v1.1 p. 45-47.
    ("BT03", told(firmware=(4, 30))): {
        "metering": 0, "unprogrammed": 1, "disconnect_switch_error": 1, "load_profile_2_unread": 3,
        "load_profile_overflow": 4, "invalid_password": 5, "mep_installed_or_removed": 6, "dimension_change": 7,
        "unbalanced_voltage": 8, "relay_2_open": 9,
    },
    # Optical guide v1.1 p. 11.
    ("BT04", GEN4): {
        "basic_pending": 0, "extended_pending": 10, "last_activation": 10 + 20, "pending": 10 + 20 + 5,
        "activations": 10 + 20 + 6,
    },
    ("BT07", GEN3): {"procedure": 0, "response_handling": 0, "sequence_number": 2, "parameters": 3},
    ("BT08", GEN3): {"procedure": 0, "sequence_number": 2, "code": 3, "response": 4},
    ("BT15", GEN3): {"multiplier": 0, "offset": 4, "ratios_applied": 8, "ct_ratio": 9, "vt_ratio": 13},
    ("BT21", GEN3): {
        "season": 0, "time_remaining": 0, "daily_self_read": 1, "self_reads": 2, "summations": 3, "demands": 4,
        "coincidents": 5, "occurrences": 6, "tiers": 7, "present_demands": 8, "present_values": 9,
    },
    ("BT22", Dimensions(demands=8, coincidents=16)): {
        "summation_sources": 0, "demand_sources": 11, "maximum_demands": 11 + 8,
        "coincident_sources": 11 + 8 + 1, "coincident_demands": 11 + 8 + 1 + 16,
    },
    ("BT24", GEN3): {"time": 0, "season": 5, "blocks": 6},
    ("BT25", GEN3): {"time": 0, "season": 5, "blocks": 6},
    # Optical guide v1.1 p. 50-51.
    ("BT71", GEN3): {
        "common_event_numbers": 0, "event_inhibit_overflow": 0, "standard_event_bytes": 1, "manufacturer_event_bytes": 2,
        "history_data_length": 3, "event_data_length": 4, "history_entries": 5, "event_entries": 7,
    },
    # The guide prints the offsets of the first entry.
    ("BT26", GEN3): {"overflow": 0, "valid_entries": 1, "newest_entry": 2, "newest_sequence_number": 3, "unread_entries": 5, "entries": 6},
    ("BT74", GEN3): {"overflow": 0, "valid_entries": 1, "newest_entry": 3, "newest_sequence_number": 5, "unread_entries": 9, "entries": 11},
    ("ET31", GEN3): {"valid_entries": 1, "newest_entry": 2, "newest_sequence_number": 3, "unread_entries": 5, "entries": 6},
    ("ET36", GEN3): {"logs": 0, "log_list": 1},
    ("ET41", GEN3): {"valid_entries": 1, "newest_entry": 2, "newest_sequence_number": 3, "unread_entries": 5, "entries": 6},
    ("ET75", GEN3): {"valid_entries": 1, "newest_entry": 2, "newest_sequence_number": 3, "unread_entries": 5, "entries": 6},
    ("ET79", GEN3): {"overflow": 0, "valid_entries": 1, "newest_entry": 3, "newest_sequence_number": 5, "unread_entries": 9, "entries": 11},
    ("ET80", GEN3): {"enabled": 0, "subinterval": 1, "multiplier": 3, "disconnect_threshold": 4},
    ("ET81", GEN3): {"valid_entries": 1, "newest_entry": 2, "newest_sequence_number": 3, "unread_entries": 5, "entries": 6},
    ("BT27", Dimensions(present_demands=8)): {"present_demand_sources": 0, "present_value_sources": 8},
    ("BT28", Dimensions(present_demands=8)): {"present_demands": 0, "present_values": 4 * 8},
    ("BT28", Dimensions(present_demands=8, time_remaining=True)): {"present_values": 7 * 8},
    ("BT30", GEN3): {
        "on_time": 0, "hold_time": 0, "sources": 1, "source_size": 3, "primary_list_items": 4, "primary_lists": 6,
        "secondary_list_items": 7, "secondary_lists": 9,
    },
    ("BT33", told(display_lists=1)): {"lists": 0, "sources": 3},
    ("BT50", GEN3): {
        "tou_self_read": 0, "separate_weekdays": 1, "seasons": 2, "nonrecurring_dates": 3, "recurring_dates": 4,
        "tier_switches": 5, "calendar_size": 7,
    },
    ("BT52", GEN3): {"clock": 0, "weekday": 6, "daylight_saving": 6},
    ("BT53", GEN3): {"daylight_saving_at": 0, "daylight_saving_minutes": 3, "time_zone_minutes": 4},
    ("BT60", GEN3): {
        "memory_length": 0, "set_1_inhibit_overflow": 4, "set_1_scalars": 4, "simple_interval_status": 4, "int32": 6,
        "data_sets": 7,
    },
    # Counted from the end of the outage records, 18 bytes each, of which ET04.53 tells the number; A is 357 behind that.
    ("ET09", told(firmware=(4, 21), power_outages_recorded=10)): {
        "long_outage_threshold": 0, "sag_swell_minutes": 2, "sag_threshold": 3, "swell_threshold": 4,
        "over_current_threshold": 5, "outages": 6, "sags": B + 6, "swells": B + 30, "minimum_frequency": B + 54,
        "minimum_frequency_at": B + 58, "maximum_frequency": B + 64, "maximum_frequency_at": B + 68,
        "over_current_events": B + 74, "phase_lost_l1": B + 86, "phase_losses": B + 87, "sag_voltages": B + 111,
        "swell_voltages": B + 123, "short_outages": B + 135, "configuration_id": B + 139, "sag_swell_seconds": B + 143,
        "power_up_hold": B + 144, "over_current_seconds": B + 145, "distortion": B + 147, "critical_voltages": B + 357,
        "sag2_seconds": B + 357 + 120, "sag2_threshold": B + 357 + 122, "sags2": B + 357 + 123,
        "sag2_voltages": B + 357 + 147, "average_current_seconds": B + 357 + 159, "early_events": B + 357 + 161,
    },
    ("BT61", GEN3): {"memory_length": 0, "end_readings": 4, "int32": 6, "data_sets": 7},
    ("BT62", Dimensions(profile_channels=(2, 0, 1, 16), profile_scalars=frozenset({2}))): {
        "set_1_channels": 0, "set_1_format": 6, "set_2_format": 7, "set_3_channels": 8, "set_3_format": 8 + 3,
        "set_3_scalars": 8 + 4, "set_3_divisors": 8 + 6, "set_4_channels": 16, "set_4_format": 16 + 48,
    },
    ("BT63", GEN3): {"data_sets": 0},
    **{(f"BT{number}", GEN3): {"blocks": 0} for number in range(64, 68)},
    ("ET21", GEN3): {"data_sets": 0},
    ("ET66", GEN3): {"extended_sources": 0},
    ("BT54", GEN3): {
        "nonrecurring_dates": 0, "recurring_dates": 25 * 3, "tier_switches": 25 * 3 + 23 * 3,
        "seasons": 25 * 3 + 23 * 3 + 200 * 3, "calendar_id": 25 * 3 + 23 * 3 + 200 * 3 + 12 * 5,
    },
    ("BT55", GEN3): {"clock": 0, "weekday": 6, "tier": 7, "season": 7},
    ("ET03", GEN3): {"utility_serial_number": 0, "image_crc": 137},
    ("ET04", GEN4): {
        "plc_sequence_number": 0, "transceiver_id": 4, "subnet_id": 10, "node_id": 11, "plc_encryption_disabled": 12,
        "rated_frequency": 13, "program_id": 14, "self_identification": 22, "pk_access_disabled": 52,
        "power_outages_recorded": 53, "total_energy_registers": 55, "registration_current": 56, "maximum_current": 58,
        "rated_voltage": 60, "voltage_absent_l1": 62, "daylight_saving_off_delta": 63, "self_read_hour": 65,
        "self_read_minute": 66, "stop_mode_days": 67, "test_point": 71, "neuron_state": 72, "phase_rotation": 73,
        "plc_inactive_threshold": 74, "broadcast_receipt": 76, "broadcast_base": 82, "broadcast_delta": 86,
        "reverse_energy_current": 88, "plc_signal_quality": 90, "auto_discovery_ta": 91, "auto_discovery_to": 93,
        "auto_discovery_disabled": 95, "amplifier_gain_sensitivity": 96, "event_outage_threshold": 98,
        "nvm_size": 100, "safe_image_locked": 102, "premise_generation": 109,
        "outage_detection_threshold": 110, "phase_loss_threshold": 111, "meter_form": 112, "clock_error_tier": 113,
        "c1219_compliance": 114, "idt_version": 116, "tilt_timer": 117, "minimum_registration_current": 118,
        "registration_current_fraction": 120, "constant_phase_loss_alarm": 121, "power_up_wait": 122,
        "maximum_key_usage": 123, "security_mode": 127, "fcm_message_count": 128, "mep_sequence_numbers": 129,
        "reverse_energy_delay_ms": 137, "reverse_energy_delay": 138,
    },
    ("ET04", GEN3): {"mep_sequence_number": 103, "fcm_message_count": 128},
    ("ET04", told(firmware=(3, 13))): {"maximum_key_usage": 123, "security_mode": 127},
    ("ET11", GEN4): {
        "devices": 0, "configuration_entry_size": 1, "status_entry_size": 2, "on_demand_queue_size": 3,
        "on_demand_entry_size": 4, "data_entry_size": 5, "transaction_request_size": 7,
        "transaction_response_size": 9, "on_demand_write_size": 11, "phase_measurement_size": 12,
        "configuration_entry_2_size": 13, "group_ids": 18, "harmonics": 19, "multicast_message_size": 20,
        "alarm_array_size": 21, "mep_data_sources": 22, "et48_entries": 23, "critical_event_bitmaps": 24,
        "mbus_data_types": 25, "relay_switches": 26, "delta_alert_sources": 27, "ram_transaction_request_size": 28,
        "ram_transaction_response_size": 30, "module_records": 32, "module_record_size": 33, "mep_clients": 34,
        "error_screens": 38,
    },
    ("ET23", GEN3): {"plc_messages": 0, "plc_messages_validated": 4, "contactor": 94, "active_calendar_id": 95},
    ("ET29", GEN4): {
        "pulse_output": 0, "relay_2": 0, "mbus": 1, "no_metering": 1, "no_display": 2, "mep_2": 2, "single_phase": 5,
        "power_boost_relay": 5, "ports": 24, "two_disconnect_sensors_refresh": 33, "relay_2_latching": 33,
        "line_sensor": 47, "neutral_sensor": 47, "gateway_ports": 48,
    },
    ("ET46", GEN3): {"limit_type": 11, "prepay_negative_credit": 13, "limit_opened_at": 17},
    ("ET47", GEN3): {"tier": 0, "cancellation": 1, "duration": 2, "until": 6, "calendar_id": 12},
    ("ET51", GEN3): {"clients": 0},
    ("ET52", GEN3): {"size": 0, "type": 2, "number": 3, "records": 5},
    ("ET53", GEN3): {"size": 0, "type": 2, "number": 3, "records": 5},
    ("ET59", GEN3): {"procedure": 0, "sequence_number": 2, "code": 3, "response": 4},
    ("ET61", GEN3): {"relays": 0},
    ("ET62", GEN3): {
        "local_time": 0, "list_id": 1, "list_id_points": 5, "date_id": 6, "date_id_points": 10, "time_id": 11,
        "time_id_points": 15, "status_id": 16, "status_id_points": 20, "channels": 21, "outages_id": 117,
        "outages_id_points": 121, "outage_number_id": 122, "outage_number_id_points": 126,
    },
    ("ET62", GEN4): {
        "list_id": 1, "list_id_points": 6, "date_id": 7, "date_id_points": 12, "time_id": 13, "time_id_points": 18,
        "status_id": 19, "status_id_points": 24, "channels": 25, "outages_id": 137, "outages_id_points": 142,
        "outage_number_id": 143, "outage_number_id_points": 148,
    },
    ("ET70", GEN4): {"channel": 142},
    ("ET71", GEN3): {"sources": 0},
    ("ET85", GEN4): {"procedure": 0, "sequence_number": 2, "code": 3, "response": 4},
    ("ET89", told(firmware=(4, 50))): {
        "mep_1_previous_handle": 0, "mep_1_previous_id": 2, "mep_1_registrations": 32, "mep_1_new_handles": 33,
        "mep_2_previous_handle": 34, "mep_2_previous_id": 36, "mep_2_registrations": 66, "mep_2_new_handles": 67,
        "h1_telegram_at": 68, "h1_device_present": 74, "plc_disabled": 74, "relays": 75, "image_key_ids": 109,
        "image_key_1_invalidated": 113, "image_error": 114, "image_key_id": 115, "image_length": 117,
        "image_signature_length": 121, "image_signature": 122,
    },
    ("ET90", GEN4): {
        "ip_address_size": 0, "urgent_alarms_size": 2, "connection_reasons_size": 3, "apn_size": 4, "apn_user_size": 5,
        "apn_password_size": 6, "sim_pin_size": 7, "modem_manufacturer_size": 8, "modem_model_size": 9,
        "modem_revision_size": 10, "modem_imei_size": 11, "phone_number_size": 12, "operator_name_size": 13,
        "modem_connections": 14, "modem_services": 15, "free_texts": 16, "at_reply_size": 17, "iccid_size": 19,
    },
    ("ET90", told(firmware=(3, 82))): {"free_texts": 16},
    # A is 8 * ET90.16 (p. 193).
    ("ET97", GEN4): {
        "free_texts": 0, "mep_1_id_comparison": A97, "mep_1_id_mask": A97 + 1, "mep_2_id_comparison": A97 + 31,
        "mep_2_id_mask": A97 + 32, "power_boost_relay": A97 + 62, "relays": A97 + 63, "security_log_minutes": A97 + 97,
        "tls_required_optical": A97 + 98, "tls_required_mep_1": A97 + 99, "tls_required_mep_2": A97 + 100,
    },
    ("ET13", GEN3): {"mbus": 0, "mep": 4 * 66},
    ("ET14", GEN3): {"auto_discovery": 0, "occupied": 5, "devices": 6},
    ("ET15", GEN3): {
        "next_written": 0, "next_processed": 0, "requests": 1, "writes": 5 * 6 + 1, "multicast_length": 5 * (6 + 25) + 1,
    },
    ("ET16", GEN3): {"mbus": 0, "mep": 4 * 517},
    ("ET42", GEN3): {
        "table_length": 0, "fixed_section_length": 2, "logs": 3, "ica_nak": 4, "billing_interface_number": 8,
        "demand_reset_counter": 10, "self_reads": 11, "summations": 12, "demands": 13, "coincidents": 14,
        "occurrences": 15, "tiers": 16, "present_demands": 17, "present_values": 18, "demand_subinterval": 19,
        "demand_multiplier": 20, "tier_size": 21, "load_profile_block_size": 23, "load_profile_blocks": 27,
        "load_profile_channels": 29, "load_profile_interval": 30, "load_profile_interval_size": 31,
        "load_profile_options": 32, "load_profile_intervals_per_block": 33, "load_profile_start_hour": 35,
        "load_profile_start_minute": 36, "log_event_number": 37, "history_log_entries": 38,
        "history_log_argument_size": 40, "log_list": 41,
    },
    ("ET54", GEN4): {
        "multiple_load_profiles": 0, "load_profile_opted_out": 19, "over_power": 44, "step_tariff": 44,
        "relay_1_random_pending": 62, "relay_1_random_remaining": 63, "relay_1_random_total": 65, "mis_wiring": 68,
        "et74_entries": 69, "welmec_11_2": 71, "interval_time_adjustment": 72, "step_tariff_reset": 76,
        "et77_entries": 79, "et79_entries": 80, "unicast_key_usage": 82, "broadcast_key_usage": 86,
        "security_modes": 90, "tamper_input_adc": 95 + Z, "transactions_locked": 97 + Z,
        "transaction_lock_holder": 98 + Z, "procedure_failure": 99 + Z, "relay_2_random_pending": 103 + Z,
        "relay_2_random_remaining": 104 + Z, "relay_2_random_total": 106 + Z,
    },
    ("ET54", told(firmware=(3, 13))): {"unicast_key_usage": 82, "broadcast_key_usage": 86, "security_modes": 90},
    ("ET55", GEN3): {
        "step_tariff_enabled": 3, "clock_slew": 4, "signal_strength_threshold": 14, "plc_active_timeout": 15,
        "message_id": 52, "message_id_decimals": 56, "message_text": 57, "message_start": 65, "message_end": 71,
        "message_overridden": 77, "phase_loss_seconds": 78, "step_tariff_disabled": 80, "over_power_threshold": 81,
        "over_power_seconds": 85, "over_power_tier": 87, "over_power_source": 88, "ct_secondary_current": 93,
        "clock_error_calendar_id": 94, "over_power_calendar_id": 98, "cover_removed_seconds": 103,
        "cover_removed_quality_seconds": 105, "cover_phase_loss": 107, "primary_load_profile": 109,
        "hf_noise_threshold": 110, "hf_noise_seconds": 112,
        "broken_conductor_seconds": 119, "zero_fault_seconds": 121, "normal_voltage_upper": 123,
        "normal_voltage_lower": 124, "low_voltage_upper": 125, "voltage_fluctuation": 126, "prepay_tier_rates": 128,
        "reverse_energy_current": 144, "step_tariff_thresholds": 146, "step_tariff_source": A3,
        "step_tariff_tou_id": A3 + 1, "step_tariff_reset_day": A3 + 5, "step_tariff_reset_second": A3 + 8,
        "rms_voltage_cycles": A3 + 10, "average_voltage_seconds": A3 + 12, "average_voltage_count": A3 + 14,
        "voltage_proper_upper": A3 + 16, "voltage_proper_lower": A3 + 20, "voltage_medium_upper": A3 + 24,
        "voltage_medium_lower": A3 + 28, "mvd_lower_limit": A3 + 32, "mvd_upper_limit": A3 + 34,
        "mvd_sag_low": A3 + 36, "mvd_sag_high": A3 + 37, "mvd_swell_low": A3 + 38, "energy_unit": A3 + 39,
    },
    ("ET55", GEN4): {
        # Printed 1 for the clock slew of 4.0 on; 4 as in the other column is what fits (p. 140).
        "clock_slew": 4, "plc_lockout_threshold": 20, "plc_lockout": 21, "optical_lockout_threshold": 22,
        "optical_lockout": 23, "message_id": 52, "message_id_decimals": 57, "message_text": 58, "message_start": 66,
        "message_end": 72, "phase_loss_seconds": 79, "over_power_threshold": 82, "clock_error_calendar_id": 95,
        "cover_removed_seconds": 104, "primary_load_profile": 110, "earth_fault_current": 115, "earth_fault_seconds": 118, "voltage_fluctuation": 127,
        "prepay_tier_rates": 129, "reverse_energy_current": 145, "step_tariff_thresholds": 147,
        "step_tariff_source": A4, "energy_unit": A4 + 39, "house_icon_control": A4 + 40, "optical_timers": A4 + 41,
        "optical_session_timeout": A4 + 42, "optical_session_hold_off": A4 + 44, "tamper_1_in_use": A4 + 46,
        "tamper_levels": A4 + 47, "tamper_seconds": A4 + 53, "cover_removed_seconds_2": A4 + 54,
        "magnetic_tamper_seconds": A4 + 56, "va_method": A4 + 58, "bev_load_profile_lock": A4 + 59,
        "reverse_energy_current_msb": A4 + 61,
    },
}  # fmt: skip


@pytest.mark.parametrize(("table", "dims"), PRINTED, ids=lambda value: value if isinstance(value, str) else "")
def test_fields_stand_where_the_guide_prints_them(table, dims):
    printed = PRINTED[table, dims]
    assert {name: TABLES[table].window(dims, name)[0] for name in printed} == printed


@pytest.mark.parametrize(
    ("table", "dims", "printed"),
    [
        ("BT26", told(demands=1, self_reads=2), {"bidn": 6, "time": 8, "season": 13, "blocks": 14}),
        # P. 214 prints these as above; p. 105 shows for ET31 how it is without demands.
        ("BT26", told(self_reads=2), {"time": 6, "season": 11, "blocks": 12}),
        ("ET31", told(), {"time": 6, "season": 11, "blocks": 12}),
        ("BT74", told(), {"time": 11, "sequence_number": 17, "user": 19, "event": 21, "argument": 23}),
        (
            "ET79",
            told(logs=Logs(argument_size=2, alternate_events=1)),
            {"time": 11, "sequence_number": 17, "user": 19, "event": 21, "argument": 23},
        ),
        (
            "ET41",
            told(logs=Logs(demand_resets=1, demand_reset_size=300)),
            {"length": 6, "reason": 8, "bidn": 9, "time": 11, "season": 16, "blocks": 17},
        ),
        (
            "ET75",
            told(logs=Logs(channel_changes=1, channel_change_size=143)),
            {
                "time": 6,
                "extended_sources": 11,
                "demand_sources": 43,
                "demand_subinterval": 51,
                "demand_multiplier": 52,
                "display": 53,
            },
        ),
        ("ET81", told(logs=Logs(outages=1)), {"begin": 6, "end": 12}),
    ],
)
def test_the_first_entry_stands_where_the_guide_prints_it(table, dims, printed):
    assert {name: TABLES[table].place(dims, "entries", 0, name).offset for name in printed} == printed


@pytest.mark.parametrize(("room", "places"), [(143, (53, 57, 58)), (159, (53, 58, 59))])
def test_the_first_display_of_et75(room, places):
    # The two columns of p. 180.
    dims = told(logs=Logs(channel_changes=1, channel_change_size=room))
    names = ("id_code", "id_decimal_points", "digits_after_point")
    found = tuple(TABLES["ET75"].place(dims, "entries", 0, "display", 0, name).offset for name in names)
    assert found == places


def test_every_table_is_checked():
    # BT20 shares BT21's list, BT70 BT71's; BT23 has tests of its own; ET34, ET50, ET57 and ET58 are one array.
    assert set(TABLES) - {name for name, _ in PRINTED} == {
        "BT20",
        "BT23",
        "BT70",
        "ET34",
        "ET45",
        "ET50",
        "ET57",
        "ET58",
        "ET74",
    }


@pytest.mark.parametrize(
    ("table", "dims", "size"),
    [
        ("BT04", GEN4, 10 + 20 + 6 + 4 * 8),
        ("BT07", GEN3, 3 + 255),
        ("BT08", GEN3, 16),
        ("BT15", GEN3, 17),
        ("BT20", GEN3, 10),
        ("BT21", GEN3, 10),
        ("BT50", GEN3, 9),
        ("BT52", GEN3, 7),
        ("BT53", GEN3, 6),
        ("BT54", GEN3, 808),  # BT50.7 (p. 224)
        ("BT55", GEN3, 9),
        ("ET03", GEN3, 143),
        ("ET04", GEN4, 140),
        ("ET04", GEN3, 129),
        ("ET04", Dimensions(firmware=(3, 50)), 123),
        ("ET09", told(firmware=(4, 21)), B + 519),
        ("ET09", told(firmware=(4, 10)), B + 518),
        ("ET09", told(firmware=(3, 70)), B + 477),
        ("ET09", told(firmware=(3, 10)), B + 357),
        ("ET09", told(firmware=(2, 12)), B + 144),
        ("ET09", told(firmware=(2, 0)), B + 139),
        ("ET09", told(firmware=(2, 0), power_outages_recorded=0), 139),
        ("BT30", GEN3, 10),
        ("BT33", told(display_lists=1, display_items=30), 3 + 30 * 2),
        ("ET11", GEN4, 39),
        ("ET23", GEN3, 186),
        ("ET23", GEN4, 218),
        ("ET29", GEN3, 20),
        ("ET29", GEN4, 54),
        ("ET46", GEN3, 23),
        ("ET46", told(firmware=(3, 60)), 13),
        ("ET47", GEN3, 16),
        ("ET51", GEN3, 10),
        ("ET51", GEN4, 20),
        ("ET52", told(transaction_request_size=896), 896),
        ("ET53", GEN3, 1785),
        ("ET59", GEN3, 16),
        ("ET61", GEN3, 2 * 80 * 2),
        ("ET62", GEN3, 127),
        ("ET62", GEN4, 149),
        ("ET70", GEN4, 156),
        ("ET71", told(delta_alert_sources=10), 130),
        ("ET85", GEN4, 16),
        ("ET89", GEN4, 68),
        ("ET89", told(firmware=(4, 60)), 130),
        ("ET90", GEN4, 20),
        ("ET97", GEN4, A97 + 101),
        ("ET11", GEN3, 32),
        ("ET13", GEN3, 5 * 66),
        ("ET13", Dimensions(mep_devices=6), 6 * 66),
        ("ET14", GEN3, 6 + 5 * 36),
        ("ET14", Dimensions(mep_devices=6), 6 + 6 * 36),
        ("ET15", GEN3, 1 + 5 * (6 + 25) + 65),
        ("ET16", GEN3, 2585),
        ("ET34", GEN3, 5 * 22),
        ("ET57", GEN3, 16 * 4),
        ("ET58", Dimensions(mep_devices=6), 6 * 20),
        ("ET50", GEN3, 35 + 6 * 6),
        ("ET50", GEN4, 2 * (35 + 6 * 6)),
        ("BT60", GEN3, 7 + 4 * 6),
        ("BT62", Dimensions(profile_channels=(8,)), 25),
        ("BT62", Dimensions(profile_channels=(8,), profile_scalars=frozenset({0})), 25 + 4 * 8),
        ("BT62", Dimensions(profile_channels=()), 0),
        ("ET66", GEN3, 4 * 16 * 2),
        # A day of quarter hours, two channels: 5 + 12 bytes, then 96 intervals of 2 + 8 bytes (p. 239).
        ("BT64", told(profile_channels=(2,), profile_blocks=(60,), profile_intervals=(96,)), 60 * 977),
        ("BT65", told(profile_channels=(2,), profile_blocks=(60,), profile_intervals=(96,)), 0),
        (
            "BT66",
            told(profile_channels=(0, 0, 15), profile_blocks=(0, 0, 2), profile_intervals=(0, 0, 9)),
            2 * (7 + 9 * 68),
        ),
        (
            "BT67",
            told(
                profile_channels=(0, 0, 0, 3),
                profile_blocks=(0, 0, 0, 1),
                profile_intervals=(0, 0, 0, 8),
                profile_end_readings=True,
            ),
            5 + 12 + 1 + 8 * 14,
        ),
        ("ET54", GEN4, 108 + Z),
        ("ET54", GEN3, 91),
        ("ET54", Dimensions(firmware=(3, 50)), 68),
        ("ET55", GEN3, A3 + 40),
        ("ET55", GEN4, A4 + 62),
        ("ET55", Dimensions(firmware=(3, 60)), 127),
    ],
)
def test_sizes_follow_firmware_and_dimensions(table, dims, size):
    assert TABLES[table].size(dims) == size


ET21_ELEMENT = {
    "block_address": 0, "interval_address": 4, "block_size": 8, "block_header_size": 12, "valid_blocks": 14,
    "valid_intervals": 16, "last_block": 18, "last_interval": 20, "simple_status_offset": 22,
    "simple_status_size": 23, "first_interval_offset": 24, "interval_size": 25, "first_channel_offset": 26,
    "common_status": 27, "channels": 28, "interval_minutes": 29, "sources": 30, "placeholders": 38,
    "further_sources": 70, "configuration_id": 78, "first_client_channel": 82, "block_start": 83,
    "block_start_hour": 89, "block_start_minute": 90, "interval_in_progress": 91, "end_readings": 93,
    "ansi_compliance": 93, "interval_end": 94, "interval_end_local": 101, "most_memory": 107, "memory_failed": 111,
}  # fmt: skip
"""p. 95-98."""


def test_an_element_of_et21_has_its_fields_where_the_guide_prints_them():
    assert {name: TABLES["ET21"].place(GEN3, "data_sets", 0, name).offset for name in ET21_ELEMENT} == ET21_ELEMENT


@pytest.mark.parametrize(
    ("firmware", "size", "newest"),
    [
        ((2, 0), 38, "sources"),
        ((2, 12), 83, "first_client_channel"),
        ((3, 10), 94, "ansi_compliance"),
        ((3, 30), 107, "interval_end_local"),
        ((3, 50), 131, "most_memory"),
        ((3, 60), 131, "memory_failed"),
        ((4, 30), 131, "memory_failed"),
    ],
)
def test_an_element_of_et21_grew_with_the_firmware(firmware, size, newest):
    """Optical guide v1.1 p. 38-40."""
    dims = Dimensions(firmware=firmware)
    assert TABLES["ET21"].size(dims) == size * dims.load_profile_sets
    assert list(TABLES["ET21"].layout(dims).entries["data_sets"].records.entries)[-1] == newest


GENERATIONS = [(2, 0), (2, 12), (3, 0), (3, 10), (3, 13), (3, 30), (3, 40), (3, 50), (3, 60), (3, 70), (3, 82)]
LATER = [(4, 0), (4, 2), (4, 10), (4, 21), (4, 30), (4, 60)]


@pytest.mark.parametrize("line", [GENERATIONS, LATER], ids=["2 and 3", "4"])
@pytest.mark.parametrize("table", TABLES)
def test_a_field_stands_where_it_stands_in_all_firmware_that_has_it(table, line):
    """Firmware adds at the end: what it adds in the middle was reserved before, and moves nothing."""
    places = {}
    for firmware in line:
        for name, entry in TABLES[table].layout(told(firmware=firmware)).entries.items():
            places.setdefault(name, set()).add(entry.offset)
    moved = {name: offsets for name, offsets in places.items() if len(offsets) > 1}
    assert not moved
