"""What a printer's answers mean for a job: whose it is, whether it is held, and printers that can do less than others."""

import re
from contextlib import suppress
from dataclasses import replace

import pytest
from aiohttp import web

from piprint.config.settings import PrinterConfig
from piprint.errors import PrinterBusy, PrinterRefused
from piprint.ipp.codec import Group, Message, Range, attribute, encode
from piprint.ipp.registry import Delimiter, Operation, Status, Tag
from piprint.printers.backends.ipp_printer import IppPrinter, job_attributes
from piprint.printers.printer import Accepted, Capabilities, Media, PrinterAddress, SpoolerState, Ticket

A4 = Media(21000, 29700, "iso_a4_210x297mm")
HOLDS = attribute("job-hold-until-supported", Tag.KEYWORD, "no-hold", "indefinite")
RELEASES = attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB, Operation.RELEASE_JOB)


@pytest.fixture
async def ours(scripted):
    opened = IppPrinter(PrinterAddress("P", scripted.uri), PrinterConfig(id="P"), timeout=30)
    yield opened
    await opened.close()


def _reasons(*reasons):
    return attribute("job-state-reasons", Tag.KEYWORD, *reasons)


# ------------------------------------------------------------------------------------------------ is it held?


@pytest.mark.parametrize(
    ("state", "told", "held"),
    [
        (4, (_reasons("job-hold-until-specified"),), True),
        (4, (_reasons("job-incoming"), attribute("job-hold-until", Tag.KEYWORD, "indefinite")), True),
        # Held only because the document is not there yet: it would print as soon as it is.
        (4, (_reasons("job-data-insufficient"),), False),
        (4, (_reasons("job-incoming"), attribute("job-hold-until", Tag.KEYWORD, "no-hold")), False),
        # It took the attribute, but went on.
        (3, (_reasons("none"), attribute("job-hold-until", Tag.KEYWORD, "indefinite")), False),
    ],
)
async def test_only_what_the_printer_confirms_is_held(scripted, ours, state, told, held):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    scripted.answers[Operation.CREATE_JOB] = scripted.job(5, "n", 4)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n", state, *told)
    accepted = await ours.create(Ticket("n"))
    assert accepted == Accepted(5, "urn:uuid:5", "n", None, held)
    created = dict(zip(scripted.operations(), scripted.asked, strict=True))[Operation.CREATE_JOB][0]
    assert created.first(Delimiter.JOB).texts("job-hold-until") == ("indefinite",)


@pytest.mark.parametrize(
    "told", [(HOLDS,), (RELEASES,), (RELEASES, attribute("job-hold-until-supported", Tag.KEYWORD, "no-hold"))]
)
async def test_no_hold_is_asked_of_a_printer_that_cannot_hold_and_release(scripted, ours, told):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(*told)
    scripted.answers[Operation.CREATE_JOB] = scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    assert not (await ours.create(Ticket("n"))).held
    created = scripted.asked[scripted.operations().index(Operation.CREATE_JOB)][0]
    assert created.first(Delimiter.JOB).values("job-hold-until") == ()


async def test_a_hold_that_the_printer_says_it_does_not_know_is_not_asked_for_again(scripted, ours):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    hold = attribute("job-hold-until", Tag.KEYWORD, "indefinite")
    refusal = _answer(Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED, *_unsupported(hold))
    scripted.answers[Operation.CREATE_JOB] = [refusal, scripted.job(5, "n")]
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    await ours.create(Ticket("n"))
    assert scripted.operations().count(Operation.CREATE_JOB) == 2
    await ours.create(Ticket("n"))
    assert scripted.operations().count(Operation.CREATE_JOB) == 3


@pytest.mark.parametrize("refusals", range(1, 9))
@pytest.mark.parametrize("status", [Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED, Status.CONFLICTING_ATTRIBUTES])
async def test_p2_a_refusal_that_names_nothing_is_no_reason_to_stop_holding_the_next_job(
    scripted, ours, refusals, status
):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    scripted.answers[Operation.CREATE_JOB] = [*[status] * refusals, scripted.job(5, "n")]
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    with suppress(PrinterRefused):
        await ours.create(DUPLEX)
    scripted.answers[Operation.CREATE_JOB] = scripted.job(6, "n")
    await ours.create(Ticket("n"))
    (*_, last) = [message for message, _ in scripted.asked if message.code == Operation.CREATE_JOB]
    assert last.first(Delimiter.JOB).text("job-hold-until") == "indefinite"


async def test_a_ticket_refused_for_other_reasons_is_no_reason_to_stop_holding(scripted, ours):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    scripted.answers[Operation.CREATE_JOB] = Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED
    with pytest.raises(PrinterRefused):
        await ours.create(Ticket("n"))
    scripted.answers[Operation.CREATE_JOB] = scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(
        5, "n", 4, _reasons("job-hold-until-specified")
    )
    assert (await ours.create(Ticket("n"))).held


# ------------------------------------------------------------------------------------------------ is it ours?


@pytest.mark.parametrize(
    ("uuid", "name", "ours_still"),
    [
        ("urn:uuid:5", "bc-a-1-1", True),
        ("urn:uuid:5", "", True),  # CUPS hides names from other users
        ("", "bc-a-1-1", True),
        ("urn:uuid:5", "bc-a-2-1", False),
        ("urn:uuid:6", "bc-a-1-1", False),
        ("", "", False),
        ("", "bc-a-1-10", False),
    ],
)
async def test_a_job_is_ours_only_if_name_or_uuid_agree_and_none_contradicts(scripted, ours, uuid, name, ours_still):
    told = (attribute("job-id", Tag.INTEGER, 5), attribute("job-state", Tag.ENUM, 5))
    told += (attribute("job-uuid", Tag.URI, uuid), attribute("job-name", Tag.NAME, name))  # type: ignore[assignment]
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = (Group(Delimiter.JOB, told),)
    accepted = Accepted(5, "urn:uuid:5", "bc-a-1-1")
    assert (await ours.look(accepted) is not None) is ours_still
    await ours.cancel(accepted)
    assert (Operation.CANCEL_JOB in scripted.operations()) is ours_still


@pytest.mark.parametrize("status", [Status.NOT_FOUND, Status.GONE])
async def test_a_job_the_printer_has_forgotten_is_none(scripted, ours, status):
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = status
    assert await ours.look(Accepted(5, "u", "n")) is None


async def test_only_forgetting_is_none_other_refusals_are_errors(scripted, ours):
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = Status.NOT_AUTHORIZED
    with pytest.raises(PrinterRefused):
        await ours.look(Accepted(5, "u", "n"))


@pytest.mark.parametrize("status", [Status.NOT_POSSIBLE, Status.NOT_FOUND, Status.GONE])
async def test_a_job_that_ends_while_it_is_cancelled_is_no_error(scripted, ours, status):
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5)
    scripted.answers[Operation.CANCEL_JOB] = status
    await ours.cancel(Accepted(5, "", "bc-t-1-1"))
    assert Operation.CANCEL_JOB in scripted.operations()


async def test_a_job_that_cannot_be_cancelled_for_other_reasons_is(scripted, ours):
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5)
    scripted.answers[Operation.CANCEL_JOB] = Status.NOT_AUTHORIZED
    with pytest.raises(PrinterRefused):
        await ours.cancel(Accepted(5, "", "bc-t-1-1"))


async def test_a_release_that_fails_while_the_job_is_still_held_is_an_error(scripted, ours):
    scripted.answers[Operation.RELEASE_JOB] = Status.NOT_POSSIBLE
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(
        5, "bc-t-1-1", 4, _reasons("job-hold-until-specified")
    )
    with pytest.raises(PrinterRefused):
        await ours.release(Accepted(5, "", "bc-t-1-1", held=True))
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "bc-t-1-1", 5)
    await ours.release(Accepted(5, "", "bc-t-1-1", held=True))
    scripted.answers[Operation.RELEASE_JOB] = Status.NOT_AUTHORIZED
    with pytest.raises(PrinterRefused):
        await ours.release(Accepted(5, "", "bc-t-1-1", held=True))


async def test_a_job_that_ends_between_the_two_questions_is_found_once(scripted, ours):
    scripted.answers[Operation.GET_JOBS] = [scripted.job(5, "n", 5), scripted.job(5, "n", 9)]
    (found,) = await ours.find("n")
    assert (found.id, found.state) == (5, SpoolerState.COMPLETED)
    asked = [message.first(Delimiter.OPERATION) for message, _ in scripted.asked]
    assert [each.text("which-jobs") for each in asked] == ["not-completed", "completed"]
    assert [each.boolean("my-jobs") for each in asked] == [True, True]


# ------------------------------------------------------------------------------- a printer without Create-Job


async def test_a_printer_without_create_job_gets_job_and_document_together(scripted, ours, document):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(
        attribute("operations-supported", Tag.ENUM, Operation.PRINT_JOB, Operation.GET_JOBS),
        attribute("copies-supported", Tag.RANGE, Range(1, 99)),
    )
    ticket = Ticket("bc-t-1-1", copies=2)
    announced = await ours.create(ticket)
    assert announced == Accepted(0, "", "bc-t-1-1")
    assert scripted.operations() == [Operation.GET_PRINTER_ATTRIBUTES]
    assert await ours.look(announced) is None
    await ours.cancel(announced)

    scripted.answers[Operation.PRINT_JOB] = Status.BUSY
    with pytest.raises(PrinterBusy):
        await ours.send(announced, ticket, document)
    scripted.answers[Operation.PRINT_JOB] = scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(9)
    accepted = await ours.send(announced, ticket, document)
    assert accepted == Accepted(9, "urn:uuid:9", "bc-t-1-1")
    message, sent = scripted.asked[scripted.operations().index(Operation.PRINT_JOB)]
    assert message.first(Delimiter.OPERATION).text("job-name") == "bc-t-1-1"
    assert message.first(Delimiter.JOB).integer("copies") == 2
    assert sent == document.read_bytes()


@pytest.mark.parametrize("status", [Status.BUSY, Status.NOT_FOUND, Status.NOT_AUTHORIZED])
async def test_a_job_that_was_made_is_told_even_if_no_more_can_be_asked(scripted, ours, status):
    scripted.answers[Operation.CREATE_JOB] = scripted.job(5, "n", 4, _reasons("job-hold-until-specified"))
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = status
    assert await ours.create(Ticket("n")) == Accepted(5, "urn:uuid:5", "n", None, held=True)


async def test_only_a_printer_that_took_nothing_is_busy(scripted, ours, document):
    scripted.answers[Operation.SEND_DOCUMENT] = Status.BUSY
    with pytest.raises(PrinterRefused) as refusal:
        await ours.send(Accepted(5, "urn:uuid:5", "n"), Ticket("n"), document)
    assert refusal.value.status == Status.BUSY


async def test_a_printer_that_gives_no_job_id_is_refused(scripted, ours):
    scripted.answers[Operation.CREATE_JOB] = Status.OK
    with pytest.raises(PrinterRefused, match="no job-id"):
        await ours.create(Ticket("n"))


# ------------------------------------------------------------------------------------------------ the ticket


def _sent(ticket, **known):
    group = Group(Delimiter.JOB, tuple(job_attributes(ticket, Capabilities(**known))))
    return {each.name: group.values(each.name)[0] for each in group.attributes}, group


def test_what_the_ticket_leaves_open_is_not_sent():
    assert _sent(Ticket("n"))[0] == {}
    assert _sent(Ticket("n"), copies=99)[0] == {"copies": 1}


def test_a_size_without_a_tray_is_told_by_name():
    assert _sent(Ticket("n", media=A4), media_col=True)[0] == {"media": "iso_a4_210x297mm"}
    assert _sent(Ticket("n", media=Media(10000, 15050)))[0] == {"media": "custom_100x150.5mm_100x150.5mm"}


def test_a_tray_is_told_with_the_size_or_alone():
    _, group = _sent(Ticket("n", media=A4, source="tray-2"), media_col=True)
    (media,) = group.collections("media-col")
    (size,) = media.collections("media-size")
    assert (media.text("media-source"), size.integer("x-dimension"), size.integer("y-dimension")) == (
        "tray-2",
        21000,
        29700,
    )
    assert group.values("media") == ()
    _, group = _sent(Ticket("n", source="manual"), media_col=True)
    assert [each.attributes for each in group.collections("media-col")] == [
        (attribute("media-source", Tag.KEYWORD, "manual"),)
    ]


def test_a_tray_is_left_to_a_printer_that_knows_no_collections():
    assert _sent(Ticket("n", media=A4, source="tray-2"))[0] == {"media": "iso_a4_210x297mm"}


# ------------------------------------------------------------------------------------------------ what is not obeyed

DUPLEX = Ticket("n", sides="two-sided-long-edge", media=A4, copies=3)
NAMES = attribute("operations-supported", Tag.ENUM, Operation.CREATE_JOB, Operation.SEND_DOCUMENT)


def _unsupported(*attributes):
    return (Group(Delimiter.UNSUPPORTED, attributes),)


def _answer(status, *groups):
    return lambda message: web.Response(
        body=encode(Message(status, message.request_id, groups)), content_type="application/ipp"
    )


SIDES_LEFT_OUT = attribute("sides", Tag.KEYWORD, "two-sided-long-edge")
LEFT_OUT = "The printer did not take what was asked about {}, and did it as it is set; check the print."
UNNAMED = "The printer left out or changed one of the print settings and does not say which; check the print."
A_JOB = (Group(Delimiter.JOB, (attribute("job-id", Tag.INTEGER, 5), attribute("job-name", Tag.NAME, "n"))),)


@pytest.mark.parametrize(
    ("status", "left_out", "told"),
    [
        (Status.OK, (), ()),
        (
            Status.OK_IGNORED_OR_SUBSTITUTED,
            (SIDES_LEFT_OUT,),
            ("the sides of the paper",),
        ),
        (
            Status.OK_IGNORED_OR_SUBSTITUTED,
            (
                SIDES_LEFT_OUT,
                attribute("copies", Tag.INTEGER, 3),
                attribute("media-col", Tag.UNSUPPORTED, b""),  # not asked for
                attribute("media", Tag.UNSUPPORTED, b""),
            ),
            ("the number of copies, the sides of the paper and the paper",),
        ),
        (
            Status.OK_IGNORED_OR_SUBSTITUTED,
            (),
            (None,),
        ),
        (Status.OK_IGNORED_OR_SUBSTITUTED, (attribute("job-hold-until", Tag.KEYWORD, "indefinite"),), ()),
        (Status.OK, (SIDES_LEFT_OUT,), ("the sides of the paper",)),  # the group counts, not only the status
    ],
)
async def test_p2_what_the_printer_says_it_ignores_is_told(scripted, ours, status, left_out, told):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(NAMES)
    groups = _unsupported(*left_out) if left_out else ()
    scripted.answers[Operation.CREATE_JOB] = _answer(status, *groups, *A_JOB)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    accepted = await ours.create(DUPLEX)
    assert accepted.ignored == tuple(LEFT_OUT.format(words) if words else UNNAMED for words in told)
    (created,) = [message for message, _ in scripted.asked if message.code == Operation.CREATE_JOB]
    assert created.first(Delimiter.OPERATION).boolean("ipp-attribute-fidelity") is False


async def test_p2_a_printer_without_create_job_says_so_with_the_document(scripted, ours, document):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(
        attribute("operations-supported", Tag.ENUM, Operation.PRINT_JOB)
    )
    scripted.answers[Operation.PRINT_JOB] = _answer(
        Status.OK_IGNORED_OR_SUBSTITUTED, *_unsupported(SIDES_LEFT_OUT), *A_JOB
    )
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    sent = await ours.send(await ours.create(DUPLEX), DUPLEX, document)
    assert "sides of the paper" in sent.ignored[0]
    (printed,) = [message for message, _ in scripted.asked if message.code == Operation.PRINT_JOB]
    assert printed.first(Delimiter.OPERATION).boolean("ipp-attribute-fidelity") is False


async def test_p2_a_printer_that_refuses_a_value_gets_the_job_without_it(scripted, ours):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    refusal = _answer(Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED, *_unsupported(SIDES_LEFT_OUT))
    scripted.answers[Operation.CREATE_JOB] = [refusal, scripted.job(5, "n")]
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n", 4, _reasons("job-hold-until-specified"))
    accepted = await ours.create(DUPLEX)
    assert accepted.held  # the hold was not to blame
    assert accepted.ignored == (
        "The printer did not take what was asked about the sides of the paper, and did it as it is set; check the print.",
    )
    created = [message.first(Delimiter.JOB) for message, _ in scripted.asked if message.code == Operation.CREATE_JOB]
    assert [group.text("sides") for group in created] == ["two-sided-long-edge", ""]
    assert created[1].text("media") == "iso_a4_210x297mm"


def _refuses(*names):
    """Return a printer that refuses jobs with one of these attributes, and does not say why."""

    def answer(message):
        asked = {each.name for each in message.first(Delimiter.JOB).attributes}
        refused = not asked.isdisjoint(names)
        status = Status.ATTRIBUTES_OR_VALUES_NOT_SUPPORTED if refused else Status.OK
        return _answer(status, *(() if refused else A_JOB))(message)

    return answer


HOLD, MEDIA, SCALING = "job-hold-until", "media", "print-scaling"
ALL = Ticket("n", sides="two-sided-long-edge", media=A4, copies=3, scaling="fit", color_mode="color")


@pytest.mark.parametrize(
    ("refused", "left_out"),
    [
        ((MEDIA,), {MEDIA}),
        ((SCALING,), {SCALING}),
        (("copies",), {"copies"}),
        (("sides",), {"sides"}),
        ((HOLD,), {HOLD}),
        (("sides", "print-color-mode"), {MEDIA, SCALING, "sides", "print-color-mode"}),
        (("sides", "copies"), {MEDIA, SCALING, "sides", "print-color-mode", "copies"}),
        ((HOLD, MEDIA), {HOLD, MEDIA, SCALING, "sides", "print-color-mode"}),
        ((HOLD, "copies"), {HOLD, MEDIA, SCALING, "sides", "print-color-mode", "copies"}),
    ],
)
async def test_p2_a_printer_that_does_not_say_what_it_refuses_is_spared_as_little_as_helps(
    scripted, ours, refused, left_out
):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(HOLDS, RELEASES)
    scripted.answers[Operation.CREATE_JOB] = _refuses(*refused)
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    accepted = await ours.create(ALL)
    created = [message.first(Delimiter.JOB) for message, _ in scripted.asked if message.code == Operation.CREATE_JOB]
    first, last = ({each.name for each in created[place].attributes} for place in (0, -1))
    assert first - last == left_out
    told = {"media": "the paper", "copies": "the number of copies", "sides": "the sides of the paper"}
    for name, words in told.items():
        said = re.split(", | and ", " ".join(accepted.ignored).replace("asked about ", ", "))
        assert (words in said) is (name in left_out)
    assert len(created) <= 11


async def test_p2_what_the_printer_refuses_takes_back_what_was_to_be_told_of_it(scripted, ours):
    small, copies = "The page was made smaller.", "99 were printed."
    ticket = replace(ALL, notes=((small, (SCALING, "media")), (copies, ("copies",)), ("Cut.", ())))
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(NAMES)
    scripted.answers[Operation.CREATE_JOB] = _refuses("media")
    scripted.answers[Operation.GET_JOB_ATTRIBUTES] = scripted.job(5, "n")
    assert (await ours.create(ticket)).untrue == (small,)
    ignored = _unsupported(attribute("copies", Tag.INTEGER, 3))
    scripted.answers[Operation.CREATE_JOB] = _answer(Status.OK_IGNORED_OR_SUBSTITUTED, *ignored, *A_JOB)
    assert (await ours.create(ticket)).untrue == (copies,)


async def test_p2_what_is_not_about_the_ticket_is_refused_as_before(scripted, ours):
    scripted.answers[Operation.GET_PRINTER_ATTRIBUTES] = scripted.printer(NAMES)
    scripted.answers[Operation.CREATE_JOB] = Status.DOCUMENT_FORMAT_NOT_SUPPORTED
    with pytest.raises(PrinterRefused, match="document-format-not-supported"):
        await ours.create(DUPLEX)
    assert scripted.operations().count(Operation.CREATE_JOB) == 1
