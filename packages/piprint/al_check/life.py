"""Checks of an extension's life: what the first installation, an upgrade and a new company do, each step once.

Source: Microsoft Learn, *Upgrading extensions* (upgrade tags) and *Writing extension install code*.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from al_check.finding import Finding
from al_check.model import App, Object, Procedure
from al_check.reach import Reach, Routine, reach_of
from al_check.tree import child, plain, string, text, walk

__all__ = ["CHECKS"]

_ENQUEUE = "Job Queue - Enqueue"
_BEGINNINGS = (
    ("install", "oninstallapppercompany", "an installation"),
    ("upgrade", "onupgradepercompany", "an upgrade"),
    ("", "oncompanyinitialize", "a new company"),
)


def schedules(app: App) -> Iterator[Finding]:
    """Whatever is run by the job queue is scheduled in every company, without anybody thinking of it."""
    reach = reach_of(app)
    for job in app.of("codeunit"):
        if job.said("TableNo").lower() != "job queue entry":
            continue
        for subtype, trigger, words in _BEGINNINGS:
            roots = list(_beginning(app, reach, subtype, trigger))
            if not any(_enqueues(reach, each) for each in reach.all(roots)):
                why = f"{words} does not schedule it"
                yield job.source.at(job.node, f"codeunit {job.name}", why, f"enqueue it from {trigger}")


def _beginning(app: App, reach: Reach, subtype: str, name: str) -> Iterator[Routine]:
    for owner in app.of("codeunit"):
        for each in owner.procedures:
            if (
                subtype and owner.said("Subtype").lower() == subtype and each.trigger and each.name.lower() == name
            ) or (not subtype and _event(each).lower() == name):
                yield reach.routine(owner, each)


def _event(procedure: Procedure) -> str:
    """Return the event a procedure subscribes to; "" for none."""
    for node in procedure.attributes:
        if plain(child(node, "name")).lower() == "eventsubscriber":
            listed = child(node, "arguments", "attribute_argument_list")
            literals = [each for each in listed.children if each.type == "string_literal"] if listed is not None else []
            return string(literals[0]) if literals else ""
    return ""


def _enqueues(reach: Reach, routine: Routine) -> bool:
    return any(use.base == _ENQUEUE for use in reach.of(routine)[0])


def tags(app: App) -> Iterator[Finding]:
    """An upgrade has steps that are taken once; a first installation and a new company take none of them later."""
    upgrades = [each for each in app.of("codeunit") if each.said("Subtype").lower() == "upgrade"]
    installs = [each for each in app.of("codeunit") if each.said("Subtype").lower() == "install"]
    for owner in upgrades:
        asked, done = _named(owner, "HasUpgradeTag"), _named(owner, "SetUpgradeTag", "SetDatabaseUpgradeTag")
        say = owner.source.at
        if not asked:
            yield say(
                owner.node, f"codeunit {owner.name}", "it has no upgrade tag", "ask HasUpgradeTag before each step"
            )
        for name in sorted(asked ^ done):
            yield say(owner.node, f"upgrade tag {name}", "it is not both asked for and set", "do both around its step")
        for name in sorted(asked):
            if not any(name in _named(each, "SetUpgradeTag", "SetDatabaseUpgradeTag") for each in installs):
                yield say(owner.node, f"upgrade tag {name}", "a first installation does not set it", "set it there")
            if name not in _registered(app):
                why = "it is not told to new companies"
                yield say(
                    owner.node,
                    f"upgrade tag {name}",
                    why,
                    "add it in OnGetPerCompanyUpgradeTags or OnGetPerDatabaseUpgradeTags",
                )


def _named(owner: Object, *methods: str) -> set[str]:
    """Return the procedures whose answer is the first argument of calls of these methods."""
    found = set()
    for node in owner.nodes:
        function = child(node, "function") if node.type == "call_expression" else None
        if function is not None and plain(child(function, "member")) in methods:
            brackets = child(node, "arguments")
            first = next((each for each in brackets.children if each.is_named), None) if brackets else None
            found.add(_last(first))
    return found - {""}


def _registered(app: App) -> set[str]:
    found = set()
    for owner in app.of("codeunit"):
        for each in owner.procedures:
            if _event(each) in ("OnGetPerCompanyUpgradeTags", "OnGetPerDatabaseUpgradeTags"):
                for node in walk(child(each.node, "body") or each.node):
                    if node.type == "call_expression" and text(child(node, "function") or node).endswith(".Add"):
                        brackets = child(node, "arguments")
                        first = next((each for each in brackets.children if each.is_named), None) if brackets else None
                        found.add(_last(first))
    return found


def _last(node: Node | None) -> str:
    """Return the name at the end of an expression such as ``Tags.CleanUp()``."""
    if node is None:
        return ""
    function = child(node, "function") if node.type == "call_expression" else node
    if function is None:
        return ""
    return plain(child(function, "member") if function.type == "member_expression" else function)


CHECKS = (schedules, tags)
