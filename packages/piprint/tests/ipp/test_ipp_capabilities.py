"""What real printers' answers say, and what the settings say instead."""

from pathlib import Path

import pytest

from piprint.config.settings import PrinterConfig
from piprint.ipp.codec import Group, Range, attribute, decode
from piprint.ipp.registry import Delimiter, Operation, Tag
from piprint.printers.capabilities import capabilities_told, job_told, status_told, with_settings
from piprint.printers.printer import Capabilities, Media, PrinterState, PrinterStatus, SpoolerState

ANSWERS = Path(__file__).parent / "answers"
A4, LETTER = Media(21000, 29700, "iso_a4_210x297mm"), Media(21590, 27940, "na_letter_8.5x11in")


def _recorded(name):
    return decode((ANSWERS / f"{name}.ipp").read_bytes())[0].first(Delimiter.PRINTER)


def _collection(**sides):
    return tuple(
        attribute(name.replace("_", "-"), Tag.RANGE if isinstance(side, Range) else Tag.INTEGER, side)
        for name, side in sides.items()
    )


def test_a_raw_queue_tells_little():
    told = capabilities_told(_recorded("cups-2.4.2-raw-queue"))
    assert told.description == "Local Raw Printer"
    assert "application/pdf" in told.formats
    assert (told.media, told.media_ready, told.media_default, told.custom) == ((), (), None, None)
    assert (told.sources, told.sides, told.color, told.color_modes) == ((), (), None, ())
    assert (told.copies, told.copies_default, told.orientations) == (9999, 1, (3, 4, 5, 6))
    assert (told.holds, told.media_col) == (True, False)
    assert Operation.CREATE_JOB in told.operations


def test_a_queue_with_a_driver_tells_trays_and_sizes():
    told = capabilities_told(_recorded("cups-2.4.2-laserjet-ppd"))
    assert told.sources == ("auto", "tray-1", "tray-2", "tray-3", "tray-4", "manual", "envelope")
    assert {A4, LETTER, Media(14800, 21000, "iso_a5_148x210mm")} <= set(told.media)
    assert told.media_default == LETTER
    # The driver counts in points and says 148.52 x 209.9 mm.
    assert told.media_ready == ()  # CUPS calls ready what the driver knows
    assert (told.sides, told.color, told.media_col, told.holds) == (("one-sided",), False, True, True)


def test_a_printer_tells_what_is_in_its_trays():
    told = capabilities_told(_recorded("ippeveprinter-2.4.2"))
    assert told.media_ready == (("main", LETTER), ("by-pass-tray", Media(10477, 24130, "na_number-10_4.125x9.5in")))
    # 4.125 in, rounded as this printer rounds; it refuses 10478.
    assert [media.width for media in told.media if media.name.startswith("na_number-10")] == [10477]
    assert told.sides == ("one-sided", "two-sided-long-edge", "two-sided-short-edge")
    assert told.sources == ("auto", "main", "manual", "by-pass-tray")
    assert (told.color, told.color_modes, told.copies) == (False, ("monochrome",), 999)
    assert (told.holds, told.media_col) == (False, True)
    assert told.media_default == LETTER


def test_statuses_of_real_printers():
    assert status_told(_recorded("ippeveprinter-2.4.2")) == PrinterStatus(
        PrinterState.IDLE, message="Idle.", up_time=status_told(_recorded("ippeveprinter-2.4.2")).up_time
    )
    assert status_told(_recorded("cups-2.4.2-raw-queue")).reasons == ()


def test_a_printer_that_tells_nothing_can_still_be_tried():
    nothing = Group(Delimiter.PRINTER, ())
    assert capabilities_told(nothing) == Capabilities()
    assert status_told(nothing) == PrinterStatus(PrinterState.IDLE)
    assert job_told(nothing).state is SpoolerState.PENDING


def test_unknown_states_are_not_taken_for_final():
    for state in (attribute("job-state", Tag.ENUM, 99), attribute("job-state", Tag.UNKNOWN, None)):
        assert not job_told(Group(Delimiter.JOB, (state,))).state.final


@pytest.mark.parametrize(
    ("attributes", "custom"),
    [
        (
            (attribute("media-supported", Tag.KEYWORD, "custom_min_3x5in", "iso_a4_210x297mm", "custom_max_8.5x14in"),),
            (Media(7620, 12700), Media(21590, 35560)),
        ),
        (
            (
                attribute(
                    "media-size-supported",
                    Tag.BEGIN_COLLECTION,
                    _collection(x_dimension=21000, y_dimension=29700),
                    _collection(x_dimension=Range(5000, 21600), y_dimension=Range(8000, 120_000)),
                ),
            ),
            (Media(5000, 8000), Media(21600, 120_000)),
        ),
        ((attribute("media-supported", Tag.KEYWORD, "custom_max_8.5x14in"),), None),
    ],
)
def test_custom_sizes_are_told_by_name_or_by_range(attributes, custom):
    told = capabilities_told(Group(Delimiter.PRINTER, attributes))
    assert told.custom == custom
    assert all(not media.name.startswith("custom_m") for media in told.media)


def test_what_is_ready_without_trays_is_told_by_name():
    ready = attribute("media-ready", Tag.KEYWORD, "iso_a4_210x297mm", "photo", "na_letter_8.5x11in")
    assert capabilities_told(Group(Delimiter.PRINTER, (ready,))).media_ready == (("", A4), ("", LETTER))


def test_the_settings_lie_over_what_is_told():
    told = capabilities_told(_recorded("ippeveprinter-2.4.2"))
    assert with_settings(told, PrinterConfig(id="x")) == told
    assert with_settings(told, PrinterConfig(id="x", duplex=False)).sides == ("one-sided",)
    assert with_settings(told, PrinterConfig(id="x", duplex=True)).sides == told.sides
    papers = with_settings(told, PrinterConfig(id="x", paper=("A4", "nonsense", "62x29mm")))
    label = Media(6200, 2900, "custom_62x29mm_62x29mm")
    assert (papers.media_default, papers.media_ready) == (None, (("", A4), ("", label)))  # the first is no default
    assert with_settings(told, PrinterConfig(id="x", paper=("A4",))).media_default == A4
    assert papers.media == (*told.media, label)
    trays = with_settings(told, PrinterConfig(id="x", trays={"main": "Upper", "tray-9": "Lower"}))
    assert trays.sources == (*told.sources, "tray-9")
    colour = Capabilities(color=True, color_modes=("auto", "color", "monochrome"))
    grey = with_settings(colour, PrinterConfig(id="x", color=False))
    assert (grey.color, grey.color_modes) == (False, ("monochrome",))
    assert with_settings(Capabilities(), PrinterConfig(id="x", color=True)).color is True


@pytest.mark.parametrize(
    ("attributes", "field", "value"),
    [
        ((attribute("job-state-reasons", Tag.KEYWORD, "none"),), "reasons", ()),
        ((attribute("job-state-reasons", Tag.KEYWORD, "job-data-insufficient"),), "document_complete", False),
        ((attribute("job-state-reasons", Tag.KEYWORD, "job-incoming"),), "document_complete", False),
        ((attribute("number-of-documents", Tag.INTEGER, 0),), "document_complete", False),
        ((attribute("number-of-documents", Tag.INTEGER, 1),), "document_complete", True),
        ((), "document_complete", True),
        ((attribute("time-at-processing", Tag.INTEGER, 12),), "begun", 12),
        ((attribute("time-at-processing", Tag.NO_VALUE, None),), "begun", None),
        ((attribute("job-impressions-completed", Tag.INTEGER, 0),), "sheets", None),
        ((attribute("job-impressions-completed", Tag.INTEGER, 3),), "sheets", 3),
        (
            (
                attribute("job-printer-state-message", Tag.TEXT, "Out of paper"),
                attribute("job-state-message", Tag.TEXT, "Job stopped"),
            ),
            "message",
            "Out of paper; Job stopped",
        ),
        (
            (attribute("job-printer-state-message", Tag.TEXT, ""), attribute("job-state-message", Tag.TEXT, "Done.")),
            "message",
            "Done.",
        ),
    ],
)
def test_jobs(attributes, field, value):
    assert getattr(job_told(Group(Delimiter.JOB, attributes)), field) == value
