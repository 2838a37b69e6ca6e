"""Checks of who may do what: all a permission set lets its user run has the rights it needs, and no look-up asks row by row.

See :mod:`al_check.reach` for how rights work.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from al_check.base import TABLES
from al_check.finding import Finding
from al_check.model import App, Object
from al_check.reach import QUESTIONS, READS, Call, Reach, Routine, Use, flows_from, reach_of, within
from al_check.rights import granted
from al_check.tree import child, plain, walk

__all__ = ["CHECKS"]

_WORDS = {"r": "reads", "i": "inserts into", "m": "modifies", "d": "deletes from"}
_LOOPS = ("repeat_statement", "while_statement", "for_statement", "foreach_statement")


def rights(app: App) -> Iterator[Finding]:
    """Whoever has a permission set can run what it opens, to the end."""
    reach = reach_of(app)
    for owner in app.of("permissionset"):
        if owner.yes("Assignable", default=False):
            yield from _of_set(app, reach, owner)


def _of_set(app: App, reach: Reach, owner: Object) -> Iterator[Finding]:
    allowed = granted(app, owner)
    roots: list[Routine] = []
    for each in app.of("page", "codeunit"):
        setup = each.said("Subtype").lower() in ("install", "upgrade")  # run by whoever installs
        if (each.kind, each.name.lower()) in allowed and not setup:
            roots += reach.roots(each)
        if each.kind == "page" and (each.kind, each.name.lower()) in allowed:
            yield from _shown(app, owner, allowed, each)
    for routine in reach.all(roots):
        uses, calls = reach.of(routine)
        for use in uses:
            yield from _judged(app, owner, allowed, use)
        for call in calls:
            yield from _executed(owner, allowed, routine, call)


def _judged(app: App, owner: Object, allowed: dict[tuple[str, str], str], use: Use) -> Iterator[Finding]:
    name = use.routine.owner.name
    letters = allowed.get(("tabledata", use.table), "")
    what = f"{name}.{use.routine.procedure.name}, which {owner.name} can run"
    if use.letter.upper() in letters or use.method in QUESTIONS:
        return
    own = granted(app, use.routine.owner).get(("tabledata", use.table), "").lower()
    if use.letter not in letters:
        why = f"it {_WORDS[use.letter]} table {use.table!r}{f' ({use.base})' if use.base else ''}, and the set has no right to that"
        yield use.routine.owner.source.at(use.node, what, why, f"add the right {use.letter!r} to {owner.name}")
    elif not use.base and use.letter not in own:
        why = f"it {_WORDS[use.letter]} table {use.table!r}, the set's right is indirect, and {name} has no Permissions for it"
        yield use.routine.owner.source.at(use.node, what, why, f"add {use.letter!r} to Permissions of {name}")


def _executed(owner: Object, allowed: dict[tuple[str, str], str], routine: Routine, call: Call) -> Iterator[Finding]:
    other = call.routine.owner
    if other is routine.owner or (other.kind, other.name.lower()) in allowed or other.said("InherentPermissions"):
        return
    what = f"{routine.owner.name}.{routine.procedure.name}, which {owner.name} can run"
    why = f"it calls {other.name}, and the set does not let its user run that"
    yield routine.owner.source.at(call.node, what, why, f"add {other.kind} {other.name} to {owner.name}")


def _shown(app: App, owner: Object, allowed: dict[tuple[str, str], str], page: Object) -> Iterator[Finding]:
    """A page reads its table, and those its FlowFields are calculated from."""
    table = app.get("table", page.said("SourceTable"))
    if table is None:
        return
    names = {table.name.lower()} | {flows_from(table, each.column) for each in page.controls if each.column}
    for name in sorted(names - {""}):
        letters = allowed.get(("tabledata", name), "")
        own = granted(app, page).get(("tabledata", name), "").lower()
        if "R" not in letters and not ("r" in letters and "r" in own):
            what = f"page {page.name}, which {owner.name} opens"
            yield page.source.at(page.node, what, f"its user may not read table {name!r}", "add the right")


def foreign(app: App) -> Iterator[Finding]:
    """Microsoft's own tables are used with rights the object names itself, whatever else its user has."""
    reach = reach_of(app)
    for owner in app.of("codeunit", "page", "table"):
        own = granted(app, owner)
        for procedure in owner.procedures:
            for use in reach.of(reach.routine(owner, procedure))[0]:
                if use.base or use.table not in TABLES:
                    continue
                if use.letter not in own.get(("tabledata", use.table), "").lower():
                    what = f"{owner.name}.{procedure.name}"
                    why = f"it {_WORDS[use.letter]} table {use.table!r} without Permissions"
                    yield owner.source.at(use.node, what, why, f"add {use.letter!r} to Permissions of {owner.name}")


def lookups(app: App) -> Iterator[Finding]:
    """Business Central's look-ups (event subscribers) ask each table once, not once a row, and read no more than they need."""
    reach = reach_of(app)
    roots = [
        each
        for owner in app.of("codeunit")
        for each in reach.roots(owner)
        if each.procedure.attributes and owner.said("Subtype").lower() not in ("install", "upgrade")
    ]
    for routine in reach.all(roots):
        body = child(routine.procedure.node, "body")
        for loop in walk(body) if body is not None else ():
            if loop.type in _LOOPS:
                yield from _in_loop(reach, routine, loop)
        yield from _unlimited(routine, reach.of(routine)[0])


def _in_loop(reach: Reach, routine: Routine, loop: Node) -> Iterator[Finding]:
    uses, calls = reach.of(routine)
    what = f"loop of {routine.owner.name}.{routine.procedure.name}"
    for use in uses:
        if use.method in READS and within(use.node, loop):
            why = f"it asks table {use.table!r} in each turn ({use.method})"
            yield routine.owner.source.at(use.node, what, why, "ask once, before the loop")
    for call in calls:
        if not within(call.node, loop):
            continue
        for each in reach.all([call.routine]):
            if any(use.method in READS for use in reach.of(each)[0]):
                why = f"in each turn it calls {each.owner.name}.{each.procedure.name}, which asks the database"
                yield routine.owner.source.at(call.node, what, why, "ask once, before the loop")


def _unlimited(routine: Routine, uses: list[Use]) -> Iterator[Finding]:
    """Reading many rows begins with SetLoadFields: without it every column comes along."""
    body = child(routine.procedure.node, "body")
    limited = (
        {
            plain(child(each, "object")).lower()
            for each in walk(body) or ()
            if each.type == "member_expression" and plain(child(each, "member")).lower() == "setloadfields"
        }
        if body is not None
        else set()
    )
    for use in uses:
        variable = plain(child(use.node, "object")).lower()
        if use.method == "findset" and variable not in limited:
            what = f"{variable}.FindSet in {routine.owner.name}.{routine.procedure.name}"
            yield routine.owner.source.at(
                use.node, what, "it reads all columns of all rows", "call SetLoadFields before it"
            )


CHECKS = (rights, foreign, lookups)
