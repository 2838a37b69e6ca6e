"""The last look at a rewritten module: nothing may be left that MicroPython does not have.

This module does not know how it came to be.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Mapping

from nesmodule_build.rewrite.lacking import BUILTINS, LIBRARY, SYNTAX
from nesmodule_build.rewrite.refused import Refused

__all__ = ["check", "check_imports"]

_METHODS_LACKING = frozenset(
    {"removeprefix", "removesuffix", "fullmatch", "findall", "finditer", "isidentifier", "casefold", "translate",
     "maketrans", "expandtabs", "swapcase", "isoformat", "_asdict", "as_integer_ratio", "bit_count", "zfill"}
)  # fmt: skip


def check(tree: ast.Module, name: str, present: Collection[str], *, floats: bool) -> None:
    """Refuse what MicroPython does not have.

    Args:
        tree: the rewritten module.
        name: its name, for errors.
        present: our modules that are there.
        floats: numbers with a point, and quotients, are let pass.

    Raises:
        Refused: something is left.
    """
    bound = _bound(tree)
    for node in ast.walk(tree):
        what = _trouble(node, bound, present, floats=floats)
        if what:
            raise Refused(name, node, what)


def check_imports(text: str, name: str, defined: Mapping[str, Collection[str]]) -> frozenset[str]:
    """Refuse a name that is imported from a rewritten module and is not in it any more; return what this one defines.

    Args:
        text: the rewritten module.
        name: its name, for errors.
        defined: of each module rewritten before, what it defines.

    Raises:
        Refused: a rule dropped something that is needed.
    """
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module is not None and node.module in defined:
            for one in node.names:
                if one.name not in defined[node.module]:
                    raise Refused(name, None, f"{one.name} was dropped from {node.module}, and is needed")
    return _bound(tree)


def _trouble(node: ast.AST, bound: frozenset[str], present: Collection[str], *, floats: bool) -> str:
    if not isinstance(node, SYNTAX):
        return f"{type(node).__name__} is no syntax that MicroPython is known to take"
    match node:
        case ast.Name(id=found, ctx=ast.Load()) if found not in bound | BUILTINS and not (floats and found == "float"):
            return f"{found} is neither defined here nor a builtin of MicroPython"
        case ast.Attribute(attr=found) if found in _METHODS_LACKING:
            return f"the method {found}() is not known to MicroPython; add a stand-in"
        case ast.Constant(value=float()) | ast.BinOp(op=ast.Div()) if not floats:
            return "a number with a point: such numbers have 24 bits on the module; count in whole units"
        case ast.Dict(keys=keys) if None in keys:
            return "a dict made of others; use |"
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements) if any(
            isinstance(one, ast.Starred) for one in elements
        ):
            return "a starred part that no rule took apart"
        case (
            ast.Call(func=ast.Name("zip"), keywords=[_, *_])
            | ast.Call(func=ast.Attribute(attr="decode"), keywords=[_, *_])
        ):
            return "a keyword that MicroPython does not know"
        case ast.ImportFrom() | ast.Import():
            missing = [one for one in _imported(node, present) if one not in LIBRARY and one not in present]
            return f"{missing[0]} is not on the module" if missing else ""
        case _:
            return ""


def _imported(node: ast.ImportFrom | ast.Import, present: Collection[str]) -> Iterator[str]:
    """Yield the names of modules that an import needs: of ``from a import b`` the module ``a.b`` where there is one."""
    for one in node.names:
        inner = f"{node.module}.{one.name}" if isinstance(node, ast.ImportFrom) else one.name
        yield inner if inner in present or isinstance(node, ast.Import) else node.module or ""


def _bound(tree: ast.Module) -> frozenset[str]:
    """Return every name that is given a value anywhere in the module; looser than scopes, and enough for misspellings."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
                | ast.arg(arg=name)
            ):
                found.add(name)
            case ast.ExceptHandler(name=str(name)):
                found.add(name)
            case ast.alias():
                found.add(node.asname or node.name.split(".")[0])
    return frozenset(found)
