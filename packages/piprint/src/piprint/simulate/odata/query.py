"""OData's ``$filter`` and ``$orderby``, as far as Business Central takes them, read into checks on rows.

``eq ne lt le gt ge and or startswith endswith contains``, ``in`` with ``$schemaversion=2.1``, brackets; a field on the left,
a literal on the right; ``or`` only over one field. Texts stand in apostrophes, an apostrophe within is doubled.
Sources: Microsoft, ``webservices/use-filter-expressions-in-odata-uris``; OData 4.01 Part 2: URL Conventions, 5.1.1.

This module does not know rows: a filter asks for a field's value by name.
"""

from __future__ import annotations

import operator
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from piprint.contract import Field, JobState
from piprint.errors import PiprintError

__all__ = ["Filter", "FilterError", "Get", "Order", "parse_filter", "parse_order"]

Get = Callable[[str], object]
"""Returns the value of a row's field, by name."""

Filter = Callable[[Get], bool]
"""Tells whether a row passes."""

_DEEPEST = 20
"""Brackets within brackets; deeper ones are nobody's filter."""


class FilterError(PiprintError):
    """Not a filter, or not one that Business Central takes."""


_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:[^']|'')*')
      | (?P<punctuation>[(),])
      | (?P<word>[^\s'(),]+)
    )""",
    re.VERBOSE,
)

_COMPARISONS: Mapping[str, Callable[[object, object], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": lambda left, right: left < right,  # type: ignore[operator]
    "le": lambda left, right: left <= right,  # type: ignore[operator]
    "gt": lambda left, right: left > right,  # type: ignore[operator]
    "ge": lambda left, right: left >= right,  # type: ignore[operator]
}

_FUNCTIONS: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": lambda text, part: part in text,
}

ReadState = Callable[[str], JobState]
"""Reads a state's caption as the session's language has it; raises ValueError."""


def parse_filter(text: str, fields: Mapping[str, Field], read_state: ReadState, *, in_allowed: bool = False) -> Filter:
    """Read a ``$filter``.

    Args:
        text: decoded, without ``$filter=``.
        fields: of the page.
        read_state: see :data:`ReadState`.
        in_allowed: the request has ``$schemaversion=2.1``.

    Raises:
        FilterError: it cannot be used; nothing else is ever raised.
    """
    parser = _Parser(text, fields, read_state, in_allowed=in_allowed)
    node = parser.either(0)
    parser.expect_end()
    return node.accepts


@dataclass(frozen=True, slots=True)
class _Node:
    accepts: Filter
    fields: frozenset[str]


class _Parser:
    """Recursive descent over the tokens; one method for each rule of the grammar."""

    def __init__(self, text: str, fields: Mapping[str, Field], read_state: ReadState, *, in_allowed: bool) -> None:
        self._tokens = list(_split(text))
        self._at = 0
        self._fields = fields
        self._read_state = read_state
        self._in_allowed = in_allowed

    def either(self, depth: int) -> _Node:
        """``both (or both)*``."""
        if depth > _DEEPEST:
            raise FilterError("too many brackets within each other")
        parts = [self._both(depth)]
        while self._skip("or"):
            parts.append(self._both(depth))
        if len(parts) == 1:
            return parts[0]
        fields = frozenset().union(*(part.fields for part in parts))
        if len(fields) > 1:
            raise FilterError(f"an 'or' takes one field only, not {', '.join(sorted(fields))}")
        return _Node(lambda get: any(part.accepts(get) for part in parts), fields)

    def expect_end(self) -> None:
        """Raise unless everything was read."""
        if self._at < len(self._tokens):
            raise FilterError(f"a syntax error at {self._tokens[self._at]!r}")

    def _both(self, depth: int) -> _Node:
        parts = [self._one(depth)]
        while self._skip("and"):
            parts.append(self._one(depth))
        if len(parts) == 1:
            return parts[0]
        return _Node(
            lambda get: all(part.accepts(get) for part in parts), frozenset().union(*(part.fields for part in parts))
        )

    def _one(self, depth: int) -> _Node:
        if self._skip("("):
            node = self.either(depth + 1)
            self._expect(")")
            return node
        word = self._next("a field's name")
        if word in _FUNCTIONS and self._skip("("):
            return self._function(word)
        field = self._field(word)
        verb = self._next("a comparison")
        if verb == "in":
            return self._in(field)
        if verb not in _COMPARISONS:
            raise FilterError(f"{verb!r} is not a comparison Business Central knows")
        compare, literal = _COMPARISONS[verb], self._literal(field)
        return _Node(lambda get: compare(get(field.name), literal), frozenset({field.name}))

    def _function(self, name: str) -> _Node:
        field = self._field(self._next("a field's name"))
        if field.kind != "text":
            raise FilterError(f"{name} takes a text field, and {field.name} is none")
        self._expect(",")
        part = self._literal(field)
        self._expect(")")
        function = _FUNCTIONS[name]
        return _Node(lambda get: function(str(get(field.name)), str(part)), frozenset({field.name}))

    def _in(self, field: Field) -> _Node:
        if not self._in_allowed:
            raise FilterError("'in' needs $schemaversion=2.1")
        self._expect("(")
        values = [self._literal(field)]
        while self._skip(","):
            values.append(self._literal(field))
        self._expect(")")
        return _Node(lambda get: get(field.name) in values, frozenset({field.name}))

    def _field(self, name: str) -> Field:
        field = self._fields.get(name)
        if field is None:
            raise FilterError(f"could not find a property named {name!r}")
        if field.kind == "stream" or (field.kind == "text" and field.length is None):
            raise FilterError(f"{name} is made at each read and cannot be filtered")
        return field

    def _literal(self, field: Field) -> object:
        token = self._next("a value")
        try:
            return _LITERALS[field.kind](token, self._read_state)
        except (ValueError, OverflowError):
            raise FilterError(f"{token} is no value for {field.name}, which is of type {field.kind}") from None

    def _next(self, wanted: str) -> str:
        if self._at >= len(self._tokens):
            raise FilterError(f"the filter ends where {wanted} is expected")
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == token:
            self._at += 1
            return True
        return False

    def _expect(self, token: str) -> None:
        found = self._next(repr(token))
        if found != token:
            raise FilterError(f"{token!r} is expected where {found!r} stands")


def _split(text: str) -> Iterator[str]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise FilterError(f"a text has no closing apostrophe: {text[at:]!r}")
        at = match.end()
        yield match[match.lastgroup or 0]


def _text(token: str, _read_state: ReadState) -> str:
    if len(token) < 2 or token[0] != "'":  # noqa: PLR2004 - two apostrophes
        raise ValueError(token)
    return token[1:-1].replace("''", "'")


def _integer(token: str, _read_state: ReadState) -> int:
    if not re.fullmatch(r"-?[0-9]{1,19}", token):
        raise ValueError(token)
    return int(token)


def _boolean(token: str, _read_state: ReadState) -> bool:
    if token not in {"true", "false"}:
        raise ValueError(token)
    return token == "true"  # noqa: S105 - a token of the filter


def _datetime(token: str, _read_state: ReadState) -> datetime:
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)", token, re.ASCII):
        raise ValueError(token)
    return datetime.fromisoformat(token).astimezone(UTC)


def _guid(token: str, _read_state: ReadState) -> str:
    if not re.fullmatch(r"[0-9A-Fa-f-]{36}", token):
        raise ValueError(token)
    return str(uuid.UUID(token))


_LITERALS: Mapping[str, Callable[[str, ReadState], object]] = {
    "text": _text,
    "json": _text,
    "dateformula": _text,
    "integer": _integer,
    "boolean": _boolean,
    "state": lambda token, read_state: read_state(_text(token, read_state)),
    "datetime": _datetime,
    "guid": _guid,
}


@dataclass(frozen=True, slots=True)
class Order:
    """One field of ``$orderby``."""

    field: str
    descending: bool = False


def parse_order(text: str, fields: Mapping[str, Field]) -> tuple[Order, ...]:
    """Read a ``$orderby``: ``Field [asc|desc], ...``.

    Raises:
        FilterError: no such field, or a syntax error.
    """
    orders = []
    for part in text.split(","):
        name, *direction = part.split() or [""]
        field = fields.get(name)
        if field is None or field.kind == "stream" or (field.kind == "text" and field.length is None):
            raise FilterError(f"cannot sort by {name!r}")
        if direction not in ([], ["asc"], ["desc"]):
            raise FilterError(f"a syntax error at {' '.join(direction)!r}")
        orders.append(Order(name, direction == ["desc"]))
    return tuple(orders)
