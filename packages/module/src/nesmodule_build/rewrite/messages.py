"""Long texts in functions become calls that read them from flash: most are said when something is wrong, and take memory all the time.

This module does not know what they say.
"""

from __future__ import annotations

import ast
from typing import Any

__all__ = ["Messages"]

_SHORTEST = 32
_CONVERSIONS = {-1: "", ord("r"): "!r", ord("s"): "!s"}


class Messages:
    """Takes the long texts out of modules.

    Args:
        module: of the function that reads them.
        function: its name; it is given place and size.
    """

    def __init__(self, module: str, function: str) -> None:
        self._module = module
        self._function = function
        self._places: dict[bytes, int] = {}
        self.text = b""
        """All of them, one behind the other."""

    def taken(self, text: str) -> str:
        """Return a module without its long texts."""
        tree = ast.parse(text)
        taking = _Taking(self)
        tree.body = [taking.visit(one) for one in tree.body]
        if taking.count:
            tree.body.insert(0, ast.ImportFrom(self._module, [ast.alias(self._function)], 0))
        return ast.unparse(ast.fix_missing_locations(tree)) + "\n"

    def call(self, text: str) -> ast.expr:
        """Return what reads a text."""
        data = text.encode()
        place = self._places.get(data)
        if place is None:
            place = self._places[data] = len(self.text)
            self.text += data
        numbers: list[ast.expr] = [ast.Constant(place), ast.Constant(len(data))]
        return ast.Call(ast.Name(self._function, ast.Load()), numbers, [])


class _Taking(ast.NodeTransformer):
    """Puts calls in the place of texts, inside of functions."""

    def __init__(self, messages: Messages) -> None:
        self._messages = messages
        self._inside = False
        self.count = 0

    def _function(self, node: Any) -> Any:
        # Defaults are worked out once, outside of the function.
        was, self._inside = self._inside, True
        node.body = [self.visit(one) for one in node.body]
        self._inside = was
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = _function  # noqa: N815 - names of ast

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Take a long text."""
        if not self._inside or not isinstance(node.value, str) or len(node.value) < _SHORTEST:
            return node
        self.count += 1
        return self._messages.call(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.expr:
        """Take a long text with values in it, and put them in when it is read."""
        form, values = "", []
        for part in node.values:
            match part:
                case ast.Constant(value=str(text)):
                    form += text.replace("{", "{{").replace("}", "}}")
                case ast.FormattedValue(value, conversion, None):
                    form += "{" + _CONVERSIONS[conversion] + "}"
                    values.append(value)
                case ast.FormattedValue(value, conversion, ast.JoinedStr([ast.Constant(value=str(spec))])):
                    form += "{" + _CONVERSIONS[conversion] + ":" + spec + "}"
                    values.append(value)
                case _:
                    return self._values_of(node)
        if not self._inside or len(form) < _SHORTEST:
            return self._values_of(node)
        self.count += 1
        given = [self.visit(value) for value in values]
        return ast.Call(ast.Attribute(self._messages.call(form), "format", ast.Load()), given, [])

    def _values_of(self, node: ast.JoinedStr) -> ast.JoinedStr:
        """Look at the values of a text that stays."""
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return node
