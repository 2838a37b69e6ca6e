"""What the names in a module's source stand for: looked up in the module itself, as imported here.

This module does not know what is made of them.
"""

from __future__ import annotations

import ast
import builtins
import enum
import types
import typing
from collections.abc import Mapping
from typing import Any

__all__ = ["Names", "is_only_a_type"]


class Names:
    """The names of one module.

    Args:
        module: the module, imported.
    """

    def __init__(self, module: types.ModuleType) -> None:
        self.module: str = module.__name__
        self._known: Mapping[str, Any] = vars(module)

    def value(self, node: ast.expr) -> Any:
        """Return what an expression of names, attributes and ``|`` stands for at the top of the module; None if unknown."""
        match node:
            case ast.Name(id=name):
                return self._known.get(name, getattr(builtins, name, None))
            case ast.Attribute(value=base, attr=name):
                owner = self.value(base)
                return None if owner is None else getattr(owner, name, None)
            case ast.BinOp(left=left, op=ast.BitOr(), right=right):
                one, other = self.value(left), self.value(right)
                try:
                    return None if one is None or other is None else one | other
                except TypeError:
                    return None
            case ast.Subscript(value=base):
                return self.value(base)
            case _:
                return None

    def name_of(self, kind: type) -> str:
        """Return the name that a class has in this module."""
        return next((name for name, value in self._known.items() if value is kind), kind.__name__)

    def plain_enum(self, annotation: ast.expr | None) -> bool:
        """Tell whether an annotation names a plain ``Enum``, or anything that is one."""
        found = None if annotation is None else self.value(annotation)
        if isinstance(found, typing.TypeVar):
            found = found.__bound__
        return is_plain_enum(found)


def is_plain_enum(found: Any) -> bool:
    """Tell whether something is an enumeration whose members are neither numbers nor texts."""
    return isinstance(found, type) and issubclass(found, enum.Enum) and not issubclass(found, int | str)


def is_only_a_type(found: Any) -> bool:
    """Tell whether a value is of use to type checkers alone: ``tuple[int, str]``, a ``TypeVar``, ``Callable``."""
    return (
        isinstance(found, types.GenericAlias | typing.TypeVar)
        or type(found).__module__ == "typing"
        or getattr(found, "__module__", None) in {"typing", "collections.abc", "abc"}
        or bool(isinstance(found, type) and getattr(found, "_is_protocol", False))
    )
