"""What code says of things that must exist: variables, procedures, fields, enum values, objects, methods.

Follows types as far as names lead, and keeps silent where they lead into other extensions. Knows no control flow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from al_check.base import CODEUNITS, TABLES
from al_check.finding import Finding
from al_check.model import App, Object, Procedure, Type
from al_check.platform import ARITY, FIELD_METHODS, FUNCTIONS, METHODS, RECORD_METHODS, RETURNS, STATICS
from al_check.tree import child, plain, string, text, walk
from al_check.wire import states

__all__ = ["Scope", "check"]

_UNKNOWN = Type("")
_OBJECTS = {"page": "page", "codeunit": "codeunit", "database": "table", "report": "report"}
_MARKS = re.compile(r"%(\d)")
_NAMES = ("identifier", "quoted_identifier")


def check(app: App) -> Iterator[Finding]:
    """Check the code of every object."""
    values = {name.lower(): {each["name"].lower() for each in of} for name, of in states(app).items()}
    for each in app.of("codeunit", "page", "pageextension", "table"):
        for procedure in each.procedures:
            scope = Scope.of(app, each, procedure, values)
            yield from scope.check()
        yield from _properties(app, each, values)
        yield from _placeholders(each)


def _placeholders(owner: Object) -> Iterator[Finding]:
    """What a label leaves room for is given, and no more (CodeCop AA0131)."""
    labels = {}
    for node in owner.nodes:
        if node.type == "variable_declaration" and text(node.child_by_field_name("type") or node).lower() == "label":
            said = next((string(each) for each in node.children if each.type == "string_literal"), "")
            labels[plain(child(node, "name")).lower()] = max((int(each) for each in _MARKS.findall(said)), default=0)
    for node in owner.nodes:
        function = child(node, "function") if node.type == "call_expression" else None
        if function is None or plain(function).lower() not in ("strsubstno", "error", "message", "confirm"):
            continue
        brackets = child(node, "arguments")
        given = [each for each in brackets.children if each.is_named] if brackets else []
        wanted = labels.get(plain(given[0]).lower()) if given else None
        others = len(given) - (2 if plain(function).lower() == "confirm" else 1)  # Confirm has its default second
        if wanted is not None and others != wanted:
            why = f"its text has room for {wanted}, and {others} are given"
            yield owner.source.at(node, f"{plain(function)}({plain(given[0])}, ...)", why, "give as many")


def _properties(app: App, owner: Object, values: dict[str, set[str]]) -> Iterator[Finding]:
    """Check expressions in properties, such as Enabled and StyleExpr."""
    for node in owner.nodes:
        if node.type == "property" and plain(child(node, "name")).lower() in ("enabled", "styleexpr", "visible"):
            scope = Scope.of(app, owner, None, values)
            value = node.child_by_field_name("value")
            if value is not None:
                yield from scope.below(value)


@dataclass(slots=True)
class Scope:
    """What names mean in a procedure, and what is said of them."""

    app: App
    owner: Object
    procedure: Procedure | None
    names: dict[str, Type]
    routines: dict[str, Procedure]
    values: dict[str, set[str]]

    @classmethod
    def of(cls, app: App, owner: Object, procedure: Procedure | None, values: dict[str, set[str]]) -> Scope:
        """Return the scope of a procedure, or of an object's properties."""
        names = dict(owner.variables)
        if owner.kind == "table":
            record = Type("record", owner.name)
        else:
            record = Type("record", owner.said("SourceTable") or owner.said("TableNo"))
        if record.name:
            names |= {"rec": record, "xrec": record}
        if owner.kind in ("page", "pageextension"):
            names["currpage"] = _UNKNOWN
        if procedure:
            names |= {**procedure.parameters, **procedure.variables}
        routines = {each.name.lower(): each for each in owner.procedures if not each.trigger}
        return cls(app, owner, procedure, names, routines, values)

    def say(self, node: Node, what: str, why: str, fix: str) -> Finding:
        """Say something about a node."""
        return self.owner.source.at(node, what, why, fix)

    def check(self) -> Iterator[Finding]:
        """Check the procedure."""
        assert self.procedure is not None  # noqa: S101 - scopes of properties use below()
        yield from self._unused()
        body = child(self.procedure.node, "body")
        if body is not None:
            yield from self.below(body)

    def _unused(self) -> Iterator[Finding]:
        """A variable nobody reads is a warning of Microsoft's CodeCop (AA0137), and often half of a defect."""
        assert self.procedure is not None  # noqa: S101
        node = self.procedure.node
        used = {plain(each).lower() for each in walk(child(node, "body") or node) if each.type in _NAMES}
        named = plain(node.child_by_field_name("return_value")).lower()
        for name in self.procedure.variables:
            if name not in used and name != named:
                yield self.say(node, f"variable {name!r} in {self.procedure.name}", "nothing uses it", "take it out")

    def below(self, node: Node) -> Iterator[Finding]:
        """Check a node of code and all in it."""
        match node.type:
            case "member_expression":
                yield from self._member(node, None)
                return
            case "call_expression":
                yield from self._call(node)
                return
            case "qualified_enum_value":
                yield from self._value(node)
                return
            case "database_reference":
                yield from self._reference(node)
                return
            case "identifier" | "quoted_identifier":
                if not self._declared(plain(node)):
                    yield self._undeclared(node)
                return
        for each in node.children:
            if each.is_named:
                yield from self.below(each)

    def _declared(self, name: str) -> bool:
        """Whether a bare name means something: in a table also a field of the record at hand."""
        if name.lower() in self.names or name.lower() in self.routines or name.lower() in STATICS:
            return True
        return self.owner.kind == "table" and self.app.type_of_column(self.owner, name) is not None

    def _undeclared(self, node: Node) -> Finding:
        return self.say(node, f"name {plain(node)!r}", "nothing of that name is declared here", "declare or correct it")

    def type(self, node: Node | None) -> Type:
        """Return the type of an expression; unknown where it cannot be told."""
        if node is None:
            return _UNKNOWN
        if node.type in _NAMES:
            return self.names.get(plain(node).lower(), _UNKNOWN)
        if node.type == "member_expression":
            owner = self.type(child(node, "object"))
            table = self.app.get("table", owner.name) if owner.kind == "record" else None
            return (self.app.type_of_column(table, plain(child(node, "member"))) if table else None) or _UNKNOWN
        if node.type == "call_expression":
            return self._returned(child(node, "function"))
        return _UNKNOWN

    def _returned(self, function: Node | None) -> Type:
        if function is None:
            return _UNKNOWN
        if function.type in _NAMES:
            found = self.routines.get(plain(function).lower())
            return found.returns if found else _UNKNOWN
        owner = self.type(child(function, "object"))
        member = plain(child(function, "member")).lower()
        if owner.kind in ("record", "codeunit"):
            other = self.app.get("table" if owner.kind == "record" else "codeunit", owner.name)
            found = next((each for each in other.procedures if each.name.lower() == member), None) if other else None
            return found.returns if found else _UNKNOWN
        return Type(RETURNS.get((owner.kind, member), ""))

    def _member(self, node: Node, arguments: list[Node] | None) -> Iterator[Finding]:
        """Check ``object.member``; ``arguments`` when it is called."""
        left, right = child(node, "object"), child(node, "member")
        if left is None or right is None:
            return
        if left.type != "keyword_identifier":
            yield from self.below(left)
        owner, name = self.type(left), plain(right)
        if owner.kind == "record" and (table := self.app.get("table", owner.name)):
            yield from self._of_record(table, right, arguments)
        elif owner.kind == "codeunit" and (unit := self.app.get("codeunit", owner.name)):
            yield from self._of_unit(unit, right, arguments)
        elif owner.kind in METHODS:
            if name.lower() not in METHODS[owner.kind]:
                yield self.say(right, f"method {name!r}", f"a {owner.kind} has none of that name", "correct the name")
        elif owner.kind in ("record", "codeunit"):
            yield from self._of_base(owner, left, right, arguments)
        elif (
            left.type == "identifier"
            and text(left).lower() in STATICS
            and name.lower() not in STATICS[text(left).lower()]
        ):
            yield self.say(right, f"method {name!r}", f"{text(left)} has none of that name", "correct the name")

    def _of_base(self, owner: Type, left: Node, right: Node, arguments: list[Node] | None) -> Iterator[Finding]:
        """Check a member of one of Microsoft's own tables or codeunits."""
        name, known = plain(right), (TABLES if owner.kind == "record" else CODEUNITS).get(owner.name.lower())
        if known is None:
            kind = "table" if owner.kind == "record" else "codeunit"
            yield self.say(
                left,
                f"{kind} {owner.name!r}",
                "there is none of that name",
                "correct it, or look it up for al_check.base",
            )
        elif name.lower() in known.procedures:
            least, most = known.procedures[name.lower()]
            if arguments is not None and not least <= len(arguments) <= most:
                yield self.say(right, f"call of {name}", f"it does not take {len(arguments)} arguments", "correct them")
        elif owner.kind == "codeunit" or not (
            name.lower() in TABLES[owner.name.lower()].fields or name.lower() in RECORD_METHODS
        ):
            why = f"{owner.name} has nothing of that name, as far as was looked up"
            yield self.say(right, f"{owner.name}.{name}", why, "correct the name, or look it up for al_check.base")
        elif (
            name.lower() in FIELD_METHODS
            and arguments
            and plain(arguments[0]).lower() not in TABLES[owner.name.lower()].fields
        ):
            why = f"the table {owner.name} has none of that name, as far as was looked up"
            yield self.say(
                arguments[0], f"field {plain(arguments[0])!r}", why, "correct it, or look it up for al_check.base"
            )

    def _of_record(self, table: Object, right: Node, arguments: list[Node] | None) -> Iterator[Finding]:
        name = plain(right)
        routine = next((each for each in table.procedures if each.name.lower() == name.lower()), None)
        if self.app.type_of_column(table, name):
            if arguments is not None:
                yield self.say(
                    right, f"{table.name}.{name}", "it is a field, and cannot be called", "leave out the brackets"
                )
        elif routine and not routine.trigger:
            yield from self._arguments(right, routine, arguments)
        elif (
            arguments is not None
            and (arity := ARITY.get(f"record.{name.lower()}"))
            and not arity[0] <= len(arguments) <= arity[1]
        ):
            yield self.say(right, f"call of {name}", "that many arguments it does not take", "correct them")
        elif name.lower() not in RECORD_METHODS:
            why = f"the table {table.name} has no such field, nor records such a method"
            yield self.say(right, f"{table.name}.{name}", why, "correct the name")
        elif name.lower() in FIELD_METHODS and arguments:
            yield from self._column(table, arguments[0])

    def _column(self, table: Object, node: Node) -> Iterator[Finding]:
        name = plain(child(node, "member")) if node.type == "member_expression" else plain(node)
        if not self.app.type_of_column(table, name):
            yield self.say(node, f"field {name!r}", f"the table {table.name} has none of that name", "correct the name")

    def _of_unit(self, unit: Object, right: Node, arguments: list[Node] | None) -> Iterator[Finding]:
        name = plain(right)
        routine = next((each for each in unit.procedures if each.name.lower() == name.lower()), None)
        if routine is None or routine.trigger or routine.local:
            why = f"the codeunit {unit.name} has no public procedure of that name"
            yield self.say(right, f"{unit.name}.{name}", why, "correct the name, or write it")
        else:
            yield from self._arguments(right, routine, arguments)

    def _arguments(self, node: Node, routine: Procedure, arguments: list[Node] | None) -> Iterator[Finding]:
        given = len(arguments or ())
        if given != len(routine.parameters):
            wanted = len(routine.parameters)
            yield self.say(
                node, f"call of {routine.name}", f"it takes {wanted} arguments, not {given}", "give them all"
            )

    def _call(self, node: Node) -> Iterator[Finding]:
        function = child(node, "function")
        brackets = child(node, "arguments")
        arguments = [each for each in brackets.children if each.is_named] if brackets else []
        skip = 0
        if function is None:
            return
        if function.type == "member_expression":
            yield from self._member(function, arguments)
            member = plain(child(function, "member")).lower()
            skip = 1 if self.type(child(function, "object")).kind == "record" and member in FIELD_METHODS else 0
        elif function.type in _NAMES:
            name = plain(function).lower()
            if name in self.routines:
                yield from self._arguments(function, self.routines[name], arguments)
            elif name in ARITY and not ARITY[name][0] <= len(arguments) <= ARITY[name][1]:
                yield self.say(
                    function, f"call of {plain(function)}", "that many arguments it does not take", "correct them"
                )
            elif name not in FUNCTIONS and not (self.owner.kind == "table" and name in RECORD_METHODS):
                what = f"call of {plain(function)!r}"
                yield self.say(function, what, "there is no such procedure here", "correct the name, or write it")
        else:
            yield from self.below(function)
        for each in arguments[skip:]:
            if each.type in _NAMES and self._is_column(each):
                continue
            yield from self.below(each)

    def _is_column(self, node: Node) -> bool:
        """Whether a bare name is a field in FieldNo(...), CalcFields(a, b) and the like."""
        call = node.parent.parent if node.parent else None
        function = child(call, "function") if call else None
        if function is None or function.type != "member_expression":
            return False
        owner = self.type(child(function, "object"))
        table = self.app.get("table", owner.name) if owner.kind == "record" else None
        member = plain(child(function, "member")).lower()
        return bool(table and member in FIELD_METHODS and self.app.type_of_column(table, plain(node)))

    def _value(self, node: Node) -> Iterator[Finding]:
        """Check ``Something::Value``."""
        left, value = child(node, "enum_type"), plain(child(node, "value"))
        if left is None:
            return
        said = text(left).lower()
        enum = ""
        if left.type == "qualified_enum_value":
            enum = plain(child(left, "value"))
        elif said in STATICS:
            if value.lower() not in STATICS[said] and said not in self.names:
                yield self.say(node, f"value {text(node)!r}", f"{text(left)} has no {value}", "correct the name")
            return
        else:
            yield from self.below(left)
            kind = self.type(left)
            enum = kind.name if kind.kind == "enum" else ""
            if kind.kind not in ("enum", "option", ""):
                yield self.say(node, f"value {text(node)!r}", f"{text(left)} is a {kind.kind}, no enum", "correct it")
        if enum.lower() in self.values and value.lower() not in self.values[enum.lower()]:
            yield self.say(node, f"value {value!r}", f"the enum {enum} has no such value", "correct the name")
        elif enum and enum.lower() not in self.values:
            yield self.say(node, f"enum {enum!r}", "there is none of that name", "correct the name")

    def _reference(self, node: Node) -> Iterator[Finding]:
        """Check ``Page::Name``, ``Codeunit::Name``; quoted names are Business Central's own."""
        keyword, name = text(node.children[0]).lower(), node.child_by_field_name("table_name")
        if name is None:
            return
        kind = _OBJECTS.get(keyword)
        if (kind == "codeunit" and plain(name).lower() in CODEUNITS) or (
            kind == "table" and plain(name).lower() in TABLES
        ):
            return
        if kind and self.app.get(kind, plain(name)) is None:
            yield self.say(node, f"{kind} {plain(name)!r}", "the extension has none of that name", "correct the name")
