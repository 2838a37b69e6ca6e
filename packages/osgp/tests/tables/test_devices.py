import doctest

import osgp.tables
from osgp.tables import TABLES, Dimensions

KEY = bytes(range(0x80, 0xA0))


def test_mbus_keys_are_never_decoded_and_survive_a_write():
    dims = Dimensions()
    data = bytearray(TABLES["ET13"].size(dims))
    data[29] = 32
    data[30:62] = KEY
    data[62:64] = b"\x21\x43"
    record = TABLES["ET13"].decode(bytes(data), dims)
    device = record["mbus"][0]
    assert device["security_key_length"] == 32
    assert device["turn_around_ta"] == 0x4321
    assert not any(isinstance(value, bytes) and value in KEY for value in device.values())
    assert repr(KEY[8:12])[2:-1] not in repr(record)
    again = TABLES["ET13"].encode(record, dims, base=bytes(data))
    assert again == data


def test_alert_flags_of_each_mep_client():
    dims = Dimensions(mep_devices=6)
    data = bytearray(6 * 66)
    data[4 * 66 + 8], data[5 * 66 + 8] = 0b00010, 0b11001
    first, second = TABLES["ET13"].decode(bytes(data), dims)["mep"]
    flags = ("scheduled_read", "on_demand_request", "mbus_change", "delta_data")
    assert [first[flag] for flag in flags] == [False, True, False, False]
    assert [second[flag] for flag in flags] == [True, False, True, True]
    assert len(first["downlink_data"]) == 66 - 9


def test_inbound_data_of_two_clients():
    dims = Dimensions(mep_clients=2, mep_data_sources=6)
    data = bytearray(2 * 71)
    data[71 + 30] = 0b10
    data[71 + 31 + 12 : 71 + 31 + 16] = b"\xff\xff\xff\xff"
    data[71 + 31 + 36] = 2
    one, two = TABLES["ET50"].decode(bytes(data), dims)["clients"]
    assert (one["replies_in_et59"], two["replies_in_et59"]) == (False, True)
    assert two["data"] == (-1, 0, 0, 0, 0, 0)
    assert two["house_icon"] == 2


def test_example_in_the_documentation():
    results = doctest.testmod(osgp.tables)
    assert results.attempted == 2
    assert results.failed == 0
