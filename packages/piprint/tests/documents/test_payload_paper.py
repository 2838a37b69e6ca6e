"""The tables of papers agree with themselves and with the standard's rule that a name carries its size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.documents.paper import (
    PAPER_KINDS,
    PAPER_SOURCES,
    is_same_size,
    kind_by_name,
    kind_of_size,
    media_name,
    media_size,
    read_paper,
    source_by_name,
)


def test_all_kinds_of_dotnet_are_there() -> None:
    assert set(PAPER_KINDS) == set(range(119)) - {48, 49}
    assert len({kind.name for kind in PAPER_KINDS.values()}) == 117
    assert len(PAPER_SOURCES) == 14


@pytest.mark.parametrize(
    ("name", "number", "width", "height"),  # from Microsoft's reference
    [
        ("Letter", 1, 21590, 27940),
        ("Ledger", 4, 43180, 27940),
        ("A4", 9, 21000, 29700),
        ("B4", 12, 25000, 35300),
        ("Number10Envelope", 20, 10478, 24130),
        ("DLEnvelope", 27, 11000, 22000),
        ("B6Envelope", 35, 17600, 12500),
        ("USStandardFanfold", 39, 37782, 27940),
        ("JapaneseDoublePostcard", 69, 20000, 14800),
        ("A6", 70, 10500, 14800),
        ("A4Rotated", 77, 29700, 21000),
        ("PrcEnvelopeNumber10Rotated", 118, 45800, 32400),
    ],
)
def test_sizes_as_documented(name: str, number: int, width: int, height: int) -> None:
    kind = kind_by_name(name.lower())
    assert kind is not None
    assert kind.number == number
    assert kind.size is not None
    assert is_same_size(kind.size, (width, height))


def test_every_kind_but_custom_has_a_size_and_is_found_by_it() -> None:
    for kind in PAPER_KINDS.values():
        if kind.number:
            assert kind.size is not None
            found = kind_of_size(kind.size)
            assert found is not None
            assert found.number <= kind.number
        else:
            assert kind.size is None


@given(st.integers(1, 2_000_000), st.integers(1, 2_000_000))
def test_a_name_made_of_a_size_carries_it(width: int, height: int) -> None:
    size = media_size(media_name((width, height)))
    assert size is not None
    assert is_same_size(size, (width, height))


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("A4", (21000, 29700)),
        (" letter ", (21590, 27940)),
        ("100x150mm", (10000, 15000)),
        ("100 x 150 mm", (10000, 15000)),
        ("4x6in", (10160, 15240)),
        ("na_index-4x6_4x6in", (10160, 15240)),
        ("custom_62x100mm_62x100mm", (6200, 10000)),
        ("Custom", None),
        ("A44", None),
        ("0x5mm", None),
        ("5x5", None),
        ("1e3x5mm", None),
        ("٣x٤mm", None),
        ("", None),
    ],
)
def test_papers_as_people_write_them(text: str, size: tuple[int, int] | None) -> None:
    assert read_paper(text) == size


@pytest.mark.parametrize(
    ("text", "number"), [("upper", 1), ("257", 257), ("300", 300), ("9" * 9, None), ("²", None), ("x", None)]
)
def test_sources_by_name_and_number(text: str, number: int | None) -> None:
    assert source_by_name(text) == number


def test_standard_names_come_before_custom_ones() -> None:
    assert media_name((21000, 29700)) == "iso_a4_210x297mm"
    assert media_name((21001, 29741)) == "iso_a4_210x297mm"
    assert media_name((10160, 15240)) == "na_index-4x6_4x6in"
    assert media_name((6200, 10050)) == "custom_62x100.5mm_62x100.5mm"
