"""The rules, each on a few lines; and what no rule knows is refused."""

import importlib
import sys
import textwrap
import types

import pytest

from nesmodule_build.rewrite.joined import Joined
from nesmodule_build.rewrite.module import rewritten
from nesmodule_build.rewrite.refused import Refused
from nesmodule_build.rewrite.shaken import shaken
from nesmodule_build.rewrite.short import Short
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


def short(*texts, names=("first", "second")):
    made = Short([textwrap.dedent(text) for text in texts])
    return [made.module(textwrap.dedent(text), name, name) for text, name in zip(texts, names, strict=False)]


def test_whole_numbers_are_written_where_they_are_used():
    first, second = short(
        """
        WEEK = 7 * 24
        _DAY, _HOUR = -24, 1 << 2
        TEXT = "t"
        def f(a):
            return WEEK + _DAY + a
        """,
        """
        import first
        from first import WEEK, f
        def g():
            WEEKS = 3
            return WEEK * WEEKS + f(1)
        """,
    )
    assert first == "TEXT = 't'\n\ndef f(_a):\n    return 168 + -24 + _a\n"
    assert second == "import first\nfrom first import f\n\ndef g():\n    WEEKS = 3\n    return 168 * WEEKS + f(1)\n"


def test_a_number_that_changes_keeps_its_name():
    (text,) = short("_COUNT = 1\ndef f():\n    global _COUNT\n    _COUNT = 2\n")
    found = {}
    exec(text + "\nbefore = {**globals()}\nf()\n", found)
    (name,) = [one for one, value in found.items() if value == 2]
    assert found["before"][name] == 1


def test_private_names_are_short_and_never_those_of_the_class_above():
    first, second = short(
        """
        class A:
            def __init__(self, value, *, unit):
                self._value = value
                self._unit = unit
        """,
        """
        from first import A
        class B(A):
            def __init__(self, value):
                super().__init__(value, unit=2)
                self._more = value
        """,
    )
    found = {}
    exec(first + second.replace("from first import A", "") + "\nb = B(5)", found)
    assert sorted(vars(found["b"]).values()) == [2, 5, 5]
    assert "_value" not in first + second
    assert "unit" in first, "an argument that is given by its name keeps it"


def test_a_private_name_of_another_module_is_refused():
    with pytest.raises(Refused, match="_f is private to first"):
        short("def _f():\n    pass\n", "from first import _f\n")
    with pytest.raises(Refused, match="_x is private to another module"):
        short("", "def f(a):\n    return a._x\n")


def test_names_that_are_said_as_text_stay():
    (text,) = short(
        "class A:\n    def __init__(self):\n        self._x = 1\n    def f(self):\n        return getattr(self, '_x')\n"
    )
    found = {}
    exec(text + "\nx = A().f()", found)
    assert found["x"] == 1


def joined(**texts):
    made = Joined()
    for name, text in texts.items():
        made.take(textwrap.dedent(text), name, "late" if name.startswith("late") else "early")
    return made


def test_joined_modules_keep_apart_what_they_call_alike():
    parts = joined(
        first="""
            import struct
            from collections import deque as queue
            def f(x):
                return x + 1
            def size():
                return struct.calcsize("H")
            class A:
                f = 7
                def size(self):
                    return size() + self.f
        """,
        second="""
            import struct
            import first
            from first import A, size as of_first
            def f(x, *, more=of_first()):
                size = 100
                return size + x + more
            def size(values):
                return [f for f in values] + [f(size) for size in values]
            def format(text):
                return text
            def g():
                def size():
                    return 5
                return size()
        """,
        late="""
            from second import f, size
            from first import f as other
            import struct
            result = (f(1), size([1, 2]), other(1), struct.calcsize("I"))
        """,
    ).parts()
    early = {}
    exec(parts["early"].replace("import first\n", ""), early)
    assert (early["A"]().size(), early["g"](), early["f"](1)) == (9, 5, 2)
    assert "format" not in early, "a builtin is no name for something else, where others use it"
    assert parts["late"].startswith("from early import f, f2, size2\n")
    sys.modules["early"] = types.ModuleType("early")
    vars(sys.modules["early"]).update(early)
    late = {}
    exec(parts["late"], late)
    del sys.modules["early"]
    assert late["result"] == (103, [1, 2, 103, 104], 2, 4)


def test_values_of_a_joined_module_are_there_by_themselves():
    made = Joined()
    made.take("size = 3\n", "some.plan", "early")
    made.take("from some import plan\nsize = plan.size + 1\n", "user", "early")
    found = {}
    exec(made.parts()["early"], found)
    assert (found["size"], found["size2"]) == (3, 4)
    assert made.apart("from user import size\ndef f():\n    from some.plan import size as other\n", "test") == (
        "from early import size2 as size\n\ndef f():\n    from early import size as other\n"
    )


def test_what_was_dropped_cannot_be_imported_from_a_joined_module():
    made = joined(first="a = 1\n")
    with pytest.raises(Refused, match="b is no name of first"):
        made.take("from first import b\n", "second", "early")


def test_what_nobody_asks_for_is_left_out():
    texts = {
        "first": "def used():\n    pass\n\ndef unused():\n    return unused\n\nclass A:\n    x = 1\n    y = 2\n\n    def read(self):\n        return self.x\n\n    def f(self):\n        return gone()\n",
        "second": "from first import A, used, renamed as other\nfrom first import gone\nz = open('name')\nw = 1\n\ndef main():\n    return getattr(A, 'said')\n\ndef said():\n    used(other)\n",
    }
    texts["first"] += "\ndef renamed():\n    pass\n\ndef gone():\n    pass\n"
    left = shaken(texts, {"main"})
    assert (
        left["first"]
        == "def used():\n    pass\n\nclass A:\n    x = 1\n\n    def read(self):\n        return self.x\n\ndef renamed():\n    pass\n"
    )
    assert left["second"] == (
        "from first import A, used, renamed as other\nz = open('name')\n\ndef main():\n    return getattr(A, 'said')\n\ndef said():\n    used(other)\n"
    )
