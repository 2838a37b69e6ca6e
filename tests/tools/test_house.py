"""The plan of the house: every folder says what it is for and what it does not know, and none has too many rooms."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "packages"
PAGES = [
    "nes2mqtt/src/nes2mqtt/outputs/web",
    "nes2mqtt/src/nes2mqtt/setup",
    "piprint/src/piprint/simulate/page",
    "piprint/src/piprint/web",
    "servicekit/src/servicekit",
]
"""Folders with the files of a page beside them, in ``static``."""
HOUSES = ["nes2mqtt", "nesmodule", "nesmodule_build", "osgp", "piprint", "servicekit"]
MOST = 17
"""Rooms at one level, so that a newcomer sees them at one look."""
LONGEST = 500
"""Lines of a module."""
FORMER_NAMES = {"process.py", "document_process.py"}
"""Of piprint: programs that people and running processors still start by the name they had."""


def floors(house: str) -> list[Path]:
    """Return the folders of a package that hold code, the package first."""
    source = next(PACKAGES.glob(f"*/src/{house}"))
    found = sorted(path.parent for path in source.rglob("__init__.py"))
    assert found[:1] == [source], "there is no such package"
    return found


def rooms(floor: Path) -> list[str]:
    files = [path.name for path in floor.glob("*.py") if path.name != "__init__.py"]
    folders = [path.parent.name for path in floor.glob("*/__init__.py")]
    return sorted({*files, *folders} - FORMER_NAMES)


@pytest.mark.parametrize("house", HOUSES)
def test_h1_no_folder_has_more_rooms_than_one_sees_at_a_look(house):
    many = {str(floor): rooms(floor) for floor in floors(house) if len(rooms(floor)) > MOST}
    assert not many


@pytest.mark.parametrize("house", HOUSES)
def test_h1_each_folder_says_what_it_is_for_and_what_it_does_not_know(house):
    silent = []
    for floor in floors(house)[1:]:
        told = ast.get_docstring(ast.parse((floor / "__init__.py").read_text())) or ""
        if len(told) < 100 or not re.search(r"This (?:room|package) .*\b(not|no|nothing)\b", told, re.DOTALL):
            silent.append(str(floor))
    assert not silent


@pytest.mark.parametrize("house", HOUSES)
def test_h1_no_module_is_longer_than_one_reads(house):
    modules = [path for floor in floors(house) for path in floor.glob("*.py")]
    long = {str(path): lines for path in modules if (lines := len(path.read_text().splitlines())) > LONGEST}
    assert not long


def folders_of_page(house: str) -> list[Path]:
    """Return the folders of a page's files, without those that others wrote."""
    static = PACKAGES / house / "static"
    folders = [static, *(path for path in static.rglob("*") if path.is_dir())]
    return [folder for folder in folders if folder.name != "vendor"]


def test_h1_no_page_is_left_out():
    assert {path.parent for path in PACKAGES.glob("*/src/**/static")} == {PACKAGES / house for house in PAGES}


@pytest.mark.parametrize("house", PAGES)
def test_h1_no_folder_of_a_page_has_more_files_than_one_sees_at_a_look(house):
    many = {str(folder): found for folder in folders_of_page(house) if (found := len(list(folder.iterdir()))) > MOST}
    assert not many


@pytest.mark.parametrize("house", PAGES)
def test_h1_no_script_or_style_sheet_is_longer_than_one_reads(house):
    files = [path for folder in folders_of_page(house) for path in folder.iterdir() if path.suffix in {".js", ".css"}]
    assert files
    long = {str(path): lines for path in files if (lines := len(path.read_text("utf-8").splitlines())) > LONGEST}
    assert not long
