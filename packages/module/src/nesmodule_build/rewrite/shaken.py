"""What nobody asks for is left out of the program: functions, classes and values whose name stands nowhere else.

A name counts as asked for wherever it stands, in any module, as a name, as an attribute or as a text. So more is kept than must be,
and nothing goes that is needed.

This module does not know what the program does.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Collection, Mapping

__all__ = ["shaken"]

_ASKED_FROM_OUTSIDE = frozenset(
    {"_compared", "_fields", "_members", "close", "drain", "ioctl", "read", "readblocks", "readinto", "readline", "write", "writeblocks"}
)  # fmt: skip
"""Names that the stand-ins and MicroPython's own streams and file systems ask for."""


def shaken(texts: Mapping[str, str], roots: Collection[str]) -> dict[str, str]:
    """Return the modules without what nobody asks for.

    Args:
        texts: of all rewritten modules.
        roots: names that are asked for from outside.
    """
    trees = {name: ast.parse(text) for name, text in texts.items()}
    kept = _ASKED_FROM_OUTSIDE | {*roots}
    gone: set[str] = set()
    before = -1
    while len(gone) != before:
        before = len(gone)
        asked = Counter[str]()
        for tree in trees.values():
            asked.update(_asked(tree))
        for tree in trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.ClassDef):
                    node.body = _left(node.body, asked, kept, gone) or [ast.Pass()]
            tree.body = _left(tree.body, asked, kept, gone)
    for tree in trees.values():
        for node in tree.body:
            if isinstance(node, ast.ImportFrom) and node.module in texts:
                node.names = [one for one in node.names if one.name not in gone]
        tree.body = [node for node in tree.body if not isinstance(node, ast.ImportFrom) or node.names]
    return {name: ast.unparse(tree) + "\n" for name, tree in trees.items()}


def _asked(tree: ast.AST) -> Counter[str]:
    found = Counter[str]()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load() | ast.Del()) | ast.Attribute(attr=name, ctx=ast.Load() | ast.Del()):
                found[name] += 1
            case ast.Constant(value=str(name)):
                found[name] += 1
            case ast.ImportFrom():
                # Under another name it may be asked for; under its own it counts where it is used.
                found.update(one.name for one in node.names if one.asname)
    return found


def _left(body: list[ast.stmt], asked: Counter[str], kept: Collection[str], gone: set[str]) -> list[ast.stmt]:
    left = []
    for statement in body:
        name = _defined(statement)
        if not name or name.startswith("__") or name in kept or asked[name] > _asked(statement)[name]:
            left.append(statement)
        else:
            gone.add(name)
    return left


def _defined(statement: ast.stmt) -> str:
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case ast.Assign(targets=[ast.Name(name)], value=value) if not any(
            isinstance(node, ast.Call | ast.Await) for node in ast.walk(value)
        ):
            return name
        case _:
            return ""
