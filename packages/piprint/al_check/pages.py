"""Checks of pages: what they show exists, people are told what it is, API pages have all that clients need."""

from __future__ import annotations

import re
from collections.abc import Iterator

from al_check.finding import Finding
from al_check.model import App, Object
from al_check.platform import AREAS, IMAGES
from al_check.tree import child, children, plain, properties, walk

__all__ = ["CHECKS"]

_API = (
    "APIPublisher",
    "APIGroup",
    "APIVersion",
    "EntityName",
    "EntitySetName",
    "ODataKeyFields",
    "SourceTable",
    "DelayedInsert",
)
_CAMEL = re.compile(r"[a-z][A-Za-z0-9]*")
_VERSION = re.compile(r"v\d+\.\d+|beta")


def pages(app: App) -> Iterator[Finding]:
    """Fields on pages exist; people find captions, tooltips and an application area; API pages have all they need."""
    entities: dict[str, Object] = {}
    for page in app.of("page"):
        say = page.source.at
        table = app.get("table", page.said("SourceTable"))
        if table is None:
            yield say(
                page.node, f"page {page.name}", f"there is no table {page.said('SourceTable')!r}", "correct SourceTable"
            )
            continue
        variables = page.variables
        for each in page.controls:
            if each.column and app.type_of_column(table, each.column) is None:
                yield say(
                    each.node, f"field {each.column!r}", f"the table {table.name} has none of that name", "correct it"
                )
            if each.variable and each.variable.lower() not in variables:
                yield say(each.node, f"page field {each.variable!r}", "the page has no such variable", "declare it")
        yield from _sorting(page, table)
        if page.said("PageType") == "API":
            yield from _api(page, entities)
        else:
            yield from _for_people(page)
    for extension in app.of("pageextension"):
        yield from _actions(extension, area=False)


def _sorting(page: Object, table: Object) -> Iterator[Finding]:
    view = page.properties.get("sourcetableview")
    for node in walk(view) if view is not None else ():
        if (
            node.type == "identifier"
            and not table.column(plain(node))
            and plain(node).lower() not in ("ascending", "descending")
        ):
            yield page.source.at(
                node, f"field {plain(node)!r}", f"the table {table.name} has none of that name", "correct it"
            )


def _api(page: Object, entities: dict[str, Object]) -> Iterator[Finding]:
    say = page.source.at
    for name in _API:
        if not page.said(name):
            yield say(page.node, f"API page {page.name}", f"it has no {name}", f"set {name}")
    for name in ("EntityName", "EntitySetName", "APIPublisher", "APIGroup"):
        if page.said(name) and not _CAMEL.fullmatch(page.said(name)):
            yield say(
                page.node, f"{name} {page.said(name)!r}", "it must be letters and digits in camelCase", "correct it"
            )
    if page.said("APIVersion") and not _VERSION.fullmatch(page.said("APIVersion")):
        yield say(page.node, f"APIVersion {page.said('APIVersion')!r}", "it must look like v2.0", "correct it")
    if page.said("ODataKeyFields") not in ("SystemId", ""):
        yield say(
            page.node, f"key of {page.name}", "rows of an API are asked by SystemId", "set ODataKeyFields = SystemId"
        )
    for name in (page.said("EntityName"), page.said("EntitySetName")):
        other = entities.setdefault(name, page)
        if other is not page or page.said("EntityName") == page.said("EntitySetName"):
            yield say(page.node, f"entity {name!r}", f"{other.name} has that name", "choose another")
    yield from _api_members(page)


def _api_members(page: Object) -> Iterator[Finding]:
    say = page.source.at
    for each in page.controls:
        if not _CAMEL.fullmatch(each.name):
            yield say(each.node, f"API field {each.name!r}", "names of an API are camelCase", "correct it")
    for procedure in page.procedures:
        kinds = [each.kind for each in procedure.parameters.values()]
        if procedure.enabled and "webserviceactioncontext" not in kinds:
            yield say(
                procedure.node, f"action {procedure.name}", "it has no WebServiceActionContext", "add the parameter"
            )


def _for_people(page: Object) -> Iterator[Finding]:
    area = bool(page.said("ApplicationArea"))
    if "caption" not in page.properties:
        yield page.source.at(page.node, f"page {page.name}", "it has no caption", "add Caption")
    for each in page.controls:
        for name in ("tooltip",) if each.column else ("tooltip", "caption"):
            if name not in each.properties:
                yield page.source.at(each.node, f"field {each.name}", f"it has no {name}", "add it")
        if not area and "applicationarea" not in each.properties:
            yield page.source.at(each.node, f"field {each.name}", "it has no ApplicationArea", "set it on the page")
    yield from _actions(page, area=area)


def _anchors(page: Object) -> Iterator[Finding]:
    for node in page.nodes:
        if node.type.startswith("add") and node.type.endswith("_action_modification"):
            anchor = children(node, "identifier", "quoted_identifier")
            if anchor and plain(anchor[0]).lower() not in AREAS:
                what = f"anchor {plain(anchor[0])!r}"
                yield page.source.at(node, what, "it is no area of actions every page has", "take one that is")


def _actions(page: Object, *, area: bool) -> Iterator[Finding]:
    nodes = list(page.nodes)
    yield from _anchors(page)
    named = {plain(child(each, "name")).lower() for each in nodes if each.type == "action_declaration"}
    for node in nodes:
        if node.type == "action_declaration":
            found = properties(node)
            for name in ("caption", "tooltip", "image") + (() if area else ("applicationarea",)):
                if name not in found:
                    yield page.source.at(node, f"action {plain(child(node, 'name'))}", f"it has no {name}", "add it")
            image = plain(found.get("image"))
            if image and image.lower() not in IMAGES:
                yield page.source.at(
                    node, f"image {image!r}", "it was not looked up", "correct it, or add it to al_check.platform"
                )
        elif node.type == "actionref_declaration":
            name = plain(child(node, "action_name"))
            if name.lower() not in named:
                yield page.source.at(node, f"actionref to {name!r}", "there is no such action", "correct the name")


def runs(app: App) -> Iterator[Finding]:
    """What properties refer to exists: pages to run, cards, look-ups."""
    for owner in app.objects:
        for node in owner.nodes:
            if node.type != "property":
                continue
            name, value = plain(child(node, "name")).lower(), node.child_by_field_name("value")
            if value is None or name not in ("runobject", "cardpageid", "lookuppageid", "drilldownpageid"):
                continue
            target = [each for each in walk(value) if each.type in ("identifier", "quoted_identifier")]
            if target and target[-1].type == "identifier" and app.get("page", plain(target[-1])) is None:
                yield owner.source.at(node, f"page {plain(target[-1])!r}", "there is none of that name", "correct it")


CHECKS = (pages, runs)
