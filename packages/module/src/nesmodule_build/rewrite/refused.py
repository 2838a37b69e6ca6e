"""The error for source text that no rule can turn into what MicroPython takes.

This module does not know the rules.
"""

from __future__ import annotations

import ast

__all__ = ["Refused"]


class Refused(Exception):
    """Some source text cannot go on the module as it is written.

    Args:
        module: name of the module it stands in.
        node: where; None for the whole module.
        what: what it is, and what to write instead.
    """

    def __init__(self, module: str, node: ast.AST | None, what: str) -> None:
        line = getattr(node, "lineno", None)
        place = module if line is None else f"{module}, line {line}"
        super().__init__(f"{place}: {what}")
