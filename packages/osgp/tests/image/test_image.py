import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from osgp.errors import MisuseError, TableError
from osgp.image import MeterImage, image_names
from osgp.psem import table_id
from osgp.sources import SOURCES
from osgp.tables import TABLES, Dimensions, present, registers
from osgp.tables.identity import tables_used


def image_of(**sizes):
    return MeterImage({table_id(name): bytearray(size) for name, size in sizes.items()})


def test_built_in_images_load_by_name():
    assert image_names() == ("denmark-gen3", "denmark-optical")
    image = MeterImage.load("image:denmark-gen3")
    assert "Gen 3" in image.meter
    assert image.port == "MEP"
    assert "DabblerDK/MEP-SW-ESP32#2" in image.provenance
    values = registers.decode(image.read("BT23"), image.derive_dimensions())
    assert values[SOURCES["active_energy_import"]] == 65_845_342
    with pytest.raises(MisuseError, match="there are image:denmark-gen3, image:denmark-optical"):
        MeterImage.load("image:norway")


def test_saved_image_loads_the_same(tmp_path):
    image = MeterImage.load("image:denmark-gen3")
    image.derive_dimensions()
    image.save(tmp_path / "copy.json")
    assert MeterImage.load(tmp_path / "copy.json") == image
    assert json.loads((tmp_path / "copy.json").read_text())["format"] == 1
    with pytest.raises(MisuseError, match="No such file"):
        MeterImage.load(tmp_path / "none.json")
    with pytest.raises(MisuseError, match="cannot write"):
        image.save(tmp_path / "no" / "folder.json")


@pytest.mark.parametrize(
    ("size", "summations", "tiers"),
    [
        (44, 11, 0),
        (60, 15, 0),
        (76, 19, 0),
        (220, 11, 4),
        (300, 15, 4),
        (380, 19, 4),
        (396, 11, 8),
        (540, 15, 8),
        (684, 19, 8),
    ],
)
def test_registers_are_counted_by_their_size(size, summations, tiers):
    dims = image_of(BT23=size).derive_dimensions()
    assert (dims.summations, dims.tiers) == (summations, tiers)
    assert TABLES["BT23"].size(dims) == size


@pytest.mark.parametrize("count", [1, 10, 22, 26, 41, 55, 72, 75, 84])
def test_present_values_are_counted_by_their_size(count):
    image = image_of(BT28=4 * count)
    dims = image.derive_dimensions()
    assert dims.present_values == count
    assert list(present.decode(image.read("BT28"), dims).values()) == [0] * count


def test_derived_tables_are_those_of_a_meter():
    image = MeterImage.load("image:denmark-gen3")
    dims = image.derive_dimensions()
    assert image.read("BT21") == image.read("BT20") == bytes.fromhex("03 00 00 0b 00 00 00 04 00 37")
    assert image.read("BT22") == bytes([*range(8), 26, 27, 28])
    assert image.read("BT27")[:4] == bytes([8, 9, 10, 11])
    used = tables_used(TABLES["BT00"].decode(image.read("BT00"), dims))
    assert used == {"BT00", "BT20", "BT21", "BT22", "BT23", "BT27", "BT28"}


def test_derived_gen4_meter_tells_apparent_energy_by_position():
    image = image_of(BT23=684, BT28=4 * 84, BT01=16)
    dims = image.derive_dimensions()
    assert image.read("BT22")[15:] == b"\xff" * 4
    assert SOURCES["apparent_energy_q4_t8"] in registers.sources(dims)
    assert len(image.read("BT00")) == 19 + 10 + 20 + 2 + 12 + 10 + 20


def test_tables_that_are_there_are_believed():
    image = MeterImage.load("image:denmark-optical")
    before = image.read("BT00")
    image.derive_dimensions()
    assert image.read("BT00") == before
    counted = TABLES["BT21"].encode({"summations": 15, "tiers": 4, "demands": 8, "occurrences": 1}, Dimensions())
    image = MeterImage({table_id("BT21"): bytearray(counted), table_id("BT23"): bytearray(1000)})
    assert image.derive_dimensions().demands == 8
    assert image.read("BT20") == counted


def test_oldest_meters_keep_bt20_only():
    image = MeterImage({table_id("BT20"): bytearray.fromhex("03 00 0c 0b 00 00 00 04 00 16")})
    assert image.derive_dimensions().present_values == 22
    assert "BT21" not in image


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({"BT23": 221}, "BT23 has 221 bytes.*add its BT21 and BT22"),
        ({"BT23": 0}, "BT23 has 0 bytes"),
        ({"BT28": 41}, "BT28 has 41 bytes"),
        ({"BT28": 4 * 85}, "BT28 has 340 bytes"),
        ({"BT28": 0}, "BT28 has 0 bytes"),
        ({"BT21": 9}, "BT21 has 9 bytes where 10 are needed"),
    ],
)
def test_impossible_sizes_are_refused(sizes, message):
    with pytest.raises(TableError, match=message):
        image_of(**sizes).derive_dimensions()


def test_reading_ends_where_the_table_ends():
    image = MeterImage({23: bytearray(range(10))})
    assert image.read("BT23", 8, 10) == b"\x08\x09"
    assert image.read(23, 10, 1) == image.read(23, 99) == b""
    for window in ((-1, 1), (0, -1)):
        with pytest.raises(MisuseError):
            image.read(23, *window)
    with pytest.raises(MisuseError, match="no BT28; it has BT23"):
        image.read("BT28")


def test_writing_stays_inside_the_table():
    image = MeterImage({23: bytearray(4)})
    image.write("BT23", b"\x01\x02\x03", 2)
    assert image.read(23) == b"\0\0\x01\x02"
    image.write(23, b"\x09", 7)
    assert image.read(23) == b"\0\0\x01\x02"
    with pytest.raises(MisuseError):
        image.write(23, b"", -1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "my.json, line 1, column 2"),
        ('{"tables":\n{"BT23": 1 2}}', "my.json, line 2, column 1"),
        ("[]", "must be an object"),
        ("{}", "tables is missing"),
        ('{"tables": [1]}', "tables is missing"),
        ('{"format": 2, "tables": {}}', "format is 2.*newer osgp"),
        ('{"meter": 3, "tables": {}}', "meter is 3; write a text"),
        ('{"tables": {"XX1": {}}}', "tables.XX1: 'XX1' is no table name"),
        ('{"tables": {"BT23": 1}}', "tables.BT23: hex is missing"),
        ('{"tables": {"BT23": {"hex": 1}}}', "tables.BT23: hex is missing"),
        ('{"tables": {"BT23": {"hex": "0"}}}', "tables.BT23.hex: .*two hex digits"),
        ('{"tables": {"BT23": {"hex": "00", "offset": 4}}}', "tables.BT23.offset is 4.*from byte 0"),
        ('{"tables": {"BT23": {"hex": "00", "bytes": 2}}}', "tables.BT23.hex has 1 bytes, but bytes says 2"),
        ('{"tables": {"BT23": {"hex": ""}, "bt023": {"hex": ""}}}', "tables.bt023: .*twice"),
        ("[" * 100_000, "no image of a meter"),
        ('{"format": ' + "9" * 5000 + "}", "no image of a meter"),
        (b"\xff\xfe\xff", "UTF"),
    ],
)
def test_malformed_files_say_where_and_what_to_mend(text, message):
    with pytest.raises(TableError, match=message):
        MeterImage.parse(text, "my.json")


def test_absurd_sizes_are_refused():
    with pytest.raises(TableError, match="more than any table"):
        MeterImage.parse(json.dumps({"tables": {"BT64": {"hex": "00" * ((1 << 20) + 1)}}}))
    with pytest.raises(TableError, match="more than 16 MiB"):
        MeterImage.parse(b" " * ((16 << 20) + 1))


@given(
    st.dictionaries(st.sampled_from(["BT20", "BT21", "BT22", "BT23", "BT27", "BT28", "ET03"]), st.binary(max_size=400))
)
def test_any_image_is_understood_or_refused_for_a_reason(tables):
    held = {name: {"hex": data.hex()} for name, data in tables.items()}
    image = MeterImage.parse(json.dumps({"tables": held}))
    try:
        dims = image.derive_dimensions()
    except TableError:
        return
    for decode, name in ((registers.decode, "BT23"), (present.decode, "BT28")):
        if name in image:
            decode(image.read(name), dims)


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_text_is_an_image_or_a_table_error(content):
    with contextlib.suppress(TableError):
        assert isinstance(MeterImage.parse(content), MeterImage)
