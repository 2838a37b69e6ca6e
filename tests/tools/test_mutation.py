"""The changes that ``make mutation`` makes by itself, and those that it leaves out because no test could see them."""

from __future__ import annotations

import ast

import pytest

import mutation_changes

TABLE = """MOVES = {
    "Größe": {1, 2},  # two bytes for one letter
    "b": frozenset({3}),
    **more,
}
"""


def test_each_element_of_a_table_is_taken_out_once():
    found = {
        ast.unparse(ast.parse(mutation_changes.without(TABLE, number)))
        for number in range(len(mutation_changes.elements(TABLE)))
    }
    assert found == {
        "MOVES = {'b': frozenset({3}), **more}",
        "MOVES = {'Größe': {2}, 'b': frozenset({3}), **more}",
        "MOVES = {'Größe': {1}, 'b': frozenset({3}), **more}",
        "MOVES = {'Größe': {1, 2}, **more}",
    }


@pytest.mark.parametrize(
    ("before", "after", "seen"),
    [
        ("def f(a: int | None): ...", "def f(a: int ** None): ...", False),
        ("def f() -> int | None: ...", "def f() -> int - None: ...", False),
        ("async def f(a, *, b=1): ...", "async def f(a, /, b=1): ...", False),
        ("a: int | None = 1", "a: int // None = 1", False),
        ("@dataclass(frozen=True)\nclass A: ...", "@dataclass(frozen=False)\nclass A: ...", False),
        ("@dataclass(order=True)\nclass A: ...", "@dataclass(order=False)\nclass A: ...", True),
        ("def f(a, *, b=1): ...", "def f(a, *, b=2): ...", True),
        ("def f(a): return a + 1", "def f(a): return a - 1", True),
        ("a: int = 1", "a: int = 2", True),
    ],
)
def test_a_change_of_types_alone_is_left_out(before, after, seen):
    assert mutation_changes.is_seen(before, after) == seen
