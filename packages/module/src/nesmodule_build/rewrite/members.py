"""Members of enumerations are written where they are used: a class of constants takes memory for each name, and nobody asks for the class.

A class counts as one whose body gives constants to names in capitals and does nothing else. Where somebody asks for the class itself it
stays there for him.

This module does not know what else is rewritten.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from nesmodule_build.rewrite.classes import MEMBERS
from nesmodule_build.rewrite.refused import Refused

__all__ = ["folded"]

_Members = dict[str, dict[str, ast.expr]]
"""Of each such class its members, and all of them."""


def folded(texts: Mapping[str, str]) -> dict[str, str]:
    """Return modules with members written where they are used.

    Args:
        texts: of all rewritten modules, each after those that it needs.

    Raises:
        Refused: a member is asked for that the class does not have.
    """
    known: dict[str, _Members] = {}
    found: dict[str, str] = {}
    for name, text in texts.items():
        tree = ast.parse(text)
        own = {
            node.name: members for node in tree.body if isinstance(node, ast.ClassDef) and (members := _members(node))
        }
        here: _Members = dict(own)
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                of = known.get(node.module or "", {})
                here |= {one.asname or one.name: of[one.name] for one in node.names if one.name in of}
        known[name] = own
        found[name] = ast.unparse(ast.fix_missing_locations(_Folding(here, name).visit(tree))) + "\n"
    return found


def _members(node: ast.ClassDef) -> dict[str, ast.expr]:
    """Return the members of a class of constants; nothing for another one."""
    found: dict[str, ast.expr] = {}
    for one in node.body:
        match one:
            case ast.Assign(targets=[ast.Name(name)], value=ast.Constant() as value) if name.isupper():
                found[name] = value
            case ast.Assign(targets=[ast.Name(name)], value=value) if name == MEMBERS:
                found[name] = value
            case _:
                return {}
    return {} if node.bases else found


class _Folding(ast.NodeTransformer):
    """Puts members in the place of their names."""

    def __init__(self, members: _Members, module: str) -> None:
        self._members = members
        self._module = module

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        """Put the member there."""
        if isinstance(node.value, ast.Name) and isinstance(node.ctx, ast.Load) and node.value.id in self._members:
            found = self._members[node.value.id].get(node.attr)
            if found is None:
                raise Refused(self._module, node, f"{node.value.id} has no member {node.attr}")
            return found
        self.generic_visit(node)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """Two texts that are alike need not be the same object."""
        self.generic_visit(node)
        if any(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in (node.left, *node.comparators)):
            node.ops = [_LIKE.get(type(one), type(one))() for one in node.ops]
        return node


_LIKE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Is: ast.Eq, ast.IsNot: ast.NotEq}
