"""What the grammar lets pass and the compiler does not: forgotten semicolons, empty statements, properties without a value."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from tree_sitter import Node

from al_check.finding import Finding
from al_check.model import App
from al_check.tree import Source, child, plain, text

__all__ = ["check"]


def check(app: App) -> Iterator[Finding]:
    """Check every file's shape."""
    for source in app.sources:
        yield from _of(source)


@lru_cache(maxsize=256)
def _of(source: Source) -> tuple[Finding, ...]:
    return tuple(found for node in source.nodes for found in _node(source, node))


def _node(source: Source, node: Node) -> Iterator[Finding]:
    match node.type:
        case "property":
            yield from _property(source, node)
        case "type_specification" if node.children and node.children[0].type == "identifier":
            yield source.at(
                node, f"type {text(node)!r}", "there is no such type", "write Record, Codeunit or Enum before it"
            )
        case "page_field" if not plain(child(node, "name")) or child(node, "source") is None:
            yield source.at(node, "page field", "it has no name or no source", "write both: field(Name; Rec.Name)")
        case "statement_block":
            yield from _statements(source, node)
        case "empty_statement":
            yield source.at(node, "semicolon", "it ends nothing", "take it out")
        case "call_statement":
            yield source.at(
                node, f"statement {text(node)!r}", "it is a name and no more", "call it with brackets, or take it out"
            )
        case "unary_expression" if node.children[0].type == "+":
            yield source.at(node, f"expression {text(node)!r}", "the plus has nothing before it", "take it out")
        case "procedure" | "trigger_declaration" if node.is_named and not _ended(node):
            yield source.at(
                node, f"{plain(child(node, 'name'))}", "nothing ends it", "write a semicolon behind its end"
            )


def _property(source: Source, node: Node) -> Iterator[Finding]:
    name = plain(child(node, "name"))
    if node.child_by_field_name("value") is None:
        yield source.at(node, f"property {name!r}", "it has no value", "write one")
    if node.children[-1].type != ";":
        yield source.at(node, f"property {name!r}", "nothing ends it", "write a semicolon")


def _statements(source: Source, block: Node) -> Iterator[Finding]:
    before = None
    for each in block.children:
        if "comment" in each.type:
            continue
        if (
            before is not None
            and before.type not in (";", "empty_statement")
            and each.type not in (";", "empty_statement")
        ):
            yield source.at(
                before, f"statement {text(before).splitlines()[0]!r}", "nothing ends it", "write a semicolon"
            )
        before = each


def _ended(node: Node) -> bool:
    if node.children[-1].type == ";":
        return True
    after = node.next_sibling
    if after is not None and after.type == ";":
        return True
    body = child(node, "body")
    return body is not None and body.children[-1].type == ";"
