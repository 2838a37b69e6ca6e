"""The objects of an extension, read from its syntax trees: names, numbers, types and who refers to whom. Judges nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

from tree_sitter import Node

from al_check.platform import SYSTEM_FIELDS
from al_check.tree import Source, child, children, parse, plain, properties, string, text, walk

__all__ = ["App", "Control", "Object", "Procedure", "Service", "TableField", "Type", "read_type"]


@dataclass(frozen=True, slots=True)
class Type:
    """A type: ``kind`` in lower case (``text``, ``record``, ``enum``, ``jsonobject`` ...), a ``name`` for own things."""

    kind: str
    name: str = ""
    length: int | None = None
    text: str = ""


def read_type(node: Node | None) -> Type:
    """Read a type specification; ``Type("")`` for none."""
    if node is None:
        return Type("")
    said = " ".join(text(node).split())
    inner = node.children[0] if node.type == "type_specification" and node.children else node
    reference = inner.child_by_field_name("reference")
    if reference is not None:
        return Type(text(inner.children[0]).lower(), plain(reference), text=said)
    length = inner.child_by_field_name("length")
    if length is not None:
        return Type(said.split("[", maxsplit=1)[0].strip().lower(), length=int(text(length)), text=said)
    return Type(said.replace("[", " ").split(" ", maxsplit=1)[0].lower(), text=said)


@dataclass(frozen=True, slots=True)
class TableField:
    """A field of a table."""

    number: int
    name: str
    type: Type
    node: Node
    properties: dict[str, Node]

    @property
    def flow(self) -> bool:
        """Whether it is calculated from other tables."""
        return plain(self.properties.get("fieldclass")).lower() == "flowfield"

    @property
    def editable(self) -> bool:
        """Whether it may be written through a page."""
        return not self.flow and plain(self.properties.get("editable")).lower() != "false"


@dataclass(frozen=True, slots=True)
class Procedure:
    """A procedure or trigger: its code and what names mean in it."""

    name: str
    node: Node
    parameters: dict[str, Type]
    variables: dict[str, Type]
    returns: Type
    local: bool
    trigger: bool
    attributes: tuple[Node, ...]

    @property
    def enabled(self) -> bool:
        """Whether OData may call it."""
        return any(plain(child(each, "name")).lower() == "serviceenabled" for each in self.attributes)


@dataclass(frozen=True, slots=True)
class Control:
    """A field on a page: ``column`` is the table's field it shows, "" for a page variable (then ``variable``)."""

    name: str
    node: Node
    column: str
    variable: str
    properties: dict[str, Node]


@dataclass(frozen=True, slots=True)
class Service:
    """A web service published by an XML file."""

    name: str
    page: int
    kind: str
    published: bool
    file: str
    line: int


@dataclass(eq=False)
class Object:
    """A table, page, codeunit, enum, permission set or extension of one."""

    kind: str
    number: int
    name: str
    source: Source
    node: Node
    properties: dict[str, Node] = field(default_factory=dict)

    def said(self, name: str) -> str:
        """Return a property as plain text; "" when it is not set."""
        node = self.properties.get(name.lower())
        if node is None:
            return ""
        return string(node) if node.type == "string_literal" else plain(node)

    def yes(self, name: str, *, default: bool) -> bool:
        """Return a property that is true or false."""
        said = self.said(name).lower()
        return default if not said else said == "true"

    @cached_property
    def nodes(self) -> tuple[Node, ...]:
        """All nodes of the object, in the order of the text."""
        return tuple(walk(self.node))

    @cached_property
    def fields(self) -> list[TableField]:
        """Return a table's fields."""
        found = []
        for node in self.nodes:
            if node.type == "field_declaration":
                number = child(node, "id")
                kind = read_type(node.child_by_field_name("type"))
                number_ = int(text(number)) if number is not None else 0
                found.append(TableField(number_, plain(child(node, "name")), kind, node, properties(node)))
        return found

    def column(self, name: str) -> TableField | None:
        """Return a table's field by name, whatever its case."""
        return next((each for each in self.fields if each.name.lower() == name.lower()), None)

    @cached_property
    def controls(self) -> list[Control]:
        """Return the fields on a page."""
        found = []
        for node in self.nodes:
            if node.type != "page_field":
                continue
            source = node.child_by_field_name("source")
            column = variable = ""
            if source is not None and source.type == "member_expression":
                column = plain(child(source, "member"))
            elif source is not None:
                variable = plain(source)
            found.append(Control(plain(child(node, "name")), node, column, variable, properties(node)))
        return found

    @cached_property
    def procedures(self) -> tuple[Procedure, ...]:
        """Return all procedures and triggers, those of fields and actions, too."""
        return tuple(self._procedures())

    def _procedures(self) -> Iterator[Procedure]:
        pending: list[Node] = []
        for node in self.nodes:
            if node.type == "attribute_item":
                pending.append(node)
            elif node.is_named and node.type in ("procedure", "trigger_declaration"):
                yield _procedure(node, tuple(child(each, "attribute") or each for each in pending))
                pending = []

    @cached_property
    def variables(self) -> dict[str, Type]:
        """Return the object's global variables."""
        return _variables(children(child(self.node, "body"), "var_section"))


def _variables(sections: list[Node]) -> dict[str, Type]:
    found = {}
    for section in sections:
        for each in children(child(section, "body"), "variable_declaration"):
            for name in each.children_by_field_name("name"):
                found[plain(name).lower()] = read_type(each.child_by_field_name("type"))
    return found


def _procedure(node: Node, attributes: tuple[Node, ...]) -> Procedure:
    parameters = {}
    for each in children(child(node, "parameters"), "parameter"):
        kind = read_type(each.child_by_field_name("type"))
        var = "var " if child(each, "modifier") else ""
        parameters[plain(child(each, "name")).lower()] = Type(kind.kind, kind.name, kind.length, var + kind.text)
    variables = _variables(children(node, "var_section"))
    returns = read_type(node.child_by_field_name("return_type"))
    named = node.child_by_field_name("return_value")
    if named is not None:
        variables[plain(named).lower()] = returns
    local = "local" in text(node).split("procedure", maxsplit=1)[0].lower() and node.type == "procedure"
    trigger = node.type == "trigger_declaration"
    return Procedure(plain(child(node, "name")), node, parameters, variables, returns, local, trigger, attributes)


@dataclass(slots=True, eq=False)
class App:
    """An extension: its manifest, sources and objects."""

    folder: Path
    manifest: dict[str, Any]
    sources: list[Source]
    objects: list[Object]
    services: list[Service]

    @classmethod
    def read(cls, folder: Path, instead: Mapping[str, bytes] | None = None) -> App:
        """Read an extension's folder.

        Args:
            folder: where app.json is.
            instead: other contents of ``.al`` files, by path relative to the folder, to judge a change not yet written.
        """
        manifest = json.loads((folder / "app.json").read_text("utf-8-sig"))
        sources = [parse(folder, path, instead) for path in sorted(folder.rglob("*.al"))]
        objects = [found for source in sources for found in _objects(source)]
        return cls(folder, manifest, sources, objects, list(_services(folder)))

    def of(self, *kinds: str) -> list[Object]:
        """Return the objects of these kinds."""
        return [each for each in self.objects if each.kind in kinds]

    def get(self, kind: str, name: str) -> Object | None:
        """Return an own object by name, whatever its case; None for one of another extension."""
        return next((each for each in self.of(kind) if each.name.lower() == name.lower()), None)

    def type_of_column(self, table: Object, name: str) -> Type | None:
        """Return the type of a table's field, the system's own fields included."""
        if name.lower() in SYSTEM_FIELDS:
            return Type(SYSTEM_FIELDS[name.lower()].lower())
        found = table.column(name)
        return found.type if found else None


@lru_cache(maxsize=256)
def _objects(source: Source) -> tuple[Object, ...]:
    return tuple(_declared(source))


def _declared(source: Source) -> Iterator[Object]:
    for node in source.root.children:
        if node.type.endswith("_declaration") and (name := node.child_by_field_name("object_name")):
            number = node.child_by_field_name("object_id")
            number_ = int(text(number)) if number is not None and text(number).isdigit() else 0
            yield Object(node.type.removesuffix("_declaration"), number_, plain(name), source, node, properties(node))


def _services(folder: Path) -> Iterator[Service]:
    for path in sorted(folder.rglob("*.xml")):
        said = path.read_text("utf-8-sig")
        for each in ET.fromstring(said).iter("TenantWebService"):  # noqa: S314 - our own file
            name = each.findtext("ServiceName", "")
            number = each.findtext("ObjectID", "0")
            found = said[: max(said.find(f"<ServiceName>{name}<"), 0)].count("\n") + 1
            published = each.findtext("Published", "") == "true"
            kind = each.findtext("ObjectType", "")
            yield Service(name, int(number), kind, published, path.relative_to(folder).as_posix(), found)
