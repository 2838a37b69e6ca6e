"""Seconds become whole milliseconds.

Floating point numbers on an ESP32 have 24 bits: after some weeks of uptime they cannot tell 100 ms apart, and a link that
counts in them stops for ever. So in the modules that are named for it every number with a point is a time in seconds, and
becomes one in whole milliseconds; a quotient is a time too, rounded up: a deadline that comes a part of a
millisecond late does no harm.

This module does not know which modules these are.
"""

from __future__ import annotations

import ast
from fractions import Fraction

from nesmodule_build.rewrite.refused import Refused

__all__ = ["LONG_AGO", "Milliseconds"]

LONG_AGO = -(1 << 40)
"""Milliseconds; stands for minus infinity: before anything that can have happened."""


class Milliseconds(ast.NodeTransformer):
    """Changes the numbers of one module.

    Args:
        module: its name, for errors.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def visit_Constant(self, node: ast.Constant) -> ast.Constant:
        """Make a time of a number with a point."""
        if not isinstance(node.value, float):
            return node
        scaled = round(node.value * 1000)
        if Fraction(str(node.value)) * 1000 != scaled:
            raise Refused(self._module, node, f"{node.value} s is no whole number of milliseconds")
        return ast.copy_location(ast.Constant(scaled), node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """Replace ``float("-inf")``."""
        match node:
            case ast.Call(func=ast.Name("float"), args=[ast.Constant("-inf")]):
                return ast.copy_location(ast.UnaryOp(ast.USub(), ast.Constant(-LONG_AGO)), node)
            case ast.Call(func=ast.Name("float")):
                raise Refused(self._module, node, "float() of anything but '-inf': what it counts cannot be told")
            case _:
                self.generic_visit(node)
                return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        """Round a quotient up to whole milliseconds."""
        self.generic_visit(node)
        if not isinstance(node.op, ast.Div):
            return node
        thousandfold = ast.BinOp(node.left, ast.Mult(), ast.Constant(1000))
        down = ast.BinOp(ast.UnaryOp(ast.USub(), thousandfold), ast.FloorDiv(), node.right)
        return ast.copy_location(ast.UnaryOp(ast.USub(), down), node)
