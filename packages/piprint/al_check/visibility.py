"""Check of what other extensions can build on: only what is public on purpose, and what that itself tells.

Source: Microsoft Learn, *Access property*: codeunits, queries, tables, their fields, enums, interfaces and permission sets have it,
and are public without it; pages do not. It hides objects from other extensions' compilers, and from nothing else: web services,
permission sets and people find internal tables as before.
"""

from __future__ import annotations

from collections.abc import Iterator

from al_check.finding import Finding
from al_check.model import App, Object

__all__ = ["CHECKS"]

_KINDS = ("codeunit", "enum", "table")
"""What the extension has of those; permission sets stay public, as people and other sets include them."""
_OF_TYPE = {"record": "table", "enum": "enum", "codeunit": "codeunit"}


def access(app: App) -> Iterator[Finding]:
    """Each object says what it is: public codeunits and what their signatures name, all others internal."""
    told = {(kind, name) for owner in app.of("codeunit") if _public(owner) for kind, name in _told(owner)}
    for each in app.of(*_KINDS):
        what, said = f"{each.kind} {each.name}", each.said("Access").lower()
        if not said:
            yield each.source.at(each.node, what, "it is public without saying so", "write Access = Internal")
        elif _public(each) and each.kind != "codeunit" and (each.kind, each.name.lower()) not in told:
            yield each.source.at(each.node, what, "it is public, and no public codeunit tells it", "make it internal")
        elif not _public(each) and (each.kind, each.name.lower()) in told:
            yield each.source.at(
                each.node, what, "a public codeunit tells it, and others cannot name it", "make it public"
            )


def _public(owner: Object) -> bool:
    return owner.said("Access").lower() == "public"


def _told(owner: Object) -> Iterator[tuple[str, str]]:
    """Return the kinds and names of own types in what others can call of a codeunit."""
    for each in owner.procedures:
        if not each.local and not each.trigger:
            for kind in (*each.parameters.values(), each.returns):
                if kind.kind in _OF_TYPE:
                    yield _OF_TYPE[kind.kind], kind.name.lower()


CHECKS = (access,)
