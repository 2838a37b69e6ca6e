"""Names and numbers that nobody else uses are made short: each different name takes memory on the module, for good.

A whole number with a name in capitals at the top of a module is written where it is used, and the name is gone. Every private name
becomes one of a few that all modules use again: ``_a``, ``_b``; so does an argument that nobody gives by its name. Nobody
outside may use private names, so the program stays the same; where that cannot be seen, it is refused.

This module does not know what else is rewritten.
"""

from __future__ import annotations

import ast
import string
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from nesmodule_build.rewrite.refused import Refused

__all__ = ["KEPT", "Short"]

KEPT = frozenset({"_", "_compared", "_fields", "_key", "_members"})
"""Private names that rewritten classes share with the stand-ins."""


class Short:
    """Makes the modules of a program short, each after those that it needs.

    Args:
        texts: of all rewritten modules.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._given = frozenset(
            node.arg
            for text in texts
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.keyword) and node.arg
        )
        """Every name by which an argument is given somewhere."""
        self._private: dict[str, frozenset[str]] = {}
        """Of each module: the private names it has now."""
        self._numbers: dict[str, Mapping[str, ast.expr]] = {}
        """Of each module: the numbers that are written where they are used, by their names."""

    def module(self, text: str, name: str, shown: str) -> str:
        """Return the text of the next module with short names.

        Args:
            text: of the rewritten module.
            name: by which the others import it.
            shown: its name in errors.

        Raises:
            Refused: it uses a private name of another module.
        """
        tree = ast.parse(text)
        imported = {
            one.asname or one.name: statement.module
            for statement in ast.walk(tree)
            if isinstance(statement, ast.ImportFrom) and statement.module in self._private
            for one in statement.names
        }
        for found, module in imported.items():
            if _is_private(found):
                raise Refused(shown, None, f"{found} is private to {module} and gets another name there")
        self._numbers[name] = self._with_numbers(tree)
        bound = {one for one in _bound(tree) if _is_private(one)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and _is_private(node.attr) and node.attr not in bound:
                raise Refused(shown, node, f"{node.attr} is private to another module and gets another name there")
        said = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        # A class must not write over what is private to the one that it inherits from.
        taken = bound & said
        for base in _bases(tree):
            taken |= self._private.get(imported.get(base) or "", frozenset())
        fresh = (one for one in _short_names() if one not in taken)
        uses = Counter(_names(tree))
        names = {one: next(fresh) for one in sorted(bound - said, key=lambda one: (-uses[one], one))}
        _Renaming(names).visit(tree)
        _arguments(tree, self._given)
        self._private[name] = frozenset(names.values()) | (bound & said)
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    def _with_numbers(self, tree: ast.Module) -> Mapping[str, ast.expr]:
        """Write whole numbers where they are used; return those of this module."""
        stored = Counter(_bound(tree))
        own: dict[str, ast.expr] = {}
        numbers: dict[str, ast.expr] = {}
        kept: list[ast.stmt] = []
        for statement in tree.body:
            if isinstance(statement, ast.ImportFrom) and not self._imports(statement, numbers):
                continue
            _Numbers(numbers).visit(statement)
            found = {name: _whole(value) for name, value in _pairs(statement)}
            whole = {name: value for name, value in found.items() if value is not None}
            if isinstance(statement, ast.Assign) and all(
                name in whole and _is_number(name) and stored[name] == 1 for name in found
            ):
                own |= whole
                numbers |= whole
            else:
                kept.append(statement)
        tree.body = kept
        # What stands above a number, a function mostly, uses it as well.
        _Numbers(numbers).visit(tree)
        return own

    def _imports(self, statement: ast.ImportFrom, numbers: dict[str, ast.expr]) -> bool:
        """Note which imported names are numbers; tell whether anything else is left to import."""
        of = self._numbers.get(statement.module or "", {})
        numbers |= {one.asname or one.name: of[one.name] for one in statement.names if one.name in of}
        for one in statement.names:
            inner = self._numbers.get(f"{statement.module}.{one.name}", {})
            numbers |= {f"{one.asname or one.name}.{name}": value for name, value in inner.items()}
        statement.names = [one for one in statement.names if one.name not in of]
        return bool(statement.names)


def _is_number(name: str) -> bool:
    """Tell whether a name is one that nobody but the program's modules asks for."""
    return _is_private(name) or name.isupper()


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in KEPT


def _short_names() -> Iterator[str]:
    for letter in string.ascii_lowercase:
        yield "_" + letter
    for one in string.ascii_lowercase:
        for other in string.ascii_lowercase:
            yield "_" + one + other


def _bases(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            yield from (base.id for base in node.bases if isinstance(base, ast.Name))


def _names(tree: ast.AST) -> Iterator[str]:
    """Yield each name that stands somewhere, as often as it does."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.keyword(arg=str(name)):
                yield name


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield each name that is given a value in the module."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.Import() | ast.ImportFrom():
                yield from (one.asname for one in node.names if one.asname)


def _arguments(tree: ast.AST, given: Collection[str]) -> None:
    """Make names of arguments short, but those that somebody gives by name, and fields of rewritten dataclasses."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef) and any(name == "_fields" for one in node.body for name, _ in _pairs(one)):
            for one in node.body:
                if getattr(one, "name", "") != "__init__":
                    _arguments(ast.Module([one], []), given)
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            plain = [one.arg for one in node.args.args if one.arg != "self" and one.arg not in given]
            taken = set(_scope(node))
            fresh = (one for one in _short_names() if one not in taken)
            _Variables({one: next(fresh) for one in plain if not _is_private(one)}).visit(node)
        _arguments(node, given)


def _scope(node: ast.AST) -> Iterator[str]:
    """Yield each name of a variable, function or class in a part of a module."""
    for one in ast.walk(node):
        match one:
            case ast.Name(id=name) | ast.arg(arg=name) | ast.ExceptHandler(name=str(name)):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.alias():
                yield one.asname or one.name.split(".")[0]


class _Variables(ast.NodeTransformer):
    """Gives variables other names, in a function and in all that stands in it."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit(self, node: ast.AST) -> Any:
        """Rename a variable."""
        match node:
            case ast.Name():
                node.id = self._names.get(node.id, node.id)
            case ast.arg():
                node.arg = self._names.get(node.arg, node.arg)
            case ast.ExceptHandler(name=str(name)):
                node.name = self._names.get(name, name)
            case ast.Nonlocal():
                node.names = [self._names.get(one, one) for one in node.names]
        return self.generic_visit(node)


class _Renaming(ast.NodeTransformer):
    """Gives names other ones, wherever they stand."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names

    def visit(self, node: ast.AST) -> Any:
        """Rename what has a name."""
        for field in ("id", "attr", "arg", "name", "asname"):
            found = getattr(node, field, None)
            if isinstance(found, str) and not (isinstance(node, ast.alias) and field == "name"):
                setattr(node, field, self._names.get(found, found))
        if isinstance(node, ast.Global | ast.Nonlocal):
            node.names = [self._names.get(one, one) for one in node.names]
        return self.generic_visit(node)


def _pairs(statement: ast.stmt) -> Iterable[tuple[str, ast.expr]]:
    """Return names and values of an assignment; something that is no private name where it is more than that."""
    match statement:
        case ast.Assign(targets=[ast.Name(name)], value=value):
            return [(name, value)]
        case ast.Assign(targets=[ast.Tuple(names)], value=ast.Tuple(values)) if len(names) == len(values):
            return [(getattr(one, "id", ""), value) for one, value in zip(names, values, strict=True)]
        case ast.Assign(value=value):
            return [("", value)]
    return []


def _whole(value: ast.expr) -> ast.expr | None:
    """Return a whole number that is made of whole numbers; None for anything else."""
    for node in ast.walk(value):
        if isinstance(node, ast.Constant):
            if type(node.value) is not int:
                return None
        elif not isinstance(node, ast.BinOp | ast.UnaryOp | ast.operator | ast.unaryop):
            return None
    found = eval(compile(ast.Expression(ast.fix_missing_locations(value)), "", "eval"), {"__builtins__": {}})  # noqa: S307 - whole numbers only
    return ast.Constant(found) if type(found) is int else None


class _Numbers(ast.NodeTransformer):
    """Puts numbers in the place of names."""

    def __init__(self, numbers: Mapping[str, ast.expr]) -> None:
        self._numbers = numbers

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Put the number there."""
        return self._numbers.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Likewise of a module."""
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load):
            found = self._numbers.get(f"{node.value.id}.{node.attr}")
            if found is not None:
                return found
        self.generic_visit(node)
        return node
