"""Dataclasses and enumerations become plain classes.

A dataclass gets the ``__init__`` that ``dataclasses`` would write, and equality, hash and representation from a base class of
the stand-ins that knows the names of its fields. That it is frozen is not enforced. The members of an enumeration of numbers
or texts become these; those of a plain one become their names.

This module does not know what a field's default or a method holds: its caller has rewritten them.
"""

from __future__ import annotations

import ast
import dataclasses
import enum
from collections.abc import Callable
from typing import Any

from nesmodule_build.rewrite.names import Names, is_only_a_type, is_plain_enum
from nesmodule_build.rewrite.refused import Refused

__all__ = ["MEMBERS", "plain_dataclass", "plain_enum"]

MEMBERS = "_members"
"""Attribute of a rewritten enumeration: its members' values, in order. Over the class itself nobody can loop."""

_FIELDS, _COMPARED = "_fields", "_compared"

Rewrite = Callable[[ast.stmt], list[ast.stmt]]


def plain_enum(node: ast.ClassDef, real: type[enum.Enum], rewrite: Rewrite) -> ast.ClassDef:
    """Return a class whose attributes are the members' values."""
    plain = is_plain_enum(real)
    values = {member.name: member.name if plain else member.value for member in real}
    body: list[ast.stmt] = [_assign(name, ast.Constant(value)) for name, value in values.items()]
    body.append(_assign(MEMBERS, _texts_or_numbers(values.values())))
    for statement in node.body:
        if isinstance(statement, ast.FunctionDef):
            body += rewrite(statement)
    return _class(node, [], body)


def plain_dataclass(
    node: ast.ClassDef, real: Any, names: Names, rewrite: Rewrite, needs: Callable[[str], ast.expr]
) -> ast.ClassDef:
    """Return a class with the ``__init__`` of a dataclass.

    Args:
        node: the class.
        real: the same, imported.
        names: of its module.
        rewrite: rewrites a statement of its body.
        needs: asks for a name of the stand-ins.

    Raises:
        Refused: it inherits fields with defaults that are not constants.
    """
    defaults: dict[str, ast.expr | None] = {}
    members: list[ast.stmt] = []
    fields = {one.name: one for one in dataclasses.fields(real)}
    for statement in node.body:
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and statement.target.id in fields
        ):
            kept = rewrite(ast.Expr(statement.value)) if statement.value is not None else []
            defaults[statement.target.id] = kept[0].value if kept and isinstance(kept[0], ast.Expr) else None
        else:
            members += rewrite(statement)
    init = _Init(names.module, node)
    for one in fields.values():
        init.add(one, own=one.name in defaults, written=defaults.get(one.name))
    compared = tuple(one.name for one in fields.values() if one.compare)
    body: list[ast.stmt] = [_assign(_FIELDS, _texts_or_numbers(fields))]
    if compared != tuple(fields):
        body.append(_assign(_COMPARED, _texts_or_numbers(compared)))
    if fields or hasattr(real, "__post_init__"):
        body.append(init.function(calls_post_init=hasattr(real, "__post_init__")))
    bases = [base for base in node.bases if not is_only_a_type(names.value(base))]
    if not bases:
        bases = [needs("Data" if real.__dataclass_params__.eq else "Named")]
    return _class(node, bases, body + members)


class _Init:
    """Collects the arguments and the body of an ``__init__``."""

    def __init__(self, module: str, node: ast.ClassDef) -> None:
        self._module = module
        self._node = node
        self._positional: list[tuple[str, ast.expr | None]] = []
        self._keyword: list[tuple[str, ast.expr | None]] = []
        self._body: list[ast.stmt] = []

    def add(self, one: dataclasses.Field[Any], *, own: bool, written: ast.expr | None) -> None:
        """Add a field; ``written`` is its default as it stands in the class, a ``field(...)`` perhaps."""
        default, factory = self._default(one, own=own, written=written)
        target = ast.Attribute(ast.Name("self", ast.Load()), one.name, ast.Store())
        made = None if factory is None else ast.Call(factory, [], [])
        if not one.init:
            value = made or default
            if value is not None:
                self._body.append(ast.Assign([target], value))
            return
        value = ast.Name(one.name, ast.Load())
        if made is not None:
            default = ast.Constant(None)
            absent = ast.Compare(ast.Name(one.name, ast.Load()), [ast.Is()], [ast.Constant(None)])
            value = ast.IfExp(absent, made, value)
        (self._keyword if one.kw_only else self._positional).append((one.name, default))
        self._body.append(ast.Assign([target], value))

    def _default(
        self, one: dataclasses.Field[Any], *, own: bool, written: ast.expr | None
    ) -> tuple[ast.expr | None, ast.expr | None]:
        match written:
            case ast.Call(func=ast.Name("field"), keywords=keywords):
                given = {keyword.arg: keyword.value for keyword in keywords}
                return given.get("default"), given.get("default_factory")
            case None if own or one.default is dataclasses.MISSING:
                if one.default_factory is not dataclasses.MISSING:
                    raise Refused(self._module, self._node, f"the inherited field {one.name} has a factory")
                return None, None
            case None if isinstance(one.default, int | str | bytes | None):
                return ast.Constant(one.default), None
            case None:
                raise Refused(
                    self._module, self._node, f"the inherited field {one.name} has a default that is no constant"
                )
            case _:
                return written, None

    def function(self, *, calls_post_init: bool) -> ast.FunctionDef:
        """Return the function."""
        if calls_post_init:
            method = ast.Attribute(ast.Name("self", ast.Load()), "__post_init__", ast.Load())
            self._body.append(ast.Expr(ast.Call(method, [], [])))
        arguments = ast.arguments(
            posonlyargs=[],
            args=[ast.arg("self"), *(ast.arg(name) for name, _ in self._positional)],
            vararg=None,
            kwonlyargs=[ast.arg(name) for name, _ in self._keyword],
            kw_defaults=[default for _, default in self._keyword],
            kwarg=None,
            defaults=[default for _, default in self._positional if default is not None],
        )
        return ast.FunctionDef("__init__", arguments, self._body or [ast.Pass()], [], None)


def _assign(name: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([ast.Name(name, ast.Store())], value)


def _texts_or_numbers(values: Any) -> ast.expr:
    return ast.Tuple([ast.Constant(value) for value in values], ast.Load())


def _class(node: ast.ClassDef, bases: list[ast.expr], body: list[ast.stmt]) -> ast.ClassDef:
    return ast.copy_location(ast.ClassDef(node.name, bases, [], body or [ast.Pass()], []), node)
