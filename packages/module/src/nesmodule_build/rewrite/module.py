"""One module from source text to source text, by all rules.

This module does not know where the text comes from, or what else is on the module.
"""

from __future__ import annotations

import ast
import enum
import importlib
import types
from collections.abc import Collection, Iterable
from dataclasses import is_dataclass
from typing import Any

from nesmodule_build.rewrite.checks import check
from nesmodule_build.rewrite.classes import MEMBERS, plain_dataclass, plain_enum
from nesmodule_build.rewrite.lacking import DROPPED_IMPORTS, LIBRARY, REPLACED_CALLS, REPLACED_IMPORTS, REPLACED_METHODS
from nesmodule_build.rewrite.matching import if_statements
from nesmodule_build.rewrite.milliseconds import Milliseconds
from nesmodule_build.rewrite.names import Names, is_only_a_type, is_plain_enum
from nesmodule_build.rewrite.refused import Refused

__all__ = ["STAND_INS", "rewritten"]

STAND_INS = "micropython_lacks"
"""The module from which rewritten ones import what MicroPython lacks."""

_DECORATORS_DROPPED = frozenset({"abstractmethod", "dataclass", "final", "override"})


def rewritten(
    source: str,
    name: str,
    present: Collection[str],
    *,
    milliseconds: bool,
    for_tests: bool = False,
    without: Collection[str] = (),
    instead: Collection[tuple[str, str]] = (),
) -> str:
    """Return the source text of a module as MicroPython takes it.

    Args:
        source: its text.
        name: its name; it is imported, to see what its names stand for.
        present: modules that may be imported on the module.
        milliseconds: its times are seconds, and become whole milliseconds.
        for_tests: numbers with a point may be left, and names of unions that modules beside it may want.
        without: names at its top that the module does not need.
        instead: names at its top, and expressions that are their values there.

    Raises:
        Refused: no rule knows something in it.
    """
    tree = ast.parse(source)
    tree.body = _without(tree.body, without, name)
    _set(tree.body, dict(instead), name)
    if milliseconds:
        tree = Milliseconds(name).visit(tree)
    module = importlib.import_module(name)
    rules = _Rules(Names(module), replaces=name.rpartition(".")[2] != STAND_INS)
    body = rules.statements(tree.body)
    if not for_tests:
        body = _used_unions(body, rules.unions)
    stand_ins = [ast.alias(one) for one in sorted(rules.needed)]
    head: list[ast.stmt] = [ast.ImportFrom(STAND_INS, stand_ins, 0)] if stand_ins else []
    result = ast.fix_missing_locations(
        ast.Module(_used_imports(head + body, getattr(module, "__all__", ()), present), [])
    )
    check(result, name, present, floats=for_tests)
    return ast.unparse(result) + "\n"


def _without(body: list[ast.stmt], names: Collection[str], module: str) -> list[ast.stmt]:
    """Drop definitions by their names. Raises Refused where there is none of that name: the list would be out of date."""
    defined = [(_defines(statement), statement) for statement in body]
    for name in names:
        if all(name != one for one, _ in defined):
            raise Refused(module, None, f"{name} is to be left out, and is not there")
    return [statement for one, statement in defined if one not in names]


def _set(body: list[ast.stmt], values: dict[str, str], module: str) -> None:
    """Give names other values. Raises Refused where there is none of that name."""
    for statement in body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and _defines(statement) in values:
            statement.value = ast.parse(values.pop(_defines(statement)), mode="eval").body
    for name in values:
        raise Refused(module, None, f"{name} is to have another value, and is not there")


def _defines(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(name)]) | ast.AnnAssign(target=ast.Name(name)):
            return name
        case _:
            return ""


def _used_unions(body: list[ast.stmt], unions: Collection[str]) -> list[ast.stmt]:
    """Drop names of unions of classes that only annotations used."""
    loaded = {
        node.id
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
    }
    unused = {name for name in unions if name not in loaded}
    return [
        one
        for one in body
        if not (isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name) and one.targets[0].id in unused)
    ]


def _used_imports(body: list[ast.stmt], published: Collection[str], present: Collection[str]) -> list[ast.stmt]:
    """Drop imported names that only annotations used; one that is handed on stays if there is such a module."""
    loaded = {node.id for statement in body for node in ast.walk(statement) if isinstance(node, ast.Name)}
    kept: list[ast.stmt] = []
    for statement in body:
        if isinstance(statement, ast.ImportFrom | ast.Import):
            handed_on = isinstance(statement, ast.ImportFrom) and statement.module in present
            used = loaded | {*published} if handed_on else loaded
            statement.names = [one for one in statement.names if (one.asname or one.name.split(".")[0]) in used]
            if not statement.names:
                continue
        kept.append(statement)
    return kept


class _Rules(ast.NodeTransformer):
    """Rewrites statement by statement.

    Args:
        names: of the module.
        replaces: what MicroPython lacks is taken from the stand-ins; False: these are the stand-ins.
    """

    def __init__(self, names: Names, *, replaces: bool = True) -> None:
        self._names = names
        self.replaces = replaces
        self._plain_enums: list[frozenset[str]] = []
        """Of each function around: arguments that hold a member of a plain enumeration."""
        self._matches = 0
        self._depth = 0
        self.unions: set[str] = set()
        """Names of unions of classes, at the top of the module."""
        self.needed: set[str] = set()
        """Names of the stand-ins that are used."""

    def statements(self, body: Iterable[ast.stmt]) -> list[ast.stmt]:
        """Rewrite statements; without those of no use on the module."""
        found: list[ast.stmt] = []
        for statement in body:
            result = self.visit(statement)
            found += result if isinstance(result, list) else [] if result is None else [result]
        return found

    def _refuse(self, node: ast.AST, what: str) -> Refused:
        return Refused(self._names.module, node, what)

    def _need(self, name: str) -> ast.expr:
        self.needed.add(name)
        return ast.Name(name, ast.Load())

    # Statements.

    def visit_Expr(self, node: ast.Expr) -> ast.stmt | None:
        """Drop documentation and ``...``."""
        if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | types.EllipsisType):
            return None
        self.generic_visit(node)
        return node

    def visit_If(self, node: ast.If) -> Any:
        """Drop what only type checkers run."""
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        node.test = self.visit(node.test)
        node.body = self.statements(node.body) or [ast.Pass()]
        node.orelse = self.statements(node.orelse)
        return node

    def visit_Import(self, node: ast.Import) -> ast.stmt | None:
        """Leave out modules that MicroPython has not; what is used of them the stand-ins have."""
        gone = DROPPED_IMPORTS | REPLACED_IMPORTS.keys() - LIBRARY
        node.names = [one for one in node.names if one.name not in gone]
        return node if node.names else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.stmt | None:
        """Take from the stand-ins what MicroPython's library lacks; drop mere types."""
        if node.module is None or node.level:
            raise self._refuse(node, "a relative import")
        if node.module == "dataclasses":
            self.needed.update(one.name for one in node.names if one.name == "replace")
        if node.module in DROPPED_IMPORTS:
            return None
        replaced = REPLACED_IMPORTS.get(node.module, set()) if self.replaces else set()
        self.needed.update(one.name for one in node.names if one.name in replaced)
        node.names = [
            one
            for one in node.names
            if one.name not in replaced and not is_only_a_type(self._names.value(ast.Name(one.asname or one.name)))
        ]
        return node if node.names else None

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.stmt | None:
        """Keep the value, drop the annotation."""
        if node.value is None:
            return None
        return self._assigned(ast.copy_location(ast.Assign([node.target], node.value), node))

    def visit_Assign(self, node: ast.Assign) -> ast.stmt | None:
        """Drop ``__all__``, ``__slots__`` and names of mere types."""
        return self._assigned(node)

    def _assigned(self, node: ast.Assign) -> ast.stmt | None:
        match node.targets:
            case [ast.Name("__all__" | "__slots__")]:
                return None
            case [ast.Name() as target] if self._depth == 0 and is_only_a_type(self._names.value(target)):
                return None
            case [ast.Name() as target] if isinstance(self._names.value(target), types.UnionType):
                self.unions.add(target.id)
        self.generic_visit(node)
        return node

    def visit_Delete(self, node: ast.Delete) -> ast.stmt:
        """``del a[:n]`` becomes ``a[:n] = b''``: a bytearray of MicroPython deletes nothing."""
        match node.targets:
            case [ast.Subscript(value=value, slice=ast.Slice() as where)]:
                return ast.Assign([ast.Subscript(self.visit(value), self.visit(where), ast.Store())], ast.Constant(b""))
        self.generic_visit(node)
        return node

    def visit_Match(self, node: ast.Match) -> list[ast.stmt]:
        """Make ``if`` of ``match``."""
        self._matches += 1
        plain = if_statements(node, f"_matched_{self._matches}", self._names)
        return self.statements(plain)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.stmt:
        """Drop annotations and decorators for type checkers."""
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.stmt:
        """Drop annotations and decorators for type checkers."""
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.stmt:
        node.args.args = [*node.args.posonlyargs, *node.args.args]
        node.args.posonlyargs = []
        every = [*node.args.args, *node.args.kwonlyargs]
        self._plain_enums.append(frozenset(one.arg for one in every if self._names.plain_enum(one.annotation)))
        self._depth += 1
        for one in [*every, *filter(None, (node.args.vararg, node.args.kwarg))]:
            one.annotation = None
        node.returns = None
        node.decorator_list = [
            self.visit(one) for one in node.decorator_list if _called(one) not in _DECORATORS_DROPPED
        ]
        node.args.defaults = [self.visit(one) for one in node.args.defaults]
        node.args.kw_defaults = [None if one is None else self.visit(one) for one in node.args.kw_defaults]
        node.body = self.statements(node.body) or [ast.Pass()]
        self._depth -= 1
        self._plain_enums.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.stmt | None:
        """Make a plain class of a dataclass or an enumeration; drop a protocol."""
        real = self._names.value(ast.Name(node.name))
        self._depth += 1
        try:
            if not isinstance(real, type):
                raise self._refuse(node, "a class inside of another thing")
            if getattr(real, "_is_protocol", False):
                return None
            if issubclass(real, enum.Enum):
                return plain_enum(node, real, self._rewrite)
            if any(_called(one) == "dataclass" for one in node.decorator_list):
                return plain_dataclass(node, real, self._names, self._rewrite, self._need)
            if is_dataclass(real):
                raise self._refuse(node, "a plain class that inherits from a dataclass")
            if issubclass(real, tuple):
                raise self._refuse(node, "a NamedTuple; make it a dataclass")
            return self._plain_class(node, real)
        finally:
            self._depth -= 1

    def _plain_class(self, node: ast.ClassDef, real: type) -> ast.ClassDef:
        bases = [base for base in node.bases if not is_only_a_type(self._names.value(base))]
        # MicroPython cannot lay two built-in exceptions out in one object.
        node.bases = bases[:1] if issubclass(real, BaseException) else bases
        node.keywords = []
        node.body = self.statements(node.body) or [ast.Pass()]
        return node

    def _rewrite(self, statement: ast.stmt) -> list[ast.stmt]:
        return self.statements([statement])

    # Expressions.

    def _expression(self, node: ast.expr) -> ast.expr:
        found: ast.expr = self.visit(node)
        return found

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """A union of classes, which ``isinstance`` takes, becomes a tuple of them."""
        if isinstance(node.op, ast.BitOr):
            value = self._names.value(node)
            if isinstance(value, types.UnionType):
                kinds = (self._names.name_of(kind) for kind in value.__args__)
                return ast.Tuple([ast.Name(kind, ast.Load()) for kind in kinds], ast.Load())
        self.generic_visit(node)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """The name of a plain enumeration's member is the member itself."""
        self.generic_visit(node)
        if node.attr not in {"name", "value"} or not isinstance(node.value, ast.Name):
            return node
        if any(node.value.id in known for known in self._plain_enums):
            if node.attr == "value":
                raise self._refuse(node, "the value of a plain Enum: on the module only its name is left")
            return node.value
        return node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace calls of what MicroPython lacks."""
        found = self._names.value(node.func) if isinstance(node.func, ast.Name | ast.Attribute) else None
        if isinstance(found, type) and issubclass(found, enum.Enum):
            if len(node.args) != 1 or is_plain_enum(found):
                raise self._refuse(node, "an enumeration made of anything but a number or text")
            return self._expression(node.args[0])
        match node:
            case ast.Call(func=ast.Name("cast"), args=[_, value]):
                return self._expression(value)
            case ast.Call(func=ast.Name("zip")):
                node.keywords = [one for one in node.keywords if one.arg != "strict"]
            case ast.Call(func=ast.Name("deque"), args=[], keywords=[ast.keyword("maxlen", most)]):
                node.args, node.keywords = [ast.Tuple([], ast.Load()), most], []
            case ast.Call(func=ast.Name(name)) if name in REPLACED_CALLS and self.replaces:
                self.needed.add(name)
            case ast.Call(
                func=ast.Name("set" | "frozenset" | "tuple" | "list" | "iter" | "sorted"), args=[ast.Name() as of]
            ):
                kind = self._names.value(of)
                if isinstance(kind, type) and issubclass(kind, enum.Enum):
                    node.args = [ast.Attribute(of, MEMBERS, ast.Load())]
            case ast.Call(func=ast.Attribute(value=owner, attr=name)):
                return self._method(node, owner, name)
        self.generic_visit(node)
        return node

    def _method(self, node: ast.Call, owner: ast.expr, name: str) -> ast.expr:
        if name == "__new__":
            node.func = ast.Attribute(ast.Name("object", ast.Load()), name, ast.Load())
        elif name == "from_bytes" and node.keywords:
            self.needed.add("signed_from_bytes")
            node.func, node.keywords = ast.Name("signed_from_bytes", ast.Load()), []
        elif name in REPLACED_METHODS and self.replaces:
            of_module = isinstance(self._names.value(owner), types.ModuleType)
            node.func = self._need(name)
            node.args = node.args if of_module else [owner, *node.args]
        self.generic_visit(node)
        return node

    def visit_Dict(self, node: ast.Dict) -> ast.expr:
        """``{**a, "b": 1}`` becomes ``dict(a) | {"b": 1}``."""
        self.generic_visit(node)
        if None not in node.keys:
            return node
        parts: list[ast.expr] = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                parts.append(ast.Call(ast.Name("dict", ast.Load()), [value], []))
            else:
                parts.append(ast.Dict([key], [value]))
        return _sum(parts, ast.BitOr())

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        """``(*a, b)`` becomes ``tuple(a) + (b,)``."""
        return self._display(node, "tuple")

    def visit_List(self, node: ast.List) -> ast.expr:
        """``[*a, b]`` becomes ``list(a) + [b]``."""
        return self._display(node, "list")

    def _display(self, node: ast.Tuple | ast.List, kind: str) -> ast.expr:
        self.generic_visit(node)
        if not isinstance(node.ctx, ast.Load) or not any(isinstance(one, ast.Starred) for one in node.elts):
            return node
        parts: list[ast.expr] = []
        run: list[ast.expr] = []
        for one in node.elts:
            if isinstance(one, ast.Starred):
                if run:
                    parts.append(type(node)(run, ast.Load()))
                    run = []
                parts.append(ast.Call(ast.Name(kind, ast.Load()), [one.value], []))
            else:
                run.append(one)
        if run:
            parts.append(type(node)(run, ast.Load()))
        return _sum(parts, ast.Add())


def _sum(parts: list[ast.expr], by: ast.operator) -> ast.expr:
    total = parts[0]
    for part in parts[1:]:
        total = ast.BinOp(total, by, part)
    return total


def _called(node: ast.expr) -> str:
    """Return the name of a decorator, with arguments or without; empty for any other expression."""
    if isinstance(node, ast.Call):
        node = node.func
    return node.id if isinstance(node, ast.Name) else ""
