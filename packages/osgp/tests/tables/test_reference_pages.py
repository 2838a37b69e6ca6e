"""The committed pages of docs/reference are what the code says now."""

import importlib.util
from pathlib import Path

import pytest

from osgp.mep import states as mep
from osgp.mep import tls_states as tls_request
from osgp.mep.tls import states as tls
from osgp.optical import states as session
from osgp.optical.datalink import states as datalink
from osgp.sources import SOURCES
from osgp.tables import TABLES
from osgp.tables.schema.table import Bits, Filler

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="module")
def generator():
    spec = importlib.util.spec_from_file_location("generate_reference", ROOT / "tools" / "generate_reference.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["sources.md", "tables.md", "coverage.md", "links.md"])
def test_page_is_up_to_date(generator, name):
    committed = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert committed == generator.PAGES[name](), "run `make reference`"


def test_pages_name_everything(generator):
    page = generator.sources_page()
    assert all(f"| `{key}` |" in page for key in SOURCES)
    assert page.count("\n| `") == len(SOURCES)
    page = generator.tables_page()
    for table in TABLES.values():
        assert f"\n## {table.name}\n" in page
        for part in table.fields:
            if not isinstance(part, Filler):
                for name in [bit.name for bit in part.bits] if isinstance(part, Bits) else [part.name]:
                    assert f"| `{name}` |" in page


def test_check_tells_stale_pages(generator, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(generator, "REFERENCE", tmp_path)
    monkeypatch.setattr(generator, "PAGES", {"sources.md": generator.sources_page})
    assert generator.main(["--check"]) == 1
    assert "docs/reference/sources.md is out of date" in capsys.readouterr().out
    assert generator.main([]) == 0
    assert generator.main(["--check"]) == 0


def test_10_diagrams_show_every_move_of_every_table(generator):
    """Counted from the page and from the tables apart from each other."""
    page = generator.PAGES["links.md"]()
    drawn = sum(
        len(line.split(": ", 1)[1].split(", ")) for line in page.splitlines() if " --> " in line and ": " in line
    )
    tables = [
        mep.TRANSITIONS,
        tls_request.TLS_TRANSITIONS,
        tls.CLIENT,
        tls.SERVER,
        session.AFTER,
        *datalink.MOVES.values(),
    ]
    assert drawn == sum(len(row) for table in tables for row in table.values())  # type: ignore[attr-defined, misc]
    for state in [*mep.State, *tls_request.TlsState, *tls.Step, *session.State, *datalink.LinkState]:
        assert f"| `{state.name}` | {state.value} |" in page
