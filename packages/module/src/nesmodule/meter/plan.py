"""Where the meter's tables hold what the module reads. Made by nesmodule_build.plan of osgp's declarations; not to be edited."""

BIG_ENDIAN = (0, 0)
"""Byte and bit."""
MANUFACTURER = (0, 4)
MODEL = (4, 8)
FIRMWARE = (14, 2)
SERIAL = (0, 30)
IDT_VERSION = (116, 1)
PROGRAM = (14, 8)
SIZES = 10
"""Bytes of BT20 and BT21, which are laid out alike."""
RESET_COUNTER = (0, 2)
TIME_REMAINING = (0, 6)
SUMMATIONS = 3
TIERS = 7
PRESENT_DEMANDS = 8
PRESENT_VALUES = 9
SUMMATION_IDS = b'\x00\x01\x02\x03\x04\x05\x06\x07\x1a\x1b\x1clmno'
PRESENT_IDS = b'\x08\t\n\x0b\x0c\r\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19QRSThijk\xb9\xba\xbb\xbc\xbd\xbe\xbf\xc0\xc1\xc2\xc3\xc4\xc5\xc6\xc7\xca\xcb\xcc\xcd\xce\xcf\xd0\xd1\xd2\xd3\xd4\xd5\xd6\xd7\xd8\xd9\xda\xdb\xdc\xdd\xde\xdf\xe0\xe1\xe2\xe3\xe4\xe5\xe6\xe7\xe8\xe9\xea\xeb\xec\xed\xee\xef\xf0\xf1\xf2\xf3\xf4'
FIRST_APPARENT = 15
ENERGY_UNIT = ((0, 0, 197), (2, 0, -1), (3, 70, 197), (4, 0, 198))
"""From which firmware on ET55 holds the energy unit, and where with four tiers; each further tier moves it by four bytes."""
ET55_SIZE = ((0, 0, 198), (2, 0, 105), (3, 40, 109), (3, 50, 117), (3, 60, 127), (3, 70, 198), (4, 0, 221))
"""Likewise the size of ET55 with four tiers."""
OUTAGE_IN_MINUTES = (2, 0)
"""Firmware that counts outages in minutes."""
UNITS = (('active_energy', 'Wh', 'kWh', 3, True), ('reactive_energy', 'varh', 'kvarh', 3, True), ('duration', 's', 's', 0, False), ('count', '', '', 0, False), ('apparent_energy', 'VAh', 'kVAh', 3, False), ('active_power', 'W', 'W', 0, False), ('reactive_power', 'var', 'var', 0, False), ('current', 'mA', 'A', 3, False), ('voltage', 'mV', 'V', 3, False), ('power_factor', '1/1000', '', 3, False), ('frequency', 'mHz', 'Hz', 3, False), ('apparent_power', 'VA', 'VA', 0, False), ('phase_angle_sine', '1/1000', '', 3, False), ('voltage_angle', '1/100 deg', '°', 2, False))
"""Quantity, raw unit, unit, decimals, and whether it is counted in the meter's energy unit."""
SOURCES = b'\n0:active_energy_import:0:r\n1:active_energy_export:0:r\n2:reactive_energy_import:1:r\n3:reactive_energy_export:1:r\n4:outage_duration:2:r\n5:outage_count:3:r\n6:active_energy_sum:0:r\n7:active_energy_net:0:n\n26:pulse_count_1:3:r\n27:pulse_count_2:3:r\n28:error_count:3:r\n108:reactive_energy_q1:1:r\n109:reactive_energy_q2:1:r\n110:reactive_energy_q3:1:r\n111:reactive_energy_q4:1:r\n-:apparent_energy_q1:4:r\n-:apparent_energy_q2:4:r\n-:apparent_energy_q3:4:r\n-:apparent_energy_q4:4:r\n-:demand_reset_count:3:r\n8:active_power_import:5:p\n9:active_power_export:5:p\n10:reactive_power_import:6:p\n11:reactive_power_export:6:p\n12:current_l1:7:p\n13:current_l2:7:p\n14:current_l3:7:p\n15:voltage_l1:8:p\n16:voltage_l2:8:p\n17:voltage_l3:8:p\n18:power_factor_l1:9:p\n19:frequency:10:p\n20:apparent_power:11:p\n21:power_factor_l2:9:p\n22:power_factor_l3:9:p\n23:phase_angle_sine_l1:12:p\n24:phase_angle_sine_l2:12:p\n25:phase_angle_sine_l3:12:p\n104:reactive_power_q1:6:p\n105:reactive_power_q2:6:p\n106:reactive_power_q3:6:p\n107:reactive_power_q4:6:p\n185:active_power_import_l1:5:p\n186:active_power_import_l2:5:p\n187:active_power_import_l3:5:p\n188:active_power_export_l1:5:p\n189:active_power_export_l2:5:p\n190:active_power_export_l3:5:p\n202:voltage_continuous_l1:8:p\n203:voltage_continuous_l2:8:p\n204:voltage_continuous_l3:8:p\n205:voltage_average_l1:8:p\n206:voltage_average_l2:8:p\n207:voltage_average_l3:8:p\n208:active_power_average_import:5:p\n209:active_power_average_export:5:p\n210:active_power_average_import_l1:5:p\n211:active_power_average_import_l2:5:p\n212:active_power_average_import_l3:5:p\n213:active_power_average_export_l1:5:p\n214:active_power_average_export_l2:5:p\n215:active_power_average_export_l3:5:p\n216:apparent_power_q1:11:p\n217:apparent_power_q2:11:p\n218:apparent_power_q3:11:p\n219:apparent_power_q4:11:p\n220:apparent_power_q1_l1:11:p\n221:apparent_power_q2_l1:11:p\n222:apparent_power_q3_l1:11:p\n223:apparent_power_q4_l1:11:p\n224:apparent_power_q1_l2:11:p\n225:apparent_power_q2_l2:11:p\n226:apparent_power_q3_l2:11:p\n227:apparent_power_q4_l2:11:p\n228:apparent_power_q1_l3:11:p\n229:apparent_power_q2_l3:11:p\n230:apparent_power_q3_l3:11:p\n231:apparent_power_q4_l3:11:p\n232:current_neutral:7:p\n233:current_average_l1:7:p\n234:current_average_l2:7:p\n235:current_average_l3:7:p\n236:voltage_angle_l1_l2:13:p\n237:voltage_angle_l2_l3:13:p\n238:voltage_angle_l3_l1:13:p\n239:reactive_power_import_l1:6:p\n240:reactive_power_import_l2:6:p\n241:reactive_power_import_l3:6:p\n242:reactive_power_export_l1:6:p\n243:reactive_power_export_l2:6:p\n244:reactive_power_export_l3:6:p\n'
"""Lines of source id ("-": none), key, place in UNITS and kind: register, net_register, present."""
