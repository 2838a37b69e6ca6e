"""Business Central: the product's own stand-in answers, and beside it stands what users really asked for.

The peer may be ours; the truth is not: which documents users printed, restarted, cancelled or held, and what each row said when.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

from piprint.contract import JobState
from piprint.simulate.environment import Environment
from piprint.simulate.extension.tables import PrintJob
from piprint.simulate.login import Accounts, TokenRefusal
from piprint.simulate.odata.service import API_ROUTE, Call
from piprint.simulate.refusal import Refusal
from piprint.simulate.server import _wire
from simulation.printing.network import Place
from simulation.printing.papers import Paper, read
from simulation.printing.web import Reply, Request, Web

if TYPE_CHECKING:
    from simulation.printing.world import World

__all__ = ["HOST", "PORT", "Central", "Wish"]

HOST, PORT = "10.0.0.1", 7048
TENANT = "11111111-2222-3333-4444-555555555555"


@dataclass
class Wish:
    """A document that a user printed, and all that became of it in Business Central."""

    paper: Paper
    printer: str
    asked: list[float] = field(default_factory=list)
    """When it was asked for: printed, and each restart."""
    decided: tuple[float, JobState] | None = None
    """What a user, or the clean-up, decided last, and when; None while the processor is to decide."""
    waited: bool = False
    """It waited, untaken, when it was cancelled or held."""
    touched: list[float] = field(default_factory=list)
    """When a user did anything to it after printing."""
    messages: list[tuple[float, str]] = field(default_factory=list)
    states: list[tuple[float, JobState]] = field(default_factory=list)
    claims: list[tuple[float, str]] = field(default_factory=list)
    restored: bool = False
    """Its row is one of a backup: it says less than was done."""
    gone: bool = False
    """Its row is not there any more: deleted, or older than a backup."""

    def told(self, words: str) -> bool:
        """Tell whether its message ever said this."""
        return any(words in message for _, message in self.messages)


class Central:
    """The server, its users, and their wishes.

    Args:
        world: the world.
        extension: which one is installed: "1.0" or "2.0".
    """

    def __init__(self, world: World, extension: Any) -> None:
        self._world = world
        accounts = Accounts(tenant=TENANT, token_seconds=world.setting.token_seconds)
        self.environment = Environment(now=self._now, extension=extension, accounts=accounts, page=False)
        self.database = self.environment.database
        self.database.listeners.append(self._changed)
        self.web = Web(world.loop, world.spawn, self._handle)
        self.place = world.network.listen(HOST, PORT, Place(self.web, (0.004, 0.04)))
        self.wishes: dict[int, Wish] = {}
        self.calls: list[float] = []
        """When each call came, tokens aside."""
        self.users = False
        """What changes just now is a user's doing."""
        self._seen: dict[int, PrintJob] = {}
        self._backup: Any = None

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._world.host.true(), UTC)

    # Users.

    def _by_user(self, number: int, work: Callable[[int], object]) -> bool:
        row = self.row(number)
        if row is None:
            return False
        self.users = True
        try:
            work(row.row_no)
        except Refusal:
            return False
        finally:
            self.users = False
        return True

    def offered(self, printer: str) -> int | None:
        """Return the row of a printer that can be chosen."""
        try:
            rows = self.environment.people.offered().values()
        except Refusal:
            return None
        return next((row.row_no for row in rows if row.printer_id == printer), None)

    def print(self, paper: Paper, printer: str) -> bool:
        """Print a document; return False while there is no such printer."""
        row_no = self.offered(printer)
        if row_no is None:
            return False
        self.wishes[paper.number] = Wish(paper, printer, [self._world.loop.now])
        self.environment.people.print(row_no, paper.document)
        return True

    def cancel(self, number: int) -> None:
        """Cancel a job that has not ended."""
        self._decide(number, JobState.CANCELLED, self.environment.people.cancel)

    def hold(self, number: int) -> None:
        """Hold a job that has not ended."""
        self._decide(number, JobState.HOLD, self.environment.people.hold)

    def _decide(self, number: int, state: JobState, work: Callable[[int], object]) -> None:
        row = self.row(number)
        if row is None or row.status in {JobState.PRINTED, JobState.ERROR, JobState.CANCELLED, state}:
            return
        wish, now = self.wishes[number], self._world.loop.now
        waited = row.status is JobState.QUEUED
        if self._by_user(number, work):
            wish.decided, wish.waited = (now, state), waited
            wish.touched.append(now)

    def restart(self, number: int) -> None:
        """Queue a job again that has ended, was cancelled or is held."""
        row = self.row(number)
        if row is None or row.status in {JobState.QUEUED, JobState.PRINTING}:
            return
        wish, now = self.wishes[number], self._world.loop.now
        before = wish.decided
        # A job that was held while it waited is asked for once, all the same.
        again = not (wish.waited and before is not None)
        wish.decided = None
        if self._by_user(number, self.environment.people.restart):
            wish.waited = False
            wish.touched.append(now)
            if again:
                wish.asked.append(now)
        else:
            wish.decided = before

    def delete(self, number: int) -> None:
        """Delete a job."""
        if self._by_user(number, self.environment.people.delete):
            self.wishes[number].touched.append(self._world.loop.now)

    def back_up(self) -> None:
        """Back up the database."""
        database = self.database
        self._backup = (database.tables.copy(), database._last_job, database._last_printer, self._world.loop.now)

    def restore(self) -> None:
        """Restore the backup: what was done since is not known any more, and numbers are given again."""
        if self._backup is None:
            return
        database, now = self.database, self._world.loop.now
        tables, database._last_job, database._last_printer, at = self._backup
        version = database.tables.version
        database.tables = tables.copy()
        database.tables.version = version + 1000
        back = {paper.number: row for row in tables.jobs.values() if (paper := paper_of(row)) is not None}
        for number, wish in self.wishes.items():
            wish.touched.append(now)
            row = back.get(number)
            wish.gone, wish.restored = row is None, True
            if row is not None:
                fixed = row.status in {JobState.CANCELLED, JobState.HOLD}
                wish.decided = (now, row.status) if fixed else None
                if row.status in {JobState.QUEUED, JobState.PRINTING} and any(
                    state_at > at for state_at, _ in wish.states
                ):
                    wish.asked.append(now)  # whoever restores knows that what was printed since is printed again
        self._changed()

    # What the rows say.

    def rows(self) -> dict[int, PrintJob]:
        """Return the rows by the number of their document."""
        found = {}
        for row in self.database.tables.jobs.values():
            paper = paper_of(row)
            if paper is not None:
                found[paper.number] = row
        return found

    def row(self, number: int) -> PrintJob | None:
        """Return the row of a document."""
        return self.rows().get(number)

    def _changed(self) -> None:
        """Hold every change against what users decided."""
        world, now = self._world, self._world.loop.now
        rows = self.rows()
        for number, row in rows.items():
            before = self._seen.get(number)
            wish = self.wishes.get(number)
            if wish is None or row is before:
                continue
            if before is None or before.status is not row.status:
                wish.states.append((now, row.status))
                world.note(f"document {number}: {row.status.name}")
            claim = claim_of(row)
            if claim and claim != (claim_of(before) if before is not None else ""):
                self._claimed(wish, before, claim)
            if row.message and (before is None or before.message != row.message):
                wish.messages.append((now, row.message))
                world.note(f"document {number}: {row.message}")
            if not self.users and wish.decided is not None and row.status is not wish.decided[1]:
                world.fail(
                    "cancelled",
                    f"document {number} was set to {wish.decided[1].name} by a user at {wish.decided[0]:.0f} s, and is {row.status.name} now",
                )
        for number in self._seen.keys() - rows.keys():
            self.wishes[number].gone = True
        self._seen = rows

    def _claimed(self, wish: Wish, before: PrintJob | None, claim: str) -> None:
        world = self._world
        if before is not None and before.status is JobState.PRINTING and (last := claim_of(before)):
            old, new = last.partition(".")[0], claim.partition(".")[0]
            since = next((at for at, token in reversed(wish.claims) if token == last), world.loop.now)
            if old != new and world.has_lived(old, world.setting.lease * 1.5) and world.loop.now - since > 1:
                world.fail(
                    "lease",
                    f"document {wish.paper.number} was taken from {old}, which lives and was heard of, by {new}",
                )
        wish.claims.append((world.loop.now, claim))

    # The wire.

    async def _handle(self, request: Request) -> Reply:
        parts = urlsplit(request.path)
        if "/oauth2/" in parts.path:
            return self._token(request, parts.path)
        self.calls.append(self._world.loop.now)
        path = parts.path.removeprefix("/BC/")
        route = next((route for route in ("ODataV4", API_ROUTE) if f"{path}/".startswith(f"{route}/")), None)
        if route is None:
            return Reply(404)
        call = Call(
            method=request.method,
            root=f"http://{HOST}:{PORT}/BC/{route}/",
            api=route == API_ROUTE,
            path=path.removeprefix(route),
            query={name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()},
            headers=request.headers,
            body=request.body,
        )
        answer = self.environment.service.answer(call)
        date = {"Date": format_datetime(self._now(), usegmt=True)}
        self._world.note(f"BC {request.method} {unquote(request.path)[-60:]} {answer.status}")
        return Reply(answer.status, b"".join(_wire(answer.parts, raw=answer.raw)), {**answer.headers, **date})

    def _token(self, request: Request, path: str) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        try:
            told: Any = self.environment.login.token(path.split("/")[1], form, path)
            status = 200
        except TokenRefusal as refusal:
            status, told = refusal.status, refusal.body(self._now())
        return Reply(status, json.dumps(told).encode(), {"Content-Type": "application/json"})

    def withdraw_tokens(self) -> None:
        """Let no token be good any more."""
        self.environment.login.expire_tokens()


def paper_of(row: PrintJob) -> Paper | None:
    """Return which document a row has."""
    content = row.document.content
    return read(content[:200]) if isinstance(content, bytes) else None


def claim_of(row: PrintJob) -> str:
    """Return the claim of a row that prints."""
    return row.claimed_by if row.status is JobState.PRINTING else ""
