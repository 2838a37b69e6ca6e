"""What :mod:`mutation` adds to Cosmic Ray: tables that lack an element, and which changes no test could see.

This module does not know Cosmic Ray, nor how tests are run.
"""

from __future__ import annotations

import ast
from itertools import pairwise

__all__ = ["elements", "is_seen", "without"]


def elements(text: str) -> list[tuple[int, int]]:
    """Return where the elements of sets and dictionaries that have several stand in a module: first byte in UTF-8, and byte after the last.

    The comma beside it belongs to an element.
    """
    source = text.encode()
    lines = [0, *(at + 1 for at, byte in enumerate(source) if byte == ord("\n"))]

    def begins(node: ast.expr) -> int:
        return lines[node.lineno - 1] + node.col_offset

    def ends(node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return lines[node.end_lineno - 1] + node.end_col_offset

    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Set):
            spans = [(begins(each), ends(each)) for each in node.elts]
        elif isinstance(node, ast.Dict):
            spans = [
                (begins(key), ends(value)) for key, value in zip(node.keys, node.values, strict=True) if key is not None
            ]
        else:
            continue
        if len(spans) > 1:
            found += [(one[0], other[0]) for one, other in pairwise(spans)]
            found.append((spans[-2][1], spans[-1][1]))
    return sorted(found)


class _Bare(ast.NodeTransformer):
    """Takes away what only type checkers see, or who writes a call that nobody writes."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.arguments:
        self.generic_visit(node)
        node.args = [*node.posonlyargs, *node.args, *node.kwonlyargs]
        node.defaults = [*node.defaults, *(each or ast.Constant(None) for each in node.kw_defaults)]
        node.posonlyargs, node.kwonlyargs, node.kw_defaults = [], [], []
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        self.generic_visit(node)
        node.returns = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        self.generic_visit(node)
        node.annotation = ast.Constant(None)
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        self.generic_visit(node)
        for each in node.decorator_list:
            if isinstance(each, ast.Call):
                each.keywords = [word for word in each.keywords if word.arg not in {"frozen", "slots"}]
        return node


def is_seen(before: str, after: str) -> bool:
    """Tell whether a change is one that a test can see, and not one of annotations, or of how a class is made."""
    return ast.dump(_Bare().visit(ast.parse(before))) != ast.dump(_Bare().visit(ast.parse(after)))


def without(text: str, number: int) -> str:
    """Return a module's text without the element of that place in :func:`elements`."""
    source = text.encode()
    begin, end = elements(text)[number]
    return (source[:begin] + source[end:]).decode()
