"""The filter language, by examples, by properties, and by the fuzz target's invariant."""

import importlib.util
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.contract import JOBS_API, PRINTER_WS, QUEUE_WS, JobState
from piprint.simulate.odata.pages import Tongue
from piprint.simulate.odata.query import FilterError, Order, parse_filter, parse_order

ROW = {
    "RowNo": 7,
    "PrinterRowNo": 2,
    "HostID": "it's a pi",
    "PrinterID": "office",
    "PrinterName": "Büro (1), links",
    "PrinterMessage": "",
    "Status": JobState.QUEUED,
    "Printed": datetime(2026, 11, 22, 12, tzinfo=UTC),
}


def passes(text, row=ROW, fields=QUEUE_WS.by_name, **options):
    return parse_filter(text, fields, Tongue().read, **options)(row.__getitem__)


@pytest.mark.parametrize(
    "text",
    [
        "RowNo eq 7",
        "RowNo ne 8 and RowNo gt 6 and RowNo ge 7 and RowNo lt 8 and RowNo le 7",
        "HostID eq 'it''s a pi'",
        "HostID eq 'it''s a pi' and Status eq 'Queued'",
        "(HostID eq 'it''s a pi') and (Status eq 'Queued' or Status eq 'Printing')",
        "startswith(HostID,'it''s')",
        "endswith(HostID, 'pi')",
        "contains(PrinterName,'(1), l')",
        "PrinterMessage eq ''",
        "Status ne 'Printed'",
        "Status eq 'OnHold' or Status eq 'Queued'",
        "Status eq 'Hold' or Status eq 'Queued'",
        "Printed ge 2026-11-22T13:00:00+01:00",
        "Printed lt 2026-11-22T12:00:00.001Z",
        "  ( ( RowNo eq 7 ) )  ",
        "RowNo gt -1",
    ],
)
def test_what_passes(text):
    assert passes(text)


@pytest.mark.parametrize(
    "text",
    [
        "RowNo eq 8",
        "HostID eq 'IT''S A PI'",
        "Status eq 'Error'",
        "RowNo eq 7 and RowNo eq 8",
        "startswith(HostID,'pi')",
    ],
)
def test_what_does_not(text):
    assert not passes(text)


def test_and_binds_stronger_than_or():
    assert passes("RowNo eq 7 or RowNo eq 1 and RowNo eq 2")
    assert not passes("(RowNo eq 7 or RowNo eq 1) and RowNo eq 2")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a field's name"),
        ("RowNo", "a comparison"),
        ("RowNo eq", "a value"),
        ("RowNo eq 7 and", "a field's name"),
        ("RowNo eq 7 7", "syntax error"),
        ("RowNo eq '7'", "no value for RowNo"),
        ("RowNo eq 7.5", "no value for RowNo"),
        ("HostID eq pi", "no value for HostID"),
        ("HostID eq 'pi", "closing apostrophe"),
        ("Status eq 'Kaputt'", "no value for Status"),
        ("Status eq 'I kø'", "no value for Status"),  # Danish, in an English session
        ("Printed eq yesterday", "no value for Printed"),
        ("Printed eq 0001-01-01T00:00:00+14:00", "no value for Printed"),
        ("Nothing eq 1", "property named 'Nothing'"),
        ("RowNo like 7", "not a comparison"),
        ("not RowNo eq 7", "property named 'not'"),
        ("7 eq RowNo", "property named '7'"),
        ("HostID eq 'a' or RowNo eq 7", "one field only"),
        ("RowNo in (7,8)", "schemaversion"),
        ("startswith(RowNo,'7')", "text field"),
        ("startswith(HostID 'a')", "','"),
        ("PDFPrintJobBASE64 eq ''", "made at each read"),
        ("(" * 50 + "RowNo eq 7" + ")" * 50, "too many brackets"),
        ("(RowNo eq 7", "')'"),
    ],
)
def test_what_is_refused(text, reason):
    with pytest.raises(FilterError, match=reason.replace("(", "[(]").replace(")", "[)]")):
        passes(text)


def test_in_needs_the_new_schema_version():
    assert passes("RowNo in (1, 7)", in_allowed=True)
    assert not passes("RowNo in (1)", in_allowed=True)


def test_booleans_guids_and_formulas():
    row = {"Enabled": True, "AutoDeleteJobsQueued": "-1M"}
    assert passes("Enabled eq true and AutoDeleteJobsQueued eq '-1M'", row, PRINTER_WS.by_name)
    assert not passes("Enabled eq false", row, PRINTER_WS.by_name)
    job = {"id": "0b9c1d2e-0000-4000-8000-0000000000aa"}
    assert passes("id eq 0B9C1D2E-0000-4000-8000-0000000000AA", job, JOBS_API.by_name)
    with pytest.raises(FilterError):
        passes("id eq 'x'", job, JOBS_API.by_name)
    with pytest.raises(FilterError):
        passes("Enabled eq 1", row, PRINTER_WS.by_name)


@given(text=st.text(max_size=40))
def test_any_text_can_be_asked_for_when_apostrophes_are_doubled(text):
    quoted = text.replace("'", "''")
    row = {**ROW, "HostID": text}
    assert passes(f"HostID eq '{quoted}'", row)
    assert passes(f"startswith(HostID,'{quoted}') and contains(HostID,'{quoted}')", row)
    assert not passes(f"HostID eq '{quoted}x'", row)


def test_orders():
    assert parse_order("RowNo desc, HostID", QUEUE_WS.by_name) == (Order("RowNo", descending=True), Order("HostID"))
    for wrong in ("", "RowNo down", "Nothing", "RowNo,", "PDFPrintJobBASE64", "RowNo asc desc"):
        with pytest.raises(FilterError):
            parse_order(wrong, QUEUE_WS.by_name)


def test_random_inputs_keep_the_fuzz_targets_invariant():
    path = Path(__file__).parents[4] / "fuzz" / "fuzz_filter.py"
    spec = importlib.util.spec_from_file_location("fuzz_filter_under_test", path)
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    source = random.Random("filter")
    for length in (0, 1, 5, 20, 60):
        for _ in range(400):
            target.check(bytes(source.choice((source.randrange(256), source.randrange(64))) for _ in range(length)))
