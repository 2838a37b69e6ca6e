"""Checks of what joins objects: permission sets, web services, the manifest."""

from __future__ import annotations

from collections.abc import Iterator

from al_check.base import TABLES
from al_check.finding import Finding
from al_check.model import App, Object
from al_check.tree import child, plain, text, walk
from al_check.xliff import LANGUAGES

__all__ = ["CHECKS", "granted", "included"]

_KINDS = {"tabledata": "table", "table": "table", "page": "page", "codeunit": "codeunit"}


def granted(app: App, owner: Object) -> dict[tuple[str, str], str]:
    """Return the rights of a permission set with those it includes, or those an object has: (keyword, object) -> letters."""
    found: dict[tuple[str, str], str] = {}
    for name in included(owner):
        other = app.get("permissionset", name)
        if other is not None and other is not owner:
            for key, letters in granted(app, other).items():
                found[key] = found.get(key, "") + letters
    for node in owner.nodes:
        if node.type == "tabledata_permission":
            key = (text(node.children[0]).lower(), plain(child(node, "table_name")).lower())
            found[key] = found.get(key, "") + plain(child(node, "permission"))
    return found


def included(owner: Object) -> list[str]:
    """Return the names of the permission sets another one includes."""
    node = owner.properties.get("includedpermissionsets")
    return (
        [plain(each) for each in walk(node) if each.type in ("identifier", "quoted_identifier")]
        if node is not None
        else []
    )


def permissions(app: App) -> Iterator[Finding]:
    """Rights are for objects that exist, those asked for in code, too."""
    for owner in app.of("permissionset", "permissionsetextension"):
        for name in included(owner):
            if app.get("permissionset", name) is None:
                what = f"permission set {name!r}"
                yield owner.source.at(owner.node, what, "there is none of that name", "correct it")
    for owner in app.objects:
        for node in owner.nodes:
            if node.type != "tabledata_permission":
                continue
            kind, name = text(node.children[0]).lower(), plain(child(node, "table_name"))
            if app.get(_KINDS.get(kind, kind), name) is None and not (kind == "tabledata" and name.lower() in TABLES):
                yield owner.source.at(node, f"right to {kind} {name!r}", "there is none of that name", "correct it")
            letters = plain(child(node, "permission")).lower()
            if len(set(letters)) != len(letters) or not set(letters) <= set("rimd" if kind == "tabledata" else "x"):
                yield owner.source.at(node, f"rights {letters!r}", f"they are no rights to {kind}", "correct them")


def coverage(app: App) -> Iterator[Finding]:
    """Somebody can be given each object."""
    covered = {key for owner in app.of("permissionset") for key in granted(app, owner)}
    for each in app.of("table", "page", "codeunit"):
        kinds = ("table", "tabledata") if each.kind == "table" else (each.kind,)
        for kind in kinds:
            if (kind, each.name.lower()) not in covered:
                why = f"no permission set gives rights to {kind} {each.name}"
                yield each.source.at(each.node, f"{each.kind} {each.name}", why, "add it to one")


def services(app: App) -> Iterator[Finding]:
    """Published pages exist, are called as their service, and one permission set opens each with its table."""
    pages = {each.number: each for each in app.of("page")}
    seen: set[str] = set()
    for each in app.services:
        page = pages.get(each.page)
        what = f"web service {each.name}"
        if each.name in seen:
            yield Finding(each.file, each.line, what, "it is there twice", "leave one")
        seen.add(each.name)
        if not each.published or each.kind != "Page":
            yield Finding(each.file, each.line, what, "it is no published page", "set Page and Published = true")
        if page is None:
            yield Finding(each.file, each.line, what, f"there is no page {each.page}", "correct ObjectID")
        elif page.name != each.name:
            yield Finding(
                each.file, each.line, what, f"page {each.page} is {page.name}", "correct ObjectID or ServiceName"
            )
    for page in pages.values():
        if page.name.endswith("WS") and page.name not in seen:
            yield page.source.at(page.node, f"page {page.name}", "no XML file publishes it", "add a TenantWebService")
    reachable = [page for page in pages.values() if page.name in seen or page.said("PageType") == "API"]
    for page in reachable:
        table = page.said("SourceTable").lower()
        sets = [granted(app, each) for each in app.of("permissionset")]
        if not any(("page", page.name.lower()) in each and "R" in each.get(("tabledata", table), "") for each in sets):
            yield page.source.at(
                page.node, f"page {page.name}", "no permission set opens it with its table", "add it to one"
            )


def manifest(app: App) -> Iterator[Finding]:
    """The manifest asks for translations and names their languages."""
    name = "app.json"
    if "TranslationFile" not in app.manifest.get("features", []):
        yield Finding(name, 1, "features", "translations are not switched on", 'add "TranslationFile"')
    for language in LANGUAGES:
        if language not in app.manifest.get("supportedLocales", []):
            yield Finding(name, 1, "supportedLocales", f"{language} is missing", "add it")
    for key in ("id", "publisher", "name", "version", "platform", "application", "runtime", "target"):
        if not app.manifest.get(key):
            yield Finding(name, 1, key, "it is missing", "set it")


CHECKS = (permissions, coverage, services, manifest)
