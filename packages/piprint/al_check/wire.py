"""What the extension says on the wire: entities, fields, actions and states, as plain data to compare with the contract."""

from __future__ import annotations

from typing import Any

from al_check.model import App, Control, Object, Type
from al_check.tree import child, children, plain, properties, string, text, walk

__all__ = ["contract", "states"]

_KINDS = {
    "blob": "stream",
    "boolean": "boolean",
    "code": "text",
    "dateformula": "dateformula",
    "datetime": "datetime",
    "enum": "state",
    "guid": "guid",
    "integer": "integer",
    "text": "text",
}


def contract(app: App) -> dict[str, Any]:
    """Return what OData clients see: ``{"api", "states", "entities", "permission_sets"}``, all of it JSON."""
    pages = app.of("page")
    by_number = {each.number: each for each in pages}
    entities = [
        _entity(app, by_number[each.page], each.name)
        for each in app.services
        if each.published and each.page in by_number
    ]
    apis = [each for each in pages if each.said("PageType") == "API"]
    entities += [_entity(app, each, each.said("EntitySetName")) for each in sorted(apis, key=lambda each: each.number)]
    groups = {(each.said("APIPublisher"), each.said("APIGroup"), each.said("APIVersion")) for each in apis}
    return {
        "api": [list(each) for each in sorted(groups)],
        "states": states(app),
        "entities": entities,
        "permission_sets": sorted(each.name for each in app.of("permissionset")),
    }


def states(app: App) -> dict[str, list[dict[str, Any]]]:
    """Return each enum's values: name, number, caption, and whether the caption is locked."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in app.of("enum"):
        values = found.setdefault(each.name, [])
        for node in each.nodes:
            if node.type == "enum_value_declaration":
                caption = properties(node).get("caption")
                literals = children(caption, "string_literal") or ([caption] if caption is not None else [])
                values.append(
                    {
                        "name": plain(child(node, "value_name")),
                        "number": int(text(child(node, "value_id") or node)),
                        "caption": string(literals[0]) if literals else "",
                        "locked": caption is not None and "locked=true" in text(caption).lower().replace(" ", ""),
                    }
                )
    return found


def _entity(app: App, page: Object, name: str) -> dict[str, Any]:
    table = app.get("table", page.said("SourceTable"))
    insert = page.yes("InsertAllowed", default=True)
    modify = page.yes("ModifyAllowed", default=True)
    fields = [_field(app, page, table, each, writable=insert or modify) for each in page.controls]
    return {
        "name": name,
        "page": page.number,
        "table": page.said("SourceTable"),
        "key": _key(page, table),
        "insert": insert,
        "modify": modify,
        "fields": fields,
        "actions": [
            {
                "name": each.name,
                "parameters": [
                    {
                        "name": _written(each.node, name),
                        "kind": _KINDS.get(type_.kind, type_.kind),
                        "length": type_.length,
                    }
                    for name, type_ in each.parameters.items()
                    if type_.kind != "webserviceactioncontext"
                ],
            }
            for each in page.procedures
            if each.enabled
        ],
    }


def _written(procedure: Any, name: str) -> str:
    for each in walk(procedure):
        if each.type == "parameter" and plain(child(each, "name")).lower() == name:
            return plain(child(each, "name"))
    return name


def _key(page: Object, table: Object | None) -> str:
    wanted = page.said("ODataKeyFields")
    if not wanted and table:
        keys = [each for each in table.nodes if each.type == "key_declaration"]
        wanted = ",".join(plain(each) for each in children(child(keys[0], "fields"), "identifier")) if keys else ""
    return next((each.name for each in page.controls if each.column.lower() == wanted.lower()), wanted)


def _field(app: App, page: Object, table: Object | None, control: Control, *, writable: bool) -> dict[str, Any]:
    column = table.column(control.column) if table and control.column else None
    kind = Type("")
    if control.variable:
        kind = page.variables.get(control.variable.lower(), Type(""))
    elif table:
        kind = app.type_of_column(table, control.column) or Type("")
    fixed = plain(control.properties.get("editable")).lower() == "false"
    return {
        "name": control.name,
        "kind": _KINDS.get(kind.kind, kind.kind),
        "length": kind.length,
        "writable": writable and not fixed and (column is None or column.editable),
        "looked_up": bool(column and column.flow),
    }
