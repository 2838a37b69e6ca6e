"""Job payloads: read as far as they go, and never a reason not to print."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piprint.documents.payloads import JobPayload, PaperTray, read_job_payload

SAMPLE = {  # the sample of Microsoft's documentation, with the keys of newer versions behind it
    "filterviews": [
        {"name": "Header", "tableid": 112, "view": "VERSION(1) SORTING(Field3) WHERE(Field3=1(103027))"},
        {"name": "Line", "tableid": 113, "view": "VERSION(1) SORTING(Field3,Field4) WHERE(Field4=1(0..10000))"},
    ],
    "version": 1,
    "objectname": "Standard Sales - Invoice",
    "objectid": 1306,
    "documenttype": "application/pdf",
    "invokedby": "00000000-0000-0000-0000-000000000001",
    "invokeddatetime": "2020-01-17T15:33:52.48+01:00",
    "companyname": "CRONUS International Ltd.",
    "printername": "My Printer",
    "duplex": False,
    "color": True,
    "defaultcopies": 1,
    "papertray": {
        "papersourcekind": 257,
        "paperkind": 0,
        "landscape": False,
        "units": 0,
        "height": 1268,
        "width": 929,
    },
    "intent": "Print",
    "layoutmodel": "Rdlc",
    "reportrunid": "c08679d0-a879-4afd-a4ca-b8a63a021f0a",
}


def test_microsofts_sample() -> None:
    payload = read_job_payload(json.dumps(SAMPLE))
    assert payload.papertray == PaperTray(257, 0, landscape=False, width=23597, height=32207)
    assert (payload.copies, payload.duplex, payload.color) == (1, False, True)
    assert (payload.objectname, payload.objectid) == ("Standard Sales - Invoice", 1306)
    assert payload.companyname == "CRONUS International Ltd."
    assert payload.documenttype == "application/pdf"
    assert payload.reportrunid == "c08679d0-a879-4afd-a4ca-b8a63a021f0a"
    assert payload.notes == ()


def tray(**more: object) -> JobPayload:
    return read_job_payload(json.dumps({"papertray": more}))


@pytest.mark.parametrize(
    ("told", "source", "kind"),
    [
        ({"papersourcekind": 1, "paperkind": 9}, 1, 9),
        ({"papersourcekind": "Upper", "paperkind": "A4"}, 1, 9),
        ({"papersourcekind": "upper", "paperkind": "a4"}, 1, 9),
        ({"papersourcekind": "1", "paperkind": "9"}, 1, 9),
        ({"papersourcekind": 1.0, "paperkind": 9.0}, 1, 9),
        ({"papersourcekind": "_x0041_utomaticFeed", "paperkind": "A4_x0052_otated"}, 7, 77),
        ({"papersourcekind": 260}, 260, None),
        ({}, None, None),
    ],
)
def test_names_and_numbers(told: dict[str, object], source: int | None, kind: int | None) -> None:
    payload = tray(**told)
    assert (payload.papertray.source, payload.papertray.kind) == (source, kind)
    assert payload.notes == ()


@pytest.mark.parametrize(
    "told", [{"papersourcekind": "Roof"}, {"paperkind": [[1]]}, {"paperkind": -1}, {"paperkind": 1e400}]
)
def test_what_dotnet_does_not_have_is_told(told: dict[str, object]) -> None:
    payload = tray(**told)
    assert payload.papertray == PaperTray()
    assert "it was left to the printer" in payload.notes[0]


@pytest.mark.parametrize(
    ("unit", "width", "hundredths"),
    [
        (0, 400, 10160),
        ("HI", 400, 10160),
        ("Display", 400, 10160),
        (1, 4000, 10160),
        ("TI", 4000, 10160),
        (2, 10160, 10160),
        ("3", 1016, 10160),
        (3.0, 1016, 10160),
        (True, 1016, None),
        ("TenthsOfAMillimeter", 1016, 10160),
        ("IN", 4, 10160),
        ("cm", 10.16, 10160),
        ("mm", "101.6", 10160),
        ("PC", 24, 10160),
        ("PT", 288, 10160),
        ("_x004D_M", 101.6, 10160),
        ("ell", 4, None),
        (99, 4, None),
        (0, 0, None),
        (0, -4, None),
        (0, 1e300, None),
        (0, float("nan"), None),
        (0, True, None),
    ],
)
def test_units(unit: object, width: object, hundredths: int | None) -> None:
    read = tray(paperkind=0, units=unit, width=width, height=width).papertray
    assert read.width == hundredths
    assert (read.width is None) == (read.height is None)


def test_the_size_beside_a_standard_paper_means_nothing() -> None:
    assert tray(paperkind=9, units=0, width=100, height=100).papertray == PaperTray(kind=9)


@pytest.mark.parametrize("value", [0, -1, "two", None, 1e99, True, [2], 2_000_000_000])
def test_copies_that_are_no_number_of_copies(value: object) -> None:
    payload = read_job_payload(json.dumps({"defaultcopies": value}))
    assert payload.copies is None
    assert bool(payload.notes) is (value not in (0, None) or value is False)


@pytest.mark.parametrize(
    ("value", "read"), [(True, True), ("true", True), ("False", False), (0, False), ("", None), (2, None)]
)
def test_truth(value: object, read: object) -> None:
    assert read_job_payload(json.dumps({"duplex": value})).duplex is read


@pytest.mark.parametrize(
    "text", ["", " ", "nonsense", "[]", "null", '"x"', "{", '{"defaultcopies":1' + "0" * 5000 + "}", "[" * 99_999]
)
def test_what_is_not_a_payload_prints_with_a_note(text: str) -> None:
    payload = read_job_payload(text)
    assert payload == JobPayload(notes=payload.notes)
    assert len(payload.notes) == 1
    assert "printed as the printer is set" in payload.notes[0]


def test_a_payload_may_break_off_anywhere() -> None:
    text = json.dumps(SAMPLE, separators=(",", ":"))
    whole = read_job_payload(text)
    told = {key for key in SAMPLE if key in JobPayload.__dataclass_fields__}
    for length in range(len(text)):
        part = read_job_payload(text[:length])
        assert part.notes
        for name in told - {"papertray"}:
            assert getattr(part, name) in {getattr(whole, name), None, "", ()}, (length, name)
        for side in PaperTray.__dataclass_fields__:
            assert getattr(part.papertray, side) in {getattr(whole.papertray, side), None}, (length, side)


def test_a_tray_that_breaks_off_gives_what_it_has() -> None:
    text = json.dumps(SAMPLE)
    part = read_job_payload(text[: text.index('"landscape"')])
    assert (part.papertray.source, part.papertray.kind, part.copies) == (257, 0, 1)
    assert part.notes[0].startswith(
        "The print settings from Business Central are cut or damaged: only color, companyname,"
    )


def test_a_payload_of_megabytes_is_bounded() -> None:
    views = [{"name": "x", "tableid": 1, "view": "y" * 5000}] * 150
    payload = read_job_payload(json.dumps({"defaultcopies": 3, "filterviews": views, "objectname": "z" * 100_000}))
    assert payload.copies == 3
    assert len(payload.objectname) == 2048
    assert read_job_payload('{"defaultcopies":3,"x":"' + "x" * 2_000_000).copies == 3


def test_a_byte_order_mark_is_no_fault() -> None:
    assert read_job_payload('\ufeff{"defaultcopies":2}').copies == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from([*SAMPLE, *SAMPLE["papertray"], "x"]), inner)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize("key", ["papertray", "x"])
def test_objects_within_each_other_without_end_are_no_error(key: str) -> None:
    (note,) = read_job_payload(f'{{"{key}":' * 70_000).notes
    assert "cut or damaged" in note


@settings(max_examples=300)
@given(JSON, st.integers(0, 200))
def test_no_json_is_an_error_also_when_cut(value: object, cut_off: int) -> None:
    text = json.dumps(value)
    for each in (text, text[: len(text) - cut_off], text[:cut_off]):
        payload = read_job_payload(each)
        assert payload.copies is None or 1 <= payload.copies <= 32767
        assert payload.papertray.width is None or 0 < payload.papertray.width < 1_000_000
