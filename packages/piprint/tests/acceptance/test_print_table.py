"""The table of acceptance tests in README.md names tests that exist, for each of the twenty-one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
TABLE = (Path(__file__).parent / "README.md").read_text()
ROWS = {int(number): row for number, row in re.findall(r"^\| (\d+) \|(.*)$", TABLE, re.MULTILINE)}


def named_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text())
    return {
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    }


def test_all_twenty_one_are_in_the_table():
    assert list(ROWS) == list(range(1, 22))


def test_named_tests_exist():
    for number, row in ROWS.items():
        named = re.findall(r"`([^`]+\.py)(?:::(test_\w+))?`", row)
        assert named, f"{number} names no test"
        for file, test in named:
            found = named_in(TESTS / file)
            assert found, f"{number}: {file} has no tests"
            assert not test or test in found, f"{number}: {file} has no {test}"


def test_every_numbered_test_is_in_its_row():
    for path in (TESTS / "acceptance").glob("test_print_*.py"):
        for test in named_in(path):
            if numbered := re.match(r"test_(\d\d)_", test):
                row = ROWS[int(numbered[1])]
                assert test in row or f"acceptance/{path.name}`" in row, f"{test} is not in row {int(numbered[1])}"
