"""Checks of the objects themselves: numbers, names, fields, keys, formulas, enums and event subscribers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tree_sitter import Node

from al_check.finding import Finding
from al_check.model import App, Object, TableField, Type
from al_check.platform import ATTRIBUTES, EVENTS, PROPERTIES, TRIGGERS, VALUES
from al_check.tree import child, children, plain, string, text, walk
from al_check.wire import states

__all__ = ["CHECKS"]

_FILES = {
    "codeunit": "Codeunit",
    "enum": "Enum",
    "page": "Page",
    "pageextension": "PageExt",
    "permissionset": "PermissionSet",
    "permissionsetextension": "PermissionSetExt",
    "table": "Table",
}


def objects(app: App) -> Iterator[Finding]:
    """Numbers are in range and used once per kind, names once; one object in a file that is called after it."""
    numbers: dict[tuple[str, int], Object] = {}
    names: dict[tuple[str, str], Object] = {}
    ranges = [(each["from"], each["to"]) for each in app.manifest.get("idRanges", [])]
    for each in app.objects:
        say = each.source.at
        if not any(low <= each.number <= high for low, high in ranges):
            yield say(
                each.node,
                f"{each.kind} {each.number}",
                "app.json's idRanges do not hold it",
                "take a number that they do",
            )
        other = numbers.setdefault((each.kind, each.number), each)
        if other is not each:
            yield say(each.node, f"{each.kind} {each.number}", f"{other.name} has that number, too", "take a free one")
        other = names.setdefault((each.kind, each.name.lower()), each)
        if other is not each:
            yield say(each.node, f"{each.kind} {each.name}", f"{other.source.name} has that name, too", "rename one")
        wanted = f"{each.name}.{_FILES.get(each.kind, each.kind)}.al"
        if PurePosixPath(each.source.name).name != wanted:
            yield say(each.node, f"{each.kind} {each.name}", f"its file should be called {wanted}", "rename the file")


def elements(app: App) -> Iterator[Finding]:
    """Properties are known and given once; elements of a kind have different names."""
    for each in app.objects:
        for node in each.nodes:
            known = PROPERTIES.get(node.type)
            if known is not None:
                yield from _properties(each, node, known)
        yield from _repeated(each)


def _properties(owner: Object, node: Node, known: frozenset[str]) -> Iterator[Finding]:
    seen = set()
    for each in children(child(node, "body"), "property"):
        name = plain(each.child_by_field_name("name"))
        kind = node.type.removesuffix("_declaration").replace("_", " ")
        if name.lower() not in known:
            yield owner.source.at(each, f"property {name!r}", f"a {kind} has no such property", "correct the name")
        if name.lower() in seen:
            yield owner.source.at(each, f"property {name!r}", "it is set twice", "leave one")
        seen.add(name.lower())
        value = plain(each.child_by_field_name("value"))
        if name.lower() in VALUES and value.lower() not in VALUES[name.lower()]:
            yield owner.source.at(each, f"{name} {value!r}", "the property has no such value", "correct it")


def _repeated(owner: Object) -> Iterator[Finding]:
    seen: set[tuple[str, str]] = set()
    kinds = {"page_field": "control", "group_section": "control", "repeater_section": "control"}
    kinds |= {"action_declaration": "action", "actionref_declaration": "action"}
    for node in owner.nodes:
        if node.type in kinds:
            name = plain(child(node, "promoted_name" if node.type == "actionref_declaration" else "name"))
            key = (kinds[node.type], name.lower())
            if key in seen:
                yield owner.source.at(node, f"{key[0]} {name!r}", "there are two", "rename one")
            seen.add(key)
    kind = f"{owner.kind} {owner.said('Subtype')}".strip().lower()
    triggers = TRIGGERS.get(kind, TRIGGERS.get(owner.kind.removesuffix("extension"), frozenset()))
    for each in owner.procedures:
        if each.trigger and each.name.lower() not in triggers:
            yield owner.source.at(each.node, f"trigger {each.name!r}", f"a {kind} has none of that name", "correct it")
        for attribute in each.attributes:
            name = plain(child(attribute, "name"))
            if name.lower() not in ATTRIBUTES:
                yield owner.source.at(attribute, f"attribute {name!r}", "there is none of that name", "correct it")
    names = [each for each in owner.procedures if not each.trigger]
    for index, each in enumerate(names):
        if any(other.name.lower() == each.name.lower() for other in names[:index]):
            yield owner.source.at(each.node, f"procedure {each.name}", "there are two of that name", "rename one")


def tables(app: App) -> Iterator[Finding]:
    """Fields differ in number and name; keys, formulas and relations lead to fields; data is classified."""
    for table in app.of("table"):
        fields = table.fields
        for index, each in enumerate(fields):
            say = table.source.at
            for other in fields[:index]:
                if other.number == each.number:
                    yield say(
                        each.node,
                        f"field {each.number} {each.name}",
                        f"{other.name} has that number",
                        "take a free one",
                    )
                if other.name.lower() == each.name.lower():
                    yield say(each.node, f"field {each.name}", f"field {other.number} has that name", "rename one")
            if not (each.flow or "dataclassification" in table.properties or "dataclassification" in each.properties):
                yield say(each.node, f"field {each.name}", "its data is not classified", "add DataClassification")
            if each.type.kind == "enum" and not app.get("enum", each.type.name):
                yield say(each.node, f"type {each.type.text}", "there is no such enum", "correct the name")
            yield from _formula(app, table, each)
            yield from _relation(app, table, each)
        yield from _keys(table)


def _keys(table: Object) -> Iterator[Finding]:
    keys = [each for each in table.nodes if each.type in ("key_declaration", "fieldgroup_declaration")]
    if not any(each.type == "key_declaration" for each in keys):
        yield table.source.at(table.node, f"table {table.name}", "it has no key", "add keys")
    seen = set()
    for key in keys:
        name = plain(child(key, "name"))
        if name.lower() in seen:
            yield table.source.at(key, f"key {name!r}", "there are two of that name", "rename one")
        seen.add(name.lower())
        listed = children(child(key, "fields"), "identifier", "quoted_identifier")
        for index, node in enumerate(listed):
            column = table.column(plain(node))
            if column is None:
                yield table.source.at(
                    node, f"key field {plain(node)!r}", f"{table.name} has no such field", "correct it"
                )
            elif column.flow and key.type == "key_declaration":
                yield table.source.at(
                    node, f"key field {plain(node)!r}", "a FlowField is in no key", "take a stored field"
                )
            if plain(node).lower() in {plain(each).lower() for each in listed[:index]}:
                yield table.source.at(node, f"key field {plain(node)!r}", "the key has it twice", "leave one")


def _formula(app: App, table: Object, field: TableField) -> Iterator[Finding]:
    formula = field.properties.get("calcformula")
    say = table.source.at
    if field.flow and formula is None:
        yield say(field.node, f"FlowField {field.name}", "it has no CalcFormula", "write one")
    if formula is None:
        return
    if not field.flow:
        yield say(formula, f"CalcFormula of {field.name}", "the field is no FlowField", "set FieldClass = FlowField")
    if plain(field.properties.get("editable")).lower() != "false":
        yield say(field.node, f"FlowField {field.name}", "nobody can write it", "set Editable = false")
    names = [plain(each) for each in children(child(formula, "target"), "identifier", "quoted_identifier")]
    other = app.get("table", names[0]) if names else None
    if other is None:
        yield say(formula, f"CalcFormula of {field.name}", "its table is none of the extension's", "correct the name")
        return
    if len(names) > 1 and not other.column(names[1]):
        yield say(
            formula, f"CalcFormula of {field.name}", f"{other.name} has no field {names[1]!r}", "correct the name"
        )
    elif len(names) > 1 and (found := other.column(names[1])) and found.type != field.type:
        why = f"{other.name}.{names[1]} is {found.type.text}, the field {field.type.text}"
        yield say(formula, f"CalcFormula of {field.name}", why, "make both the same")
    for condition in walk(formula):
        if condition.type == "where_condition":
            yield from _condition(app, table, other, condition)


def _condition(app: App, table: Object, other: Object, node: Node) -> Iterator[Finding]:
    name = plain(child(node, "field"))
    column = other.column(name)
    value = child(node, "value")
    say = table.source.at
    if column is None:
        yield say(node, f"condition on {name!r}", f"{other.name} has no such field", "correct the name")
        return
    if column.flow:
        yield say(node, f"condition on {name!r}", "a FlowField cannot be a condition of another", "take a stored field")
    if value is None:
        return
    if any(each.type == "field_keyword" for each in node.children) and not table.column(plain(value)):
        yield say(value, f"condition field {plain(value)!r}", f"{table.name} has no such field", "correct the name")
    if any(each.type == "const_keyword" for each in node.children) and column.type.kind == "enum":
        known = {each["name"].lower() for each in states(app).get(column.type.name, [])}
        if plain(value).lower() not in known:
            yield say(
                value, f"value {plain(value)!r}", f"the enum {column.type.name} has no such value", "correct the name"
            )


def _relation(app: App, table: Object, field: TableField) -> Iterator[Finding]:
    relation = field.properties.get("tablerelation")
    if relation is None:
        return
    names = [plain(each) for each in walk(relation) if each.type in ("identifier", "quoted_identifier")]
    other = app.get("table", names[0]) if names else None
    if names and other is None:
        yield table.source.at(
            relation, f"relation to {names[0]!r}", "the extension has no such table", "correct the name"
        )
    elif other is not None and len(names) > 1 and not other.column(names[1]):
        yield table.source.at(
            relation, f"relation to {names[1]!r}", f"{other.name} has no such field", "correct the name"
        )


def enums(app: App) -> Iterator[Finding]:
    """Values differ in number and name, and their captions are locked: web services tell the caption."""
    for enum in app.of("enum"):
        seen: dict[object, str] = {}
        for node, value in zip(
            (each for each in enum.nodes if each.type == "enum_value_declaration"),
            states(app)[enum.name],
            strict=True,
        ):
            say = enum.source.at
            for key in (value["number"], value["name"].lower()):
                if key in seen:
                    yield say(
                        node, f"enum value {value['name']} {value['number']}", f"{seen[key]} has it", "change one"
                    )
                seen[key] = value["name"]
            if not value["locked"]:
                why = "its caption is not locked, and web services would tell it translated"
                yield say(node, f"enum value {value['name']}", why, "add Locked = true")


def events(app: App) -> Iterator[Finding]:
    """Subscribers name events that exist, and take parameters as the event gives them."""
    for owner in app.of("codeunit"):
        for procedure in owner.procedures:
            for node in procedure.attributes:
                if plain(child(node, "name")).lower() == "eventsubscriber":
                    yield from _event(owner, procedure.parameters, node)


def _event(owner: Object, parameters: dict[str, Type], node: Node) -> Iterator[Finding]:
    listed = child(node, "arguments", "attribute_argument_list")
    given = [each for each in listed.children if each.is_named] if listed is not None else []
    say = owner.source.at
    if len(given) != 6:  # noqa: PLR2004 - object type, object, event, element, two booleans
        yield say(
            node, "EventSubscriber", "it takes 6 arguments", "give object type, object, event, element and two booleans"
        )
        return
    if any(text(each).lower() != "true" for each in given[4:]):
        why = "whoever has no right to the codeunit could not go on"
        yield say(node, f"subscriber of {string(given[2])}", why, "skip it then: set the last two arguments to true")
    publisher, event = plain(given[1].child_by_field_name("table_name")), string(given[2])
    wanted = EVENTS.get((publisher, event))
    if wanted is None or text(given[0]).lower() != "objecttype::codeunit":
        yield say(
            node, f"event {publisher}.{event}", "it is not known here", "correct it, or add it to al_check.platform"
        )
        return
    for name, type_ in parameters.items():
        said = type_.text
        if name not in wanted:
            yield say(
                node, f"parameter {name!r}", f"the event {event} has none of that name", "call it as the event does"
            )
        elif said.lower() != wanted[name].lower():
            yield say(node, f"parameter {name!r}", f"it is {said}, the event's is {wanted[name]}", "make it the same")


CHECKS = (objects, elements, tables, enums, events)
