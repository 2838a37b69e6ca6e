"""Syntax trees of AL files, and the few questions all checks ask of a node. Knows the grammar's names, no AL semantics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import tree_sitter_al
from tree_sitter import Language, Node, Parser

from al_check.finding import Finding

__all__ = ["Source", "child", "children", "line", "parse", "plain", "properties", "string", "text", "walk"]

_PARSER = Parser(Language(tree_sitter_al.language()))


@dataclass(frozen=True, eq=False)
class Source:
    """A parsed file; ``name`` is its path relative to the extension's folder, with slashes."""

    name: str
    root: Node

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes, in the order of the text."""
        return tuple(walk(self.root))

    def at(self, node: Node, what: str, why: str, fix: str) -> Finding:
        """Say something about a node of this file."""
        return Finding(self.name, line(node), what, why, fix)

    def syntax(self) -> Iterator[Finding]:
        """Tell where the grammar could not follow. One defect often makes several: the first is where to look."""
        for node in self.nodes:
            if node.is_missing:
                yield self.at(node, f"missing {node.type!r}", "the grammar needs it here", "write it")
            elif node.is_error:
                start = text(node).split("\n")[0][:60]
                yield self.at(node, f"syntax error at {start!r}", "this is no AL", "look for a missing end, brace or ;")


def parse(folder: Path, path: Path, instead: Mapping[str, bytes] | None = None) -> Source:
    """Parse one file, or what shall stand in it instead."""
    name = path.relative_to(folder).as_posix()
    content = (instead or {}).get(name)
    return _parse(name, path.read_bytes() if content is None else content)


@lru_cache(maxsize=256)  # who judges many changes of one file need not read the others again
def _parse(name: str, content: bytes) -> Source:
    return Source(name, _PARSER.parse(content).root_node)


def walk(node: Node) -> Iterator[Node]:
    """Go through a node and all below it, in the order of the text."""
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def line(node: Node) -> int:
    """Return a node's line, from 1."""
    return int(node.start_point[0]) + 1


def text(node: Node) -> str:
    """Return a node's text as written."""
    return (node.text or b"").decode("utf-8", "replace")


def plain(node: Node | None) -> str:
    """Return a name without its quotes; "" for no node."""
    return text(node).strip('"') if node else ""


def string(node: Node) -> str:
    """Return what a string literal says."""
    return text(node)[1:-1].replace("''", "'")


def children(node: Node | None, *kinds: str) -> list[Node]:
    """Return the children of these kinds."""
    return [each for each in node.children if each.type in kinds] if node else []


def child(node: Node | None, *path: str) -> Node | None:
    """Follow fields (or kinds) downwards; None where the path ends."""
    for step in path:
        if node is None:
            return None
        below = node.child_by_field_name(step)
        node = below if below is not None else next((each for each in node.children if each.type == step), None)
    return node


def properties(node: Node) -> dict[str, Node]:
    """Return the properties of an object or element: value nodes by lower-case name."""
    found = {}
    for each in children(child(node, "body"), "property"):
        value = each.child_by_field_name("value")
        if value is not None:
            found[plain(each.child_by_field_name("name")).lower()] = value
    return found
