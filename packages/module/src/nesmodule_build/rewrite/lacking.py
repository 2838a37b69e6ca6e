"""What MicroPython has, as far as our modules use it; everything else is refused or replaced.

Found by running each construct on the Unix ports 1.25 (32 bit) and 1.29 (64 bit). What stands in for the rest is
:mod:`nesmodule_build.device.micropython_lacks`.

This module does not know how anything is replaced.
"""

from __future__ import annotations

import ast

__all__ = ["BUILTINS", "DROPPED_IMPORTS", "LIBRARY", "REPLACED_CALLS", "REPLACED_IMPORTS", "REPLACED_METHODS", "SYNTAX"]

SYNTAX: tuple[type[ast.AST], ...] = (
    ast.Module, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Return, ast.Delete, ast.Assign, ast.AugAssign,
    ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.withitem, ast.Raise, ast.Try,
    ast.ExceptHandler, ast.Assert, ast.Import, ast.ImportFrom, ast.alias, ast.Global, ast.Nonlocal, ast.Expr, ast.Pass,
    ast.Break, ast.Continue, ast.BoolOp, ast.NamedExpr, ast.BinOp, ast.UnaryOp, ast.Lambda, ast.IfExp, ast.Dict, ast.Set,
    ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.Await, ast.Yield, ast.YieldFrom,
    ast.Compare, ast.Call, ast.keyword, ast.Starred, ast.FormattedValue, ast.JoinedStr, ast.Constant, ast.Attribute,
    ast.Subscript, ast.Slice, ast.Name, ast.List, ast.Tuple, ast.arguments, ast.arg, ast.expr_context, ast.operator,
    ast.boolop, ast.unaryop, ast.cmpop,
)  # fmt: skip
"""Parts of a syntax tree that MicroPython takes."""

_BUILTINS = """
ArithmeticError AssertionError AttributeError BaseException EOFError Exception False GeneratorExit ImportError
IndexError KeyError KeyboardInterrupt LookupError MemoryError NameError None NotImplementedError OSError OverflowError
RuntimeError StopAsyncIteration StopIteration SyntaxError SystemExit True TypeError ValueError ZeroDivisionError abs all
any bin bool bytearray bytes callable chr classmethod delattr dict dir divmod enumerate filter frozenset getattr hasattr hash hex id int
isinstance issubclass iter len list locals map max memoryview min next object oct open ord pow print property range repr
reversed round set setattr sorted staticmethod str sum super tuple type zip __import__ __name__ __file__
"""
BUILTINS = frozenset(_BUILTINS.split())
"""Names that are there without an import; ``float`` is not: numbers on the module are whole (see ``docs/decisions/module.md``)."""

LIBRARY = frozenset(
    {
        "asyncio",
        "binascii",
        "collections",
        "errno",
        "gc",
        "hashlib",
        "io",
        "json",
        "machine",
        "network",
        "os",
        "socket",
        "struct",
        "sys",
        "time",
    }
)
"""Modules of MicroPython that may be imported."""

DROPPED_IMPORTS = frozenset({"__future__", "abc", "collections.abc", "dataclasses", "enum", "typing"})
"""They name types, or what a rule replaces."""

REPLACED_IMPORTS: dict[str, set[str]] = {
    "contextlib": {"suppress"},
    "datetime": {"timedelta"},
    "hmac": {"compare_digest"},
    "struct": {"Struct"},
}
"""Names that the stand-ins have instead of a module of Python's library."""

REPLACED_METHODS = frozenset(
    {"clear", "compare_digest", "hexdigest", "isascii", "isprintable", "ljust", "total_seconds"}
)
"""Methods of texts, bytes and hashes that are functions of the stand-ins: ``a.ljust(4)`` becomes ``ljust(a, 4)``."""

REPLACED_CALLS = frozenset({"format"})
"""Builtins that are functions of the stand-ins."""
