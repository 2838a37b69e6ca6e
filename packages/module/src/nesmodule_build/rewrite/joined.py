"""Many modules become few: on the module each file takes half a kilobyte for its names, paths and the tables of what it imports.

What two modules call alike gets another name in one of them; what they import of each other is simply there. Nothing else changes.

This module does not know what the modules are for.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nesmodule_build.rewrite.refused import Refused

__all__ = ["Joined"]

_Place = tuple[str, str]
"""A module and a name in it; of an imported module the name is empty."""


@dataclass(slots=True)
class Joined:
    """Takes modules in, each after those that it needs."""

    names: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each module taken in: what its names are now."""
    _owners: dict[str, _Place] = field(default_factory=dict)
    """Of each name of now: whose it is. No two parts have a name in common."""
    _parts: dict[str, str] = field(default_factory=dict)
    """Of each module taken in: the part that it stands in."""
    _bodies: dict[str, list[ast.stmt]] = field(default_factory=dict)
    """Of each part: what it is made of."""
    _used: dict[str, set[str]] = field(default_factory=dict)
    """Of each part: the names of now that it asks for, its own and others."""

    def take(self, text: str, module: str, part: str) -> None:
        """Take a module into a part, which is a module of what is there in the end.

        Raises:
            Refused: it uses another module in a way that cannot be joined.
        """
        tree = ast.parse(text)
        renaming = _Globals(self._imports(tree, module), {})
        for name in _bound(tree.body):
            renaming.names.setdefault(name, self._own(name, (module, name)))
        renaming.modules = {name: self.names[inner] for name, inner in self._modules(tree).items()}
        self.names[module] = {name: now for name, now in renaming.names.items() if self._owners[now][1]}
        self._parts[module] = part
        renaming.used = self._used.setdefault(part, set())
        body = self._bodies.setdefault(part, [])
        for statement in tree.body:
            kept = self._kept(statement)
            if kept is not None:
                body.append(renaming.visit(kept))
                for node in ast.walk(body[-1]):
                    if isinstance(node, ast.ImportFrom | ast.Import) and self._kept(node) is None:
                        raise Refused(module, node, "an import inside of a function, of a module that is there anyway")

    def apart(self, text: str, module: str) -> str:
        """Return a module that stays a file of its own, with what it imports from where it is now."""
        tree = ast.parse(text)
        for holder in ast.walk(tree):
            body = getattr(holder, "body", None)
            if isinstance(body, list):
                holder.body = [new for one in body for new in self._moved(one, module)]  # type: ignore[attr-defined]
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    def _moved(self, statement: ast.stmt, module: str) -> list[ast.stmt]:
        if not isinstance(statement, ast.ImportFrom) or statement.module not in self.names:
            return [statement]
        now = self.names[statement.module]
        by_part: dict[str, list[ast.alias]] = {}
        for one in statement.names:
            if one.name not in now:
                raise Refused(module, statement, f"{one.name} is no name of {statement.module} any more")
            found = now[one.name]
            known = one.asname or one.name
            alias = ast.alias(found, None if known == found else known)
            by_part.setdefault(self._parts[self._owners[found][0]], []).append(alias)
        return [ast.ImportFrom(part, names, 0) for part, names in by_part.items()]

    def parts(self) -> dict[str, str]:
        """Return each part as the text of a module."""
        return {part: self._text(part, body) for part, body in self._bodies.items()}

    def _text(self, part: str, body: list[ast.stmt]) -> str:
        needed: dict[str, set[str]] = {}
        for name in self._used[part]:
            module, inside = self._owners.get(name, ("", ""))
            if inside and self._parts[module] != part:
                needed.setdefault(self._parts[module], set()).add(name)
        written = [f"from {owner} import {', '.join(sorted(names))}" for owner, names in sorted(needed.items())]
        for statement in body:
            text = ast.unparse(statement)
            if not isinstance(statement, ast.Import | ast.ImportFrom) or text not in written:
                written.append(text)
        return "\n".join(written) + "\n"

    def _own(self, name: str, place: _Place) -> str:
        """Return a name that nothing else has."""
        now, number = name, 1
        while self._owners.setdefault(now, place) != place or hasattr(builtins, now):
            number += 1
            now = f"{name}{number}"
        return now

    def _imports(self, tree: ast.Module, module: str) -> dict[str, str]:
        """Return what is imported, and its names of now."""
        found: dict[str, str] = {}
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module in self.names:
                for one in node.names:
                    if one.name not in self.names[node.module]:
                        raise Refused(module, node, f"{one.name} is no name of {node.module} any more")
                    found[one.asname or one.name] = self.names[node.module][one.name]
            elif isinstance(node, ast.ImportFrom | ast.Import):
                of = node.module if isinstance(node, ast.ImportFrom) else ""
                for one in node.names:
                    if f"{of}.{one.name}" in self.names:
                        continue
                    known = one.asname or one.name
                    now = self._own(known, (f"{of}.{one.name}", ""))
                    found[known] = now
                    one.asname = None if now == one.name else now
        return found

    def _modules(self, tree: ast.Module) -> dict[str, str]:
        """Return names that stand for a module taken in, and that module's."""
        return {
            one.asname or one.name: f"{node.module}.{one.name}"
            for node in tree.body
            if isinstance(node, ast.ImportFrom)
            for one in node.names
            if f"{node.module}.{one.name}" in self.names
        }

    def _kept(self, statement: Any) -> Any:
        """Return a statement without imports of what is in the same file; None if nothing is left."""
        if isinstance(statement, ast.ImportFrom):
            if statement.module in self.names:
                return None
            statement.names = [one for one in statement.names if f"{statement.module}.{one.name}" not in self.names]
            return statement if statement.names else None
        return statement


def _bound(body: list[ast.stmt]) -> list[str]:
    """Return the names that statements give a value, outside of functions and classes; not what they import."""
    found: dict[str, None] = {}
    for node in _scope(body):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.ExceptHandler(name=str(name)):
                found[name] = None
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found[name] = None
    return list(found)


def _scope(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """Yield the nodes of statements, without what stands in functions, classes and comprehensions."""
    for statement in body:
        todo: list[ast.AST] = [statement]
        while todo:
            node = todo.pop()
            yield node
            if not isinstance(node, _SCOPES):
                todo += ast.iter_child_nodes(node)


_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_SCOPES = (*_FUNCTIONS, *_COMPREHENSIONS, ast.ClassDef)


class _Globals(ast.NodeTransformer):
    """Gives the names at the top of a module other ones, wherever they are meant."""

    def __init__(self, names: dict[str, str], modules: Mapping[str, Mapping[str, str]]) -> None:
        self.names = names
        self.modules = modules
        self.used: set[str] = set()
        self._hidden: list[frozenset[str]] = []
        """Of each scope around: its own names."""

    def _now(self, name: str) -> str:
        if any(name in own for own in self._hidden):
            return name
        now = self.names.get(name, name)
        self.used.add(now)
        return now

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Rename it where it is one of the module's."""
        node.id = self._now(node.id)
        return node

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Likewise the name of an error."""
        node.name = None if node.name is None else self._now(node.name)
        return self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """A name in a module that was taken in is there by itself."""
        if isinstance(node.value, ast.Name) and node.value.id in self.modules:
            now = self.modules[node.value.id][node.attr]
            self.used.add(now)
            return ast.Name(now, node.ctx)
        self.generic_visit(node)
        return node

    def visit_Global(self, node: ast.Global) -> ast.stmt:
        """They are the module's."""
        node.names = [self.names.get(one, one) for one in node.names]
        return node

    def _inside(self, own: Iterator[str], part: Any) -> Any:
        self._hidden.append(frozenset(own))
        found = [self.visit(one) for one in part] if isinstance(part, list) else self.visit(part)
        self._hidden.pop()
        return found

    def _function(self, node: Any) -> Any:
        if not isinstance(node, ast.Lambda):
            node.name = self._now(node.name)
            node.decorator_list = [self.visit(one) for one in node.decorator_list]
        arguments = node.args
        arguments.defaults = [self.visit(one) for one in arguments.defaults]
        arguments.kw_defaults = [one and self.visit(one) for one in arguments.kw_defaults]
        every = (*arguments.args, *arguments.kwonlyargs, *filter(None, (arguments.vararg, arguments.kwarg)))
        own = {one.arg for one in every}
        if not isinstance(node, ast.Lambda):
            inner = list(_scope(node.body))
            own |= {*_bound(node.body)}
            for one in inner:
                if isinstance(one, ast.Import | ast.ImportFrom):
                    own |= {alias.asname or alias.name for alias in one.names}
            own -= {name for one in inner if isinstance(one, ast.Global) for name in one.names}
        node.body = self._inside(iter(own), node.body)
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function  # noqa: N815 - names of ast

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt:
        """The names in a class are its own; its functions do not see them."""
        node.name = self._now(node.name)
        node.bases = [self.visit(one) for one in node.bases]
        own = frozenset(_bound(node.body))
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                name, statement.name = statement.name, ""
                body.append(self.visit(statement))
                statement.name = name
            else:
                body += self._inside(iter(own), [statement])
        node.body = body
        return node

    def _comprehension(self, node: Any) -> Any:
        first = node.generators[0]
        first.iter = self.visit(first.iter)
        own = {one.id for part in node.generators for one in ast.walk(part.target) if isinstance(one, ast.Name)}
        for part in node.generators:
            if part is not first:
                part.iter = self._inside(iter(own), part.iter)
            part.ifs = self._inside(iter(own), part.ifs)
        for name in ("elt", "key", "value"):
            if hasattr(node, name):
                setattr(node, name, self._inside(iter(own), getattr(node, name)))
        return node

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension  # noqa: N815
