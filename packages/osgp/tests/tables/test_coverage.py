"""Done when 1: every table that a guide prints is declared; what shows it, docs/reference/coverage.md says."""

import re

from typer.main import get_command

from osgp.cli import app
from osgp.meter import Meter
from osgp.tables import TABLES
from printed_tables import NOT_YET_DECLARED, PRINTED, SHOWN, coverage_page

PROCEDURE_TABLES = {"BT07", "BT08"}
"""Their layout is printed with the procedures (MEP guide v1.1 p. 52), under no heading of their own."""


def test_1_every_printed_table_is_declared():
    assert len(PRINTED) == 74
    assert set(PRINTED) - set(TABLES) == NOT_YET_DECLARED, "a table that was declared is to be taken off this list"
    assert set(TABLES) - set(PRINTED) == PROCEDURE_TABLES


def test_1_the_page_has_a_row_for_each_and_calls_none_bytes_only_that_is_declared():
    rows = dict(re.findall(r"^\| \[?(\w+)\]?[^|]*\|[^|]*\|[^|]*\| ([^|]*) \|", coverage_page(""), re.MULTILINE))
    rows.pop("Table")
    assert set(rows) == set(PRINTED)
    assert {name for name, declared in rows.items() if declared == "bytes only"} == NOT_YET_DECLARED


def test_1_what_is_said_to_show_a_table_exists():
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]
    for name, (methods, shown_by, _) in SHOWN.items():
        assert name in TABLES
        assert all(callable(getattr(Meter, method)) for method in methods), name
        assert set(shown_by) <= commands, name


def test_1_pages_are_those_of_the_declarations():
    """The first page of each list is the one on which the heading stands."""
    for name, pages in PRINTED.items():
        if name in TABLES:
            declared = TABLES[name].pages
            guide, first = ("O", declared.rpartition("p. ")[2]) if declared.startswith("Optical") else ("M", declared)
            starts = dict(re.findall(r"([MO]) (\d+)", pages))
            if guide in starts:
                assert starts[guide] == re.match(r"\d+", first)[0], name
