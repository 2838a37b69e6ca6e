"""Tickets say nothing a printer cannot do, and nothing is replaced silently."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.config.settings import PrinterConfig, Rule
from piprint.config.wildcard import matches
from piprint.contract import PDF, ZPL
from piprint.documents.paper import PAPER_KINDS, is_same_size, media_name, media_size
from piprint.documents.payloads import JobPayload, PaperTray, validate_printer_payload
from piprint.documents.placement import MOST_MEASURED
from piprint.printers.capabilities import with_settings
from piprint.printers.printer import Capabilities, Media, Ticket
from piprint.printers.ticket.offer import is_chosen, offered, printer_payload, trays
from piprint.printers.ticket.options import make_ticket

A4 = Media(21000, 29700, "iso_a4_210x297mm")
A5 = Media(14800, 21000, "iso_a5_148x210mm")
LETTER = Media(21590, 27940, "na_letter_8.5x11in")
ENVELOPE = Media(11000, 22000, "iso_dl_110x220mm")

OFFICE = Capabilities(
    description="Office 5000",
    formats=frozenset({"application/pdf", "application/octet-stream"}),
    media=(A4, A5, LETTER),
    media_ready=(("tray-1", A4), ("tray-2", A5)),
    media_default=A4,
    custom=(Media(7600, 12700), Media(21600, 35600)),
    sources=("auto", "tray-1", "tray-2", "manual"),
    sides=("one-sided", "two-sided-long-edge", "two-sided-short-edge"),
    color=True,
    color_modes=("auto", "color", "monochrome"),
    copies=99,
    orientations=(3, 4, 5, 6),
    media_col=True,
    scalings=("auto", "fit", "fill", "none"),
)
SIMPLE = Capabilities(
    media=(A4,),
    media_default=A4,
    sides=("one-sided",),
    color=False,
    color_modes=("monochrome",),
    copies=1,
    sources=("main",),
)
SILENT = Capabilities()
PLAIN = PrinterConfig(id="office")
BOTH_SIDES = (
    "A rule asks for both sides, and this printer prints one side only, so it was printed one-sided. Choose another printer, "
    "or ask whoever looks after the print processor to change the rule."
)


def ticket(
    payload: JobPayload,
    capabilities: Capabilities = OFFICE,
    *rules: Rule,
    settings: PrinterConfig = PLAIN,
    **more: Any,
) -> tuple[Ticket, list[str]]:
    return make_ticket("bc-prod-7-1", payload, capabilities, settings, rules, printer_id="office", **more)


def test_all_settings_of_a_job_arrive() -> None:
    payload = JobPayload(copies=3, color=False, papertray=PaperTray(source=2, kind=11, landscape=False))
    made, notes = ticket(payload, OFFICE, Rule(sides="two-sided-long-edge"))
    assert made == Ticket(
        name="bc-prod-7-1", copies=3, sides="two-sided-long-edge", color_mode="monochrome", media=A5, source="tray-2"
    )
    assert notes == []


def test_p2_what_the_printer_offered_is_no_wish() -> None:
    backs = replace(OFFICE, sides_default="two-sided-long-edge", copies_default=2)
    for printer in (OFFICE, SIMPLE, SILENT, backs):
        offer = offered(printer, PLAIN)
        handed_back = JobPayload(
            copies=offer.copies, duplex=offer.duplex, color=offer.color, papertray=PaperTray(source=7, kind=9)
        )
        assert ticket(handed_back, printer) == ticket(JobPayload(), printer)
    assert ticket(JobPayload(duplex=True, color=True), backs) == (Ticket(name="bc-prod-7-1", copies=2), [])
    assert ticket(JobPayload(duplex=True, color=True), OFFICE) == (Ticket(name="bc-prod-7-1", sides="one-sided"), [])


def test_p2_what_the_printer_did_not_offer_was_chosen() -> None:
    made, notes = ticket(JobPayload(duplex=False, color=False, copies=2))
    assert (made.sides, made.color_mode, made.copies, notes) == ("one-sided", "monochrome", 2, [])


def test_p2_a_printer_that_must_not_use_both_sides_is_told_so() -> None:
    backs = replace(OFFICE, sides_default="two-sided-long-edge")
    settings = PrinterConfig(id="office", duplex=False)
    assert ticket(JobPayload(duplex=False), backs, settings=settings)[0].sides == "one-sided"


def test_a_job_that_asks_for_nothing_is_one_sided_where_the_printer_does_not_tell_what_it_does() -> None:
    assert ticket(JobPayload()) == (Ticket(name="bc-prod-7-1", sides="one-sided"), [])


def test_a_silent_printer_is_told_nothing() -> None:
    payload = JobPayload(copies=2, duplex=True, color=True, papertray=PaperTray(source=7, kind=9, landscape=True))
    made, notes = ticket(payload, SILENT)
    assert made == Ticket(name="bc-prod-7-1", copies=2)
    assert notes == []


def test_what_a_printer_cannot_do_is_replaced_and_told() -> None:
    payload = JobPayload(copies=3, duplex=True, color=True, papertray=PaperTray(source=2, kind=11))
    made, notes = ticket(payload, SIMPLE)
    assert made == Ticket(name="bc-prod-7-1", sides="one-sided", color_mode="monochrome", media=A4)
    assert notes == [
        "Paper A5 was asked for and is not in this printer, so it was printed on A4.",
        "3 copies were asked for, and this printer makes 1 at most, so 1 was printed. Print the others with further jobs.",
        "Tray Lower is not in this printer, so the paper came from where the printer takes it by itself.",
    ]


def test_one_page_is_not_told_to_be_one_sided() -> None:
    rule = Rule(sides="two-sided-long-edge")
    assert ticket(JobPayload(), SIMPLE, rule, pages=1)[1] == []
    assert ticket(JobPayload(), SIMPLE, rule, pages=2)[1] == [BOTH_SIDES]


@pytest.mark.parametrize(
    ("page_size", "landscape", "sides", "orientation"),
    [
        (None, None, "two-sided-long-edge", None),
        (None, True, "two-sided-short-edge", 4),
        ((29700, 21000), True, "two-sided-short-edge", 4),
        ((29700, 21000), False, "two-sided-short-edge", None),
        ((21000, 29700), True, "two-sided-long-edge", None),
    ],
)
def test_landscape(page_size: tuple[int, int] | None, landscape: object, sides: str, orientation: int | None) -> None:
    payload = JobPayload(papertray=PaperTray(landscape=landscape))
    made, notes = ticket(payload, OFFICE, Rule(sides="two-sided"), page_size=page_size, pages=2)
    assert (made.sides, made.orientation, notes) == (sides, orientation, [])


@pytest.mark.parametrize(
    ("tray", "media"),
    [
        (PaperTray(kind=11), A5),
        (PaperTray(kind=78), A5),  # A5Rotated: the same sheet
        (PaperTray(kind=0, width=14796, height=21006), A5),  # A5 in hundredths of an inch, and back
        (PaperTray(kind=0, width=21000, height=14800), A5),  # width and height changed over
        (PaperTray(kind=9), None),  # A4 is what we offered: nobody chose it
        (PaperTray(kind=77), None),
        (PaperTray(kind=0, width=20997, height=29693), None),
        (PaperTray(source=1, kind=9), A4),  # a tray was chosen, with what is in it
        (PaperTray(source=2), A5),
        (PaperTray(kind=0, width=10000, height=15000), Media(10000, 15000, "custom_100x150mm_100x150mm")),
        (PaperTray(kind=0, width=15000, height=10000), Media(10000, 15000, "custom_100x150mm_100x150mm")),
        (PaperTray(kind=0, width=10160, height=15240), Media(10160, 15240, "custom_101.6x152.4mm_101.6x152.4mm")),
        (PaperTray(kind=0), None),
        (PaperTray(), None),
    ],
)
def test_sheets(tray: PaperTray, media: Media | None) -> None:
    made, notes = ticket(JobPayload(papertray=tray))
    assert made.media == media
    assert notes == []


def test_where_nobody_names_a_paper_the_documents_own_is_taken_if_there_is_such() -> None:
    assert ticket(JobPayload(), page_size=(14800, 21000))[0].media == A5
    assert ticket(JobPayload(), page_size=(21000, 14800))[0].media == A5
    assert ticket(JobPayload(), page_size=(5000, 5000))[0].media is None
    assert ticket(JobPayload(), page_size=(21590, 27940))[0].media is None  # it could take Letter, but has none


@pytest.mark.parametrize(
    ("source", "keyword", "told"),
    [
        (7, "", False),  # what we offer first: nobody chose
        (1, "tray-1", False),
        (2, "tray-2", False),
        (4, "manual", False),
        (15, "", False),  # the default input bin
        (5, "", True),
        (257, "", False),  # Custom, where nobody chose
        (256, "auto", False),
        (258, "tray-2", False),
        (260, "", True),
        (None, "", False),
    ],
)
def test_trays(source: int | None, keyword: str, *, told: bool) -> None:
    made, notes = ticket(JobPayload(papertray=PaperTray(source=source)))
    assert made.source == keyword
    assert bool(notes) is told


def test_an_unknown_tray_is_named() -> None:
    _, notes = ticket(JobPayload(papertray=PaperTray(source=5)))
    assert notes == [
        "Tray Envelope is not in this printer, so the paper came from where the printer takes it by itself."
    ]


def test_settings_name_trays_and_papers_of_a_silent_queue() -> None:
    settings = PrinterConfig(
        id="q", paper=("A4", "DLEnvelope"), trays={"tray-1": "Upper", "manual": "Envelope"}, duplex=True, color=False
    )
    assert json.loads(printer_payload(SILENT, settings)) == {
        "version": 1,
        "duplex": True,
        "color": False,
        "defaultcopies": 1,
        "papertrays": [
            {"papersourcekind": 7, "paperkind": 9},
            {"papersourcekind": 1, "paperkind": 9},
            {"papersourcekind": 5, "paperkind": 27},
        ],
    }
    payload = JobPayload(duplex=True, papertray=PaperTray(source=5, kind=27))
    rule = Rule(sides="two-sided-long-edge")
    made, notes = ticket(payload, replace(SILENT, media_col=True), rule, settings=settings)
    assert made == Ticket(name="bc-prod-7-1", sides="two-sided-long-edge", media=ENVELOPE, source="manual")
    assert notes == ["This printer cannot be told to print in black only, so it printed as it is set."]


def test_papers_without_trays_are_chosen_by_tray_in_business_central() -> None:
    settings = PrinterConfig(id="labels", paper=("100x150mm", "62x29mm"))
    offer = json.loads(printer_payload(SILENT, settings))["papertrays"]
    assert [(tray["papersourcekind"], tray["width"], tray["height"]) for tray in offer] == [(7, 100, 150), (1, 62, 29)]
    made, notes = ticket(
        JobPayload(papertray=PaperTray(source=1, kind=0, width=6200, height=2900)), SILENT, settings=settings
    )
    assert (made.source, made.media, notes) == ("", Media(6200, 2900, "custom_62x29mm_62x29mm"), [])


def test_what_a_full_printer_offers() -> None:
    assert json.loads(printer_payload(OFFICE, PLAIN)) == {
        "version": 1,
        "description": "Office 5000",
        "duplex": True,
        "color": True,
        "defaultcopies": 1,
        "papertrays": [
            {"papersourcekind": 7, "paperkind": 9},
            {"papersourcekind": 1, "paperkind": 9},
            {"papersourcekind": 2, "paperkind": 11},
            {"papersourcekind": 4, "paperkind": 9},
        ],
    }


def test_a_printer_that_says_nothing_is_offered_as_pi_print_did() -> None:
    assert json.loads(printer_payload(SILENT, PLAIN)) == {
        "version": 1,
        "duplex": False,
        "color": True,
        "defaultcopies": 1,
        "papertrays": [{"papersourcekind": 7, "paperkind": 9}],
    }


def test_a_tray_that_is_added_renames_none() -> None:
    fewer = {tray.keyword: tray.source for tray in trays(OFFICE, PLAIN)}
    more = Capabilities(sources=(*OFFICE.sources, "tray-3", "envelope"))
    assert {tray.keyword: tray.source for tray in trays(more, PLAIN)}.items() >= fewer.items()


def test_p10_the_choice_of_a_tray_takes_its_paper_and_the_choice_of_a_paper_no_tray_of_a_rule_that_has_another() -> (
    None
):
    lower = JobPayload(papertray=PaperTray(source=2, kind=11))
    made, notes = ticket(lower, OFFICE, Rule(tray="tray-1", paper="A4"))
    assert (made.source, made.media, notes) == ("tray-2", A5, [])
    paper = JobPayload(papertray=PaperTray(source=7, kind=11))
    assert ticket(paper, OFFICE, Rule(tray="tray-1"))[0].source == ""
    assert ticket(paper, OFFICE, Rule(tray="tray-2"))[0].source == "tray-2"
    made, notes = ticket(paper, OFFICE, Rule(tray="tray-1", paper="A4", force=True))
    assert (made.source, made.media) == ("tray-1", A4)
    assert notes == ["A rule of the print processor decides about the paper here, so what was chosen did not count."]


def test_p10_the_printers_own_choice_comes_first_whatever_the_settings_call_it() -> None:
    settings = PrinterConfig(id="office", trays={"auto": "Upper"})
    table = trays(OFFICE, settings)
    assert [(each.source, each.keyword) for each in table[:2]] == [(1, "auto"), (3, "tray-1")]
    for each in table:
        made, _ = ticket(JobPayload(papertray=PaperTray(source=each.source, kind=9)), OFFICE, settings=settings)
        assert made.source == ("" if each.keyword == "auto" else each.keyword)


@pytest.mark.parametrize(
    ("page", "label"),
    [((4000, 2000), (6200, 2900)), ((10000, 15000), (10000, 15000)), ((21000, 29700), (10000, 15000))],
)
def test_p6_of_several_labels_the_smallest_is_taken_that_the_page_fits(page: Any, label: tuple[int, int]) -> None:
    settings = PrinterConfig(id="l", language="zpl", paper=("100x150mm", "62x29mm"))
    media = ticket(JobPayload(), SILENT, settings=settings, page_size=page)[0].media
    assert media is not None
    assert (media.width, media.height) == label


def test_p6_pages_that_nobody_measured_are_told() -> None:
    assert ticket(JobPayload(), pages=MOST_MEASURED)[1] == []
    assert "Only the first 100000 pages" in ticket(JobPayload(), pages=MOST_MEASURED + 1)[1][0]


def test_p6_a_scaling_that_is_left_out_of_raw_data_is_told() -> None:
    raw = PrinterConfig(id="r", language="raw")
    assert "left out" in ticket(JobPayload(), SILENT, Rule(scaling="none"), settings=raw)[1][0]
    assert ticket(JobPayload(), SILENT, Rule(sides="two-sided-long-edge"), settings=raw)[1] == []


def test_p2_each_note_knows_what_it_speaks_of() -> None:
    payload = JobPayload(copies=500, papertray=PaperTray(source=5, kind=8))
    rules = Rule(sides="two-sided-long-edge", color=True, scaling="fill")
    made, notes = ticket(payload, SIMPLE, rules, page_size=(29700, 42000))
    assert [text for text, _ in made.notes] == notes
    about = {name for _, names in made.notes for name in names}
    assert about == {"copies", "sides", "print-color-mode", "print-scaling", "media", "media-col"}


def test_a_later_rule_wins() -> None:
    rules = [
        Rule(copies=2, sides="two-sided-short-edge", tray="Lower", paper="A5"),
        Rule(printer="off*", report=1306, color=False, tray="manual", scaling="fit"),
        Rule(report_name="Standard*", company="cronus*", copies=4),
        Rule(printer="other", copies=9),
        Rule(report=5, copies=9),
        Rule(company="other", copies=9),
    ]
    payload = JobPayload(
        objectid=1306, objectname="Standard Sales - Invoice", companyname="CRONUS A/S", color=True, copies=1
    )
    made, notes = ticket(payload, OFFICE, *rules)
    assert made == Ticket(
        name="bc-prod-7-1",
        copies=4,
        sides="two-sided-short-edge",
        color_mode="monochrome",
        media=A5,
        source="manual",
        scaling="fit",
    )
    assert notes == []


def test_a_rule_with_a_condition_does_not_fit_a_job_that_tells_nothing() -> None:
    made, _ = ticket(
        JobPayload(), OFFICE, Rule(report=1, copies=9), Rule(report_name="?*", copies=9), Rule(company="?*", copies=9)
    )
    assert made.copies == 1


def test_a_rule_that_cannot_be_met_is_told() -> None:
    made, notes = ticket(JobPayload(), OFFICE, Rule(tray="roof", paper="A44"))
    assert (made.source, made.media) == ("", None)
    assert notes == [
        'A rule asks for paper "A44", which is no size; write A4, Letter or 100x150mm.',
        "Tray roof is not in this printer, so the paper came from where the printer takes it by itself.",
    ]


def test_notes_of_the_payload_come_along() -> None:
    assert ticket(JobPayload(notes=("cut",)))[1] == ["cut"]


@pytest.mark.parametrize(
    ("known", "format_"),
    [
        ({PDF, ZPL, "application/octet-stream"}, ZPL),
        ({PDF, "application/vnd.cups-raw", "application/octet-stream"}, "application/vnd.cups-raw"),
        ({PDF, "application/octet-stream"}, "application/octet-stream"),
        (set(), "application/octet-stream"),
    ],
)
def test_al_labels_are_never_called_a_pdf_so_that_no_filter_stops_a_queue(known: set[str], format_: str) -> None:
    for language in ("zpl", "raw"):
        told = ticket(
            JobPayload(documenttype=ZPL),
            Capabilities(formats=frozenset(known)),
            settings=PrinterConfig(id="r", language=language),
        )
        assert told[0].format == format_


def test_a_raw_queue_gets_raw_bytes() -> None:
    raw = PrinterConfig(id="r", language="raw")
    assert ticket(JobPayload(), SILENT, settings=raw)[0].format == "application/octet-stream"
    cups = Capabilities(formats=frozenset({"application/vnd.cups-raw", "application/octet-stream"}))
    assert ticket(JobPayload(), cups, settings=raw)[0].format == "application/vnd.cups-raw"


def test_a_printer_without_pdf_gets_to_guess_or_is_told_of() -> None:
    assert (
        ticket(JobPayload(), Capabilities(formats=frozenset({"application/octet-stream"})))[0].format
        == "application/octet-stream"
    )
    made, notes = ticket(JobPayload(), Capabilities(formats=frozenset({"image/urf"})))
    assert made.format == "application/pdf"
    assert notes == ["The printer does not say that it takes application/pdf; it was sent all the same."]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("*", "", True),
        ("inv*", "Invoice\n7", True),
        ("inv*", "an invoice", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("[ab]", "a", False),
        ("[ab]", "[AB]", True),
        ("a.c", "abc", False),
        ("**", "x", True),
    ],
)
def test_patterns(pattern: str, text: str, *, fits: bool) -> None:
    assert matches(pattern, text) is fits


KEYWORDS = [
    "auto",
    "tray-1",
    "tray-2",
    "manual",
    "envelope",
    "main",
    *(f"tray-{number}" for number in range(3, 21)),
    "x",
]
SIDES = ["one-sided", "two-sided-long-edge", "two-sided-short-edge"]
MEDIA = st.sampled_from([A4, A5, LETTER, ENVELOPE, Media(10000, 15000, "custom_100x150mm_100x150mm")])
CAPABILITIES = st.builds(
    Capabilities,
    description=st.text(max_size=300),
    formats=st.frozensets(st.sampled_from(["application/pdf", "application/octet-stream", "image/urf"])),
    media=st.lists(MEDIA, unique=True).map(tuple),
    media_ready=st.lists(st.tuples(st.sampled_from(["", *KEYWORDS]), MEDIA), max_size=5).map(tuple),
    media_default=st.none() | MEDIA,
    custom=st.none() | st.just((Media(5000, 5000), Media(21600, 35600))),
    sources=st.lists(st.sampled_from(KEYWORDS), unique=True).map(tuple),
    sides=st.lists(st.sampled_from(SIDES), unique=True).map(tuple),
    sides_default=st.sampled_from(["", *SIDES]),
    scalings=st.lists(st.sampled_from(["auto", "auto-fit", "fit", "fill", "none"]), unique=True).map(tuple),
    scaling_default=st.sampled_from(["", "auto", "fit", "fill", "none"]),
    media_col=st.booleans(),
    color=st.none() | st.booleans(),
    color_modes=st.lists(st.sampled_from(["auto", "color", "monochrome", "bi-level"]), unique=True).map(tuple),
    copies=st.none() | st.integers(1, 9999),
    copies_default=st.integers(1, 100_000),
    orientations=st.sampled_from([(), (3,), (3, 4)]),
)
SETTINGS = st.builds(
    PrinterConfig,
    id=st.just("p"),
    paper=st.lists(st.sampled_from(["A4", "Letter", "100x150mm", "nonsense"]), max_size=3).map(tuple),
    trays=st.dictionaries(
        st.sampled_from(KEYWORDS), st.sampled_from(["Upper", "Manual", "257", "300", "Roof"]), max_size=4
    ),
    duplex=st.none() | st.booleans(),
    color=st.none() | st.booleans(),
)
SIZES = st.sampled_from([(21000, 29700), (29700, 21000), (10000, 15000), (40000, 60000), (1, 1)])
JOBS = st.builds(
    JobPayload,
    copies=st.none() | st.integers(1, 32767),
    duplex=st.none() | st.booleans(),
    color=st.none() | st.booleans(),
    papertray=st.builds(
        lambda source, kind, landscape, size: PaperTray(source, kind, landscape, *(size if not kind else (None, None))),
        st.none() | st.integers(0, 300),
        st.none() | st.sampled_from([0, 0, *PAPER_KINDS, 48, 500]),
        st.none() | st.booleans(),
        SIZES | st.just((None, None)),
    ),
)
RULES = st.lists(
    st.builds(
        Rule,
        copies=st.none() | st.integers(1, 999),
        sides=st.none() | st.sampled_from([*SIDES, "two-sided"]),
        color=st.none() | st.booleans() | st.just("auto"),
        force=st.booleans(),
        tray=st.sampled_from(["", "tray-1", "Upper", "260", "roof"]),
        paper=st.sampled_from(["", "A4", "A3", "62x29mm", "nonsense"]),
    ),
    max_size=3,
)


@given(JOBS, CAPABILITIES, SETTINGS, RULES, st.none() | SIZES, st.none() | st.integers(1, 3))
def test_a_ticket_has_nothing_the_printer_cannot_do(
    payload: JobPayload,
    capabilities: Capabilities,
    settings: PrinterConfig,
    rules: list[Rule],
    page_size: tuple[int, int] | None,
    pages: int | None,
) -> None:
    made, notes = ticket(payload, capabilities, *rules, settings=settings, page_size=page_size, pages=pages)
    can = with_settings(capabilities, settings)
    assert 1 <= made.copies <= (can.copies or 999)
    assert made.sides in {*can.sides, ""}
    assert made.scaling in {*can.scalings, ""}
    assert made.color_mode in {*can.color_modes, ""}
    assert not (made.color_mode == "color" and can.color is False)
    assert made.source in {*can.sources, ""}
    assert made.orientation in {None, *can.orientations}
    assert not can.formats or made.format in can.formats or any("takes application/pdf" in note for note in notes)
    if made.media is not None:
        known = {*can.media, *(media for _, media in can.media_ready), can.media_default}
        within = can.custom is not None and all(
            low <= side <= high
            for low, side, high in (
                (can.custom[0].width, made.media.width, can.custom[1].width),
                (can.custom[0].height, made.media.height, can.custom[1].height),
            )
        )
        assert made.media in known or (within and made.media.name.startswith("custom_"))
        size = media_size(made.media.name)
        assert size is not None
        assert is_same_size(size, (made.media.width, made.media.height))


@given(JOBS, CAPABILITIES, SETTINGS)
def test_nothing_is_replaced_silently(payload: JobPayload, capabilities: Capabilities, settings: PrinterConfig) -> None:
    made, notes = ticket(payload, capabilities, settings=settings)
    offer = offered(capabilities, settings)
    if made.copies != payload.copies and payload.copies not in {None, offer.copies}:
        assert any("copies" in note for note in notes)
    kind = PAPER_KINDS.get(payload.papertray.kind or 0)
    if made.media is not None and kind is not None and kind.size is not None:
        same = is_same_size(kind.size, (made.media.width, made.media.height)) or is_same_size(
            kind.size, (made.media.height, made.media.width)
        )
        table = trays(capabilities, settings)
        echo = not is_chosen(payload.papertray.source, table, settings) and any(
            is_same_size(size, table[0].size) for size in (kind.size, kind.size[::-1])
        )
        assert same or echo or any("Paper" in note for note in notes)
    if payload.papertray.source in {2, 3, 5} and not made.source:
        by_source = {tray.source: tray.keyword for tray in trays(capabilities, settings)}
        assert by_source.get(payload.papertray.source) == "" or any("tray" in note.lower() for note in notes)


@given(CAPABILITIES, SETTINGS)
def test_what_is_offered_is_valid_and_comes_back_as_the_same_tray(
    capabilities: Capabilities, settings: PrinterConfig
) -> None:
    text = printer_payload(capabilities, settings)
    assert validate_printer_payload(text) == []
    by_source = {tray.source: tray for tray in trays(capabilities, settings)}
    told = json.loads(text)["papertrays"]
    assert [tray["papersourcekind"] for tray in told] == list(by_source)
    for tray in offered(capabilities, settings).trays:
        made, notes = ticket(
            JobPayload(papertray=PaperTray(tray.source, tray.kind, None, tray.width or None, tray.height or None)),
            capabilities,
            settings=settings,
        )
        chosen = is_chosen(tray.source, list(by_source.values()), settings)
        told = any("cannot be told to take paper from tray" in note for note in notes)
        assert made.source == (by_source[tray.source].keyword if chosen and not told else "")
        assert not told or not capabilities.media_col
        assert not any("is not in this printer, so the paper came" in note for note in notes)


def test_names_of_the_test_are_those_of_the_standard() -> None:
    for media in (A4, A5, LETTER, ENVELOPE):
        assert media_name((media.width, media.height)) == media.name


@given(JOBS, CAPABILITIES, SETTINGS, st.none() | SIZES)
def test_settings_may_be_laid_over_what_a_printer_told_twice(
    payload: JobPayload, capabilities: Capabilities, settings: PrinterConfig, page_size: tuple[int, int] | None
) -> None:
    once = with_settings(capabilities, settings)
    assert ticket(payload, once, settings=settings, page_size=page_size) == ticket(
        payload, capabilities, settings=settings, page_size=page_size
    )
    assert printer_payload(once, settings) == printer_payload(capabilities, settings)
