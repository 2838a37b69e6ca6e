"""``match`` becomes ``if``, with the same tests in the same order.

Known are the patterns our modules use: a class with attributes, a constant, an alternative of these, a name, and ``_``.

This module does not know anything else of a module.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import NamedTuple

from nesmodule_build.rewrite.names import Names
from nesmodule_build.rewrite.refused import Refused

__all__ = ["if_statements"]

Subject = Callable[[], ast.expr]
"""Makes the expression that a pattern is held against: a node stands in one place of a tree."""


class _Tested(NamedTuple):
    tests: list[ast.expr]
    """All must hold; none: always."""
    bound: list[tuple[str, ast.expr]]


def if_statements(node: ast.Match, subject_name: str, names: Names) -> list[ast.stmt]:
    """Return what does the same as a ``match`` statement.

    Args:
        node: the statement; its cases' bodies are used as they are.
        subject_name: a name that is free, for what is matched.
        names: of the module it stands in.

    Raises:
        Refused: it has a pattern that is not known, or a guard.
    """

    def subject() -> ast.expr:
        return ast.Name(subject_name, ast.Load())

    rest: list[ast.stmt] = []
    for case in reversed(node.cases):
        if case.guard is not None:
            raise Refused(names.module, case.guard, "a case with a guard; write it as if")
        tested = _pattern(case.pattern, subject, names)
        assigned = [ast.Assign([ast.Name(name, ast.Store())], value) for name, value in tested.bound]
        body: list[ast.stmt] = [*assigned, *case.body]
        rest = [ast.If(_all_of(tested.tests), body, rest)] if tested.tests else body
    return [ast.Assign([ast.Name(subject_name, ast.Store())], node.subject), *rest]


def _all_of(tests: list[ast.expr]) -> ast.expr:
    return tests[0] if len(tests) == 1 else ast.BoolOp(ast.And(), tests)


def _pattern(pattern: ast.pattern, subject: Subject, names: Names) -> _Tested:
    match pattern:
        case ast.MatchAs(pattern=None, name=None):
            return _Tested([], [])
        case ast.MatchAs(pattern=None, name=str(name)):
            return _Tested([], [(name, subject())])
        case ast.MatchSingleton(value=value):
            return _Tested([ast.Compare(subject(), [ast.Is()], [ast.Constant(value)])], [])
        case ast.MatchValue(value=value):
            return _Tested([ast.Compare(subject(), [ast.Eq()], [value])], [])
        case ast.MatchOr(patterns=patterns):
            return _alternative(patterns, subject, names)
        case ast.MatchClass():
            return _class(pattern, subject, names)
        case _:
            raise Refused(names.module, pattern, "a pattern that is not known here; write it as if")


def _alternative(patterns: list[ast.pattern], subject: Subject, names: Names) -> _Tested:
    each = [_pattern(one, subject, names) for one in patterns]
    if any(one.bound or not one.tests for one in each):
        raise Refused(names.module, patterns[0], "an alternative that binds names; write it as if")
    return _Tested([ast.BoolOp(ast.Or(), [_all_of(one.tests) for one in each])], [])


def _class(pattern: ast.MatchClass, subject: Subject, names: Names) -> _Tested:
    tests: list[ast.expr] = [ast.Call(ast.Name("isinstance", ast.Load()), [subject(), pattern.cls], [])]
    bound: list[tuple[str, ast.expr]] = []
    positions = names.value(pattern.cls).__match_args__ if pattern.patterns else ()
    attributes = [*positions[: len(pattern.patterns)], *pattern.kwd_attrs]
    for attribute, inner in zip(attributes, [*pattern.patterns, *pattern.kwd_patterns], strict=True):

        def part(attribute: str = attribute) -> ast.expr:
            return ast.Attribute(subject(), attribute, ast.Load())

        found = _pattern(inner, part, names)
        tests += found.tests
        bound += found.bound
    return _Tested(tests, bound)
