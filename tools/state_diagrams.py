"""Draw the state machines of the links from the tables that the program moves by, as a page with Mermaid diagrams."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, NamedTuple

from osgp.mep import states as mep
from osgp.mep import tls_states as tls_link
from osgp.mep.tls import states as tls
from osgp.optical import states as session
from osgp.optical.datalink import states as datalink

__all__ = ["MACHINES", "Machine", "links_page"]


class Move(NamedTuple):
    """One row of a table."""

    before: str
    event: str
    after: str


class Machine(NamedTuple):
    """What is drawn."""

    title: str
    about: str
    moves: tuple[Move, ...]
    states: Mapping[str, str]
    """What each state means."""
    events: Mapping[str, str]
    """What each event means; empty where its name says it."""


def _moves(table: Mapping[Any, Mapping[Any, Enum]]) -> tuple[Move, ...]:
    return tuple(
        Move(before.name, event.name, after.name) for before, row in table.items() for event, after in row.items()
    )


def _words(members: Iterable[Enum]) -> dict[str, str]:
    return {member.name: str(member.value) for member in members}


def _handshake(end: str, table: Mapping[tls.Step, Mapping[tls.Taken, tls.Step]], about: str) -> Machine:
    return Machine(
        f"MEP port: the TLS handshake at the {end}'s end",
        f"{about} Anything else ends the handshake.",
        tuple(
            Move(before.name, taken.value, after.name) for before, row in table.items() for taken, after in row.items()
        ),
        {step.name: str(step.value) for step in table},
        {},
    )


def _end(role: datalink.Role, about: str) -> Machine:
    moves = _moves(datalink.MOVES[role])
    used = {move.event for move in moves}
    return Machine(
        f"Optical port: a message at the {role.value}'s end",
        about,
        moves,
        {state.name: state.value for state in datalink.MOVES[role]},
        {name: words for name, words in _words(datalink.Happening).items() if name in used},
    )


MACHINES = (
    Machine(
        "MEP port: a request",
        "The client's end in RC4 mode (`osgp.mep.states`). The port knows no session: only a request has a life.",
        _moves(mep.TRANSITIONS),
        _words(mep.State),
        _words(mep.Outcome),
    ),
    Machine(
        "MEP port: a request in TLS mode",
        "The client's end (`osgp.mep.tls_states`). The first request opens a session.",
        _moves(tls_link.TLS_TRANSITIONS),
        _words(tls_link.TlsState),
        _words(tls_link.TlsOutcome),
    ),
    _handshake("client", tls.CLIENT, "What a client takes from the meter, in that order (`osgp.mep.tls.states`)."),
    _handshake("meter", tls.SERVER, "What the meter takes from a client."),
    _end(
        datalink.Role.CLIENT,
        "The data link of C12.18 (`osgp.optical.datalink.states`): stop and wait, then wait for the answer.",
    ),
    _end(datalink.Role.METER, "The same at the meter, which waits for no answer."),
    Machine(
        "Optical port: the session",
        "Which state follows an ok, at both ends (`osgp.optical.states`). A service that stands at no arrow of its state is "
        "refused as *isss*. A session also ends, in any state, when the meter hears nothing for six seconds.",
        tuple(
            Move(before.name, service.__name__, after.name)
            for before, row in session.AFTER.items()
            for service, after in row.items()
        ),
        _words(session.State),
        {},
    ),
)
"""Every state machine of the links, in the order of the page."""


def _diagram(machine: Machine) -> Iterator[str]:
    """Yield the lines of one diagram; moves between the same two states share an arrow."""
    arrows: dict[tuple[str, str], list[str]] = defaultdict(list)
    for move in machine.moves:
        arrows[move.before, move.after].append(move.event)
    yield "```mermaid"
    yield "stateDiagram-v2"
    yield f"    [*] --> {machine.moves[0].before}"
    for (before, after), events in arrows.items():
        yield f"    {before} --> {after}: {', '.join(events)}"
    yield "```"


def _meanings(heading: str, words: Mapping[str, str]) -> Iterator[str]:
    yield f"| {heading} | Meaning |"
    yield "|---|---|"
    for name, meaning in words.items():
        yield f"| `{name}` | {meaning} |"
    yield ""


def links_page(notice: str) -> str:
    """Return the page, which opens with ``notice``."""
    lines = [
        notice,
        "# States of the links",
        "",
        "Drawn from the tables that the program itself moves by. What stands at no arrow cannot happen: the program would stop",
        "with an error that names the move.",
        "",
    ]
    for machine in MACHINES:
        lines += [f"## {machine.title}", "", machine.about, "", *_diagram(machine), ""]
        lines += _meanings("State", machine.states)
        if machine.events:
            lines += _meanings("What happens", machine.events)
    return "\n".join(lines)
