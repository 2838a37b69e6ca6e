"""Printer payloads: whatever is offered, Business Central takes it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.contract import units
from piprint.documents.paper import PAPER_KINDS, PAPER_SOURCES
from piprint.documents.payloads import (
    LARGEST_SIDE,
    LONGEST,
    PrinterPayload,
    Tray,
    build_printer_payload,
    validate_printer_payload,
)

SIDES = st.integers(-5, 10**12)
TRAYS = st.builds(
    Tray,
    source=st.sampled_from([*PAPER_SOURCES, 0, 12, 256, 300]),
    kind=st.sampled_from([0, 0, 0, *PAPER_KINDS, 48, 119, -1]),
    width=SIDES,
    height=SIDES,
    landscape=st.booleans(),
)
PAYLOADS = st.builds(
    PrinterPayload,
    trays=st.lists(TRAYS, max_size=30),
    description=st.text(max_size=400),
    duplex=st.booleans(),
    color=st.booleans(),
    copies=st.integers(-10, 100_000),
)


@given(PAYLOADS)
def test_every_payload_is_valid_and_fits(payload: PrinterPayload) -> None:
    text, _ = build_printer_payload(payload)
    assert validate_printer_payload(text) == []
    assert units(text) <= 2048


@given(PAYLOADS)
def test_nothing_is_left_out_silently(payload: PrinterPayload) -> None:
    text, dropped = build_printer_payload(payload)
    offered = json.loads(text)
    if payload.trays and len(offered["papertrays"]) < len(payload.trays):
        assert any("tray" in each for each in dropped)
    if payload.trays and not payload.trays[0].problem:
        assert offered["papertrays"][0]["papersourcekind"] == payload.trays[0].source  # the default tray stays first


def test_the_longest_payload_loses_its_description_only() -> None:
    trays = [Tray(source, 0, LARGEST_SIDE * 1000, LARGEST_SIDE * 1000, landscape=True) for source in PAPER_SOURCES]
    text, dropped = build_printer_payload(PrinterPayload(trays, '"' * 250, copies=32767))
    assert len(json.loads(text)["papertrays"]) == 14
    assert "description" not in json.loads(text)
    assert dropped == ["its description: there is no room for it"]
    assert units(text) <= LONGEST


def test_fourteen_custom_trays_keep_a_long_description() -> None:
    trays = [Tray(source, 0, 23600, 32200) for source in PAPER_SOURCES]
    text, dropped = build_printer_payload(PrinterPayload(trays, "x" * 300))
    assert dropped == []
    assert json.loads(text)["description"] == "x" * 249 + "…"


@pytest.mark.parametrize(
    ("size", "told"),
    [
        ((10000, 15000), {"units": "MM", "width": 100, "height": 150}),
        ((10160, 15240), {"units": "HI", "width": 400, "height": 600}),
        ((7237, 15240), {"units": "TI", "width": 2849, "height": 6000}),
    ],
)
def test_a_custom_size_is_told_in_whole_numbers(size: tuple[int, int], told: dict[str, object]) -> None:
    text, _ = build_printer_payload(PrinterPayload([Tray(1, 0, *size)]))
    tray = json.loads(text)["papertrays"][0]
    assert {key: tray[key] for key in told} == told


def test_a_printer_without_trays_is_offered_with_a4() -> None:
    text, dropped = build_printer_payload(PrinterPayload(trays=[]))
    assert json.loads(text)["papertrays"] == [{"papersourcekind": 7, "paperkind": 9}]
    assert len(dropped) == 1


MINIMUM = '{"version":1,"papertrays":[{"papersourcekind":"Upper","paperkind":"A4"}]}'


@pytest.mark.parametrize(
    "text",
    [
        MINIMUM,  # as documented
        MINIMUM.replace(
            "]", ',{"papersourcekind":"Custom","paperkind":"Custom","width":236,"height":322,"units":"mm"}]'
        ),
    ],
)
def test_microsofts_samples_are_valid(text: str) -> None:
    assert validate_printer_payload(text) == []


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "not JSON"),
        ("[]", "not a JSON object"),
        ("[" * 100_000, "not JSON"),
        (MINIMUM.replace("1", "2"), "version"),
        (MINIMUM.replace("1", "true"), "version"),
        (MINIMUM.replace("1", "NaN"), "not JSON"),
        (MINIMUM.replace('"version":1,', '"version":1,"version":1,'), "told twice"),
        ('{"version":1}', "papertrays"),
        ('{"version":1,"papertrays":[]}', "papertrays"),
        ('{"version":1,"papertrays":[1]}', "tray 1: not a JSON object"),
        (MINIMUM.replace("Upper", "Roof"), "papersourcekind"),
        (MINIMUM.replace('"Upper"', "12"), "papersourcekind"),
        (MINIMUM.replace("A4", "A44"), "paperkind"),
        (MINIMUM.replace('"A4"', "true"), "paperkind"),
        (MINIMUM.replace('"A4"', "0"), "height"),
        (MINIMUM.replace('"A4"', '0,"height":1,"width":0'), "width"),
        (MINIMUM.replace('"A4"', '0,"height":1,"width":2147483648'), "width"),
        (MINIMUM.replace('"A4"', '9,"units":"KM"'), "units"),
        (MINIMUM.replace('"A4"', '9,"landscape":1'), "landscape"),
        (MINIMUM.replace('"A4"', '9,"colour":1'), "'colour' is not a key"),
        (MINIMUM.replace("]", ',{"papersourcekind":1,"paperkind":8}]'), "Upper is told twice"),
        (MINIMUM.replace("1,", '1,"defaultcopies":32768,'), "defaultcopies"),
        (MINIMUM.replace("1,", '1,"defaultcopies":-1,'), "defaultcopies"),
        (MINIMUM.replace("1,", '1,"duplex":"yes",'), "duplex"),
        (MINIMUM.replace("1,", f'1,"description":"{"x" * 251}",'), "description"),
        (MINIMUM.replace("1,", f'1,"description":"{"x" * 2000}",'), "2048"),
        (MINIMUM.replace("1,", '1,"extra":0,'), "'extra' is not a key"),
    ],
)
def test_the_validator_finds(text: str, problem: str) -> None:
    assert any(problem in each for each in validate_printer_payload(text))


def test_fifteen_trays_are_too_many() -> None:
    tray = '{"papersourcekind":1,"paperkind":9}'
    assert "papertrays must be a list of 1 to 14 trays" in validate_printer_payload(
        f'{{"version":1,"papertrays":[{",".join([tray] * 15)}]}}'
    )
