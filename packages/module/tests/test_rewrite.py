"""The rules, each on a few lines; and what no rule knows is refused."""

import importlib
import sys
import textwrap

import pytest

from nesmodule_build.rewrite.module import rewritten
from nesmodule_build.rewrite.refused import Refused
from nesmodule_build.shared import EVERYTHING


@pytest.fixture
def rewrite(tmp_path, monkeypatch):
    """Return a function that rewrites some lines, which must be a module that can be imported here."""
    monkeypatch.syspath_prepend(tmp_path)

    def run(text, **rules):
        source = "from __future__ import annotations\n" + textwrap.dedent(text)
        (tmp_path / "some_module.py").write_text(source)
        sys.modules.pop("some_module", None)
        importlib.invalidate_caches()
        return rewritten(
            source, "some_module", {one.name for one in EVERYTHING}, milliseconds=rules.get("ms", False)
        ).splitlines()

    yield run
    sys.modules.pop("some_module", None)


def test_types_and_documentation_are_gone(rewrite):
    lines = rewrite('''
        """Says something."""
        from collections.abc import Callable
        from typing import TYPE_CHECKING, Protocol
        if TYPE_CHECKING:
            from decimal import Decimal
        __all__ = ["a"]
        Taker = Callable[[int], str]
        class Likes(Protocol):
            def f(self) -> int: ...
        a: int = 1
        """What a is."""
        def g(x: int, /, *y: int, z: Taker | None = None) -> str:
            """Says more."""
            b: int
            return str(x)
    ''')
    assert lines == ["a = 1", "", "def g(x, *y, z=None):", "    return str(x)"]


def test_a_dataclass_becomes_a_class_with_the_same_init(rewrite):
    lines = rewrite("""
        from dataclasses import dataclass, field
        @dataclass(frozen=True, slots=True)
        class A:
            x: int
            y: list[int] = field(default_factory=list)
            z: str = field(default="", compare=False)
            n: int = field(default=3, init=False)
            def f(self) -> int:
                return self.x
    """)
    assert lines == [
        "from micropython_lacks import Data",
        "",
        "class A(Data):",
        "    _fields = ('x', 'y', 'z', 'n')",
        "    _compared = ('x', 'y', 'n')",
        "",
        "    def __init__(self, x, y=None, z=''):",
        "        self.x = x",
        "        self.y = list() if y is None else y",
        "        self.z = z",
        "        self.n = 3",
        "",
        "    def f(self):",
        "        return self.x",
    ]


def test_enumerations_become_their_values_and_plain_ones_their_names(rewrite):
    lines = rewrite("""
        from enum import Enum, IntEnum, StrEnum
        class A(IntEnum):
            X = 1
        class B(StrEnum):
            Y = "y"
        class C(Enum):
            Z = "a long word"
        def f(c: C, n: int) -> object:
            return c.name, A(n), list(B), C.Z
    """)
    assert lines[-2:] == ["def f(c, n):", "    return (c, n, list(B._members), C.Z)"]
    assert [line.strip() for line in lines if " = " in line][::2] == ["X = 1", "Y = 'y'", "Z = 'Z'"]


def test_match_becomes_if(rewrite):
    lines = rewrite("""
        from osgp.psem import PartialRead, Read
        def f(a):
            match a:
                case PartialRead(table, 0):
                    return table
                case Read() | None:
                    return 1
                case other:
                    return other
    """)
    assert lines[2:] == [
        "def f(a):",
        "    _matched_1 = a",
        "    if isinstance(_matched_1, PartialRead) and _matched_1.offset == 0:",
        "        table = _matched_1.table",
        "        return table",
        "    elif isinstance(_matched_1, Read) or _matched_1 is None:",
        "        return 1",
        "    else:",
        "        other = _matched_1",
        "        return other",
    ]


def test_what_the_library_lacks_comes_from_the_stand_ins(rewrite):
    lines = rewrite("""
        import hmac
        from collections import deque
        from struct import Struct
        S = Struct("<H")
        def f(a: bytearray, b: bytes) -> object:
            a.clear()
            del a[:2]
            deque(maxlen=3)
            return hmac.compare_digest(a, b), b.ljust(3), [*a, 1], int.from_bytes(b, "big", signed=True), isinstance(a, int | str)
    """)
    assert lines[0] == "from micropython_lacks import Struct, clear, compare_digest, ljust, signed_from_bytes"
    assert lines[-4:] == [
        "    clear(a)",
        "    a[:2] = b''",
        "    deque((), 3)",
        "    return (compare_digest(a, b), ljust(b, 3), list(a) + [1], signed_from_bytes(b, 'big'), isinstance(a, (int, str)))",
    ]


def test_seconds_become_milliseconds_and_quotients_are_rounded_up(rewrite):
    lines = rewrite(
        """
        A = 0.15
        B = float("-inf")
        def f(n: int) -> float:
            return n * 10 / 9600 + A
    """,
        ms=True,
    )
    assert lines == ["A = 150", "B = -1099511627776", "", "def f(n):", "    return -(-(n * 10 * 1000) // 9600) + A"]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("A = 0.5", "a number with a point"),
        ("def f(a):\n    return a / 2", "a number with a point"),
        ("def f(a):\n    return float(a)", "float is neither"),
        ("def f(a):\n    return a.removeprefix('x')", "removeprefix"),
        ("import re\ndef f(a):\n    return re.compile(a)", "re is not on the module"),
        ("from osgp.ports import transport\ndef f():\n    return transport", "osgp.ports is not on the module"),
        ("def f(a):\n    match a:\n        case [1, 2]:\n            return 1", "a pattern that is not known"),
        ("def f(a):\n    match a:\n        case int() if a > 1:\n            return 1", "a case with a guard"),
        ("def f(a):\n    try:\n        a()\n    except* ValueError:\n        pass", "TryStar"),
        ("from typing import NamedTuple\nclass A(NamedTuple):\n    x: int", "a NamedTuple"),
        (
            "from enum import Enum\nclass A(Enum):\n    X = 1\ndef f(a: A):\n    return a.value",
            "the value of a plain Enum",
        ),
        ("def f(a):\n    return [*a, *{*a}]", "a starred part"),
        ("def f(a):\n    return a.decode('ascii', errors='replace')", "a keyword"),
        ("def f():\n    class B:\n        pass", "a class inside"),
    ],
)
def test_what_no_rule_knows_is_refused_by_module_and_line(rewrite, text, named):
    with pytest.raises(Refused, match=f"^some_module, line \\d+: .*{named}"):
        rewrite(text)


def test_a_time_that_is_no_whole_millisecond_is_refused(rewrite):
    with pytest.raises(Refused, match="whole number of milliseconds"):
        rewrite("A = 0.0005", ms=True)
