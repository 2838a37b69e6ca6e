"""What code does to tables, by whom it is called: follows calls from procedure to procedure, as far as names lead. Judges nothing.

A *use* is one statement that reads or writes a table. Code runs with the rights of its user; a right in small letters (an
indirect one) counts only where the object whose code runs names the table in its own ``Permissions`` (Microsoft Learn,
*Permissions property*).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tree_sitter import Node

from al_check.base import CODEUNITS, TABLES
from al_check.code import Scope
from al_check.model import App, Object, Procedure
from al_check.tree import child, plain, text, walk

__all__ = ["QUESTIONS", "READS", "Call", "Reach", "Routine", "Use", "flows_from", "reach_of", "within"]

READS = frozenset(
    {"calcfields", "calcsums", "count", "find", "findfirst", "findlast", "findset", "get", "getbysystemid", "isempty"}
)
"""Record methods that ask the database; Next goes on with what was asked."""
QUESTIONS = {"readpermission": "r", "writepermission": "imd"}
"""Record methods that only ask for rights: nothing fails, but without ``Permissions`` an indirect right may count as none."""
_LETTERS = {**dict.fromkeys(READS, "r"), "insert": "i", "modify": "m", "modifyall": "m", "rename": "m"}
_LETTERS |= {"delete": "d", "deleteall": "d"}
_TRIGGERS = {
    "insert": "oninsert",
    "modify": "onmodify",
    "modifyall": "onmodify",
    "delete": "ondelete",
    "deleteall": "ondelete",
}


@dataclass(frozen=True, slots=True, eq=False)
class Routine:
    """A procedure or trigger, and the object it stands in."""

    owner: Object
    procedure: Procedure


@dataclass(frozen=True, slots=True)
class Use:
    """A statement that uses a table: ``letter`` is one of rimd, ``table`` its name in lower case.

    Attributes:
        base: the name of Microsoft's own code that does it, "" for ours; then an indirect right is enough.
    """

    routine: Routine
    node: Node
    table: str
    letter: str
    method: str
    base: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """A statement that calls a routine of ours."""

    node: Node
    routine: Routine


class Reach:
    """All routines of an extension, with what each uses and calls."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._known: dict[int, tuple[list[Use], list[Call]]] = {}
        self._routines: dict[int, Routine] = {}

    def routine(self, owner: Object, procedure: Procedure) -> Routine:
        """Return a routine, always the same for a procedure."""
        return self._routines.setdefault(id(procedure), Routine(owner, procedure))

    def roots(self, owner: Object) -> list[Routine]:
        """Return what runs without being called from our code: triggers, subscribers, actions, and what is public."""
        public = owner.kind == "codeunit" and owner.said("Access").lower() != "internal"
        return [
            self.routine(owner, each)
            for each in owner.procedures
            if each.trigger or each.enabled or _subscribes(each) or (public and not each.local)
        ]

    def of(self, routine: Routine) -> tuple[list[Use], list[Call]]:
        """Return what a routine itself uses and calls."""
        key = id(routine.procedure)
        if key not in self._known:
            uses: list[Use] = []
            calls: list[Call] = []
            for found in self._statements(routine):
                (uses if isinstance(found, Use) else calls).append(found)  # type: ignore[arg-type]
            self._known[key] = (uses, calls)
        return self._known[key]

    def all(self, roots: list[Routine]) -> list[Routine]:
        """Return everything that runs when these do."""
        seen: dict[int, Routine] = {}
        waiting = list(roots)
        while waiting:
            each = waiting.pop()
            if id(each.procedure) not in seen:
                seen[id(each.procedure)] = each
                waiting += [call.routine for call in self.of(each)[1]]
        return list(seen.values())

    def _statements(self, routine: Routine) -> Iterator[Use | Call]:
        scope = Scope.of(self.app, routine.owner, routine.procedure, {})
        body = child(routine.procedure.node, "body")
        for node in walk(body) if body is not None else ():
            if node.type == "call_expression":
                function, brackets = child(node, "function"), child(node, "arguments")
                arguments = [each for each in brackets.children if each.is_named] if brackets else []
                if function is not None and function.type == "member_expression":
                    yield from self._member(routine, scope, function, arguments)
                elif function is not None and (found := scope.routines.get(plain(function).lower())):
                    yield Call(node, self.routine(routine.owner, found))

    def _member(self, routine: Routine, scope: Scope, function: Node, arguments: list[Node]) -> Iterator[Use | Call]:
        left, method = child(function, "object"), plain(child(function, "member")).lower()
        if left is not None and text(left).lower() == "codeunit" and method == "run" and arguments:
            yield from self._run(routine, function, arguments[0])
            return
        owner = scope.type(left)
        if owner.kind == "codeunit" and (unit := self.app.get("codeunit", owner.name)):
            yield from self._called(function, unit, method)
        elif owner.kind == "record":
            table = self.app.get("table", owner.name)
            if table is not None:
                yield from self._called(function, table, method)
            yield from self._used(routine, function, owner.name.lower(), table, method, arguments)

    def _called(self, node: Node, owner: Object, method: str) -> Iterator[Call]:
        for each in owner.procedures:
            if each.name.lower() == method and not each.trigger:
                yield Call(node, self.routine(owner, each))

    def _run(self, routine: Routine, node: Node, which: Node) -> Iterator[Use | Call]:
        name = plain(which.child_by_field_name("table_name"))
        unit = self.app.get("codeunit", name)
        for each in unit.procedures if unit else ():
            if each.trigger and each.name.lower() == "onrun":
                yield Call(node, self.routine(unit, each))  # type: ignore[arg-type]
        known = CODEUNITS.get(name.lower())
        for table, letters in known.needs.items() if known else ():
            for letter in letters:
                yield Use(routine, node, table, letter, "Codeunit.Run", name)

    def _used(
        self, routine: Routine, node: Node, name: str, table: Object | None, method: str, arguments: list[Node]
    ) -> Iterator[Use | Call]:
        for letter in QUESTIONS.get(method, ""):
            yield Use(routine, node, name, letter, method)
        if method in _LETTERS:
            yield Use(routine, node, name, _LETTERS[method], method)
        elif name in TABLES and method in TABLES[name].procedures and method != "initrecurringjob":
            for letter in "rimd":
                yield Use(routine, node, name, letter, method, f"{name} itself")
        if table is None:
            return
        if method == "calcfields":
            yield from self._calculated(routine, node, table, [plain(each) for each in arguments])
        yield from self._triggered(node, table, method, arguments)

    def _triggered(self, node: Node, table: Object, method: str, arguments: list[Node]) -> Iterator[Call]:
        """Follow Insert(true), Modify(true), Delete(true) and Validate into the table's triggers."""
        if method in _TRIGGERS and arguments and text(arguments[-1]).lower() == "true":
            for each in table.procedures:
                if each.trigger and each.name.lower() == _TRIGGERS[method]:
                    yield Call(node, self.routine(table, each))
        column = table.column(plain(arguments[0])) if method == "validate" and arguments else None
        for each in table.procedures if column is not None else ():
            if each.trigger and column is not None and within(each.node, column.node):
                yield Call(node, self.routine(table, each))

    def _calculated(self, routine: Routine, node: Node, table: Object, names: list[str]) -> Iterator[Use]:
        for name in names:
            other = flows_from(table, name)
            if other:
                yield Use(routine, node, other, "r", "calcfields")


@lru_cache(maxsize=1)
def reach_of(app: App) -> Reach:
    """Return an extension's routines; several checks ask for those of the same one."""
    return Reach(app)


def flows_from(table: Object, name: str) -> str:
    """Return the table a FlowField is calculated from, in lower case; "" for any other field."""
    column = table.column(name)
    formula = column.properties.get("calcformula") if column else None
    target = child(formula, "target") if formula is not None else None
    names = [each for each in walk(target) if each.type in ("identifier", "quoted_identifier")] if target else []
    return plain(names[0]).lower() if names else ""


def _subscribes(procedure: Procedure) -> bool:
    return any(plain(child(each, "name")).lower() == "eventsubscriber" for each in procedure.attributes)


def within(node: Node, outer: Node) -> bool:
    """Tell whether a node is a part of another one."""
    return bool(outer.start_byte <= node.start_byte and node.end_byte <= outer.end_byte)
