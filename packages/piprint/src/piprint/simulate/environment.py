"""All of a stand-in but its sockets: tables, people, login, habits, faults, log; and the settings it starts with.

What the page shows and changes is here (:mod:`piprint.simulate.page.web`), and so is what tests look at. This module does not
know HTTP.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from piprint.clock import utc_now
from piprint.simulate.extension.database import Database, Extension
from piprint.simulate.extension.people import People
from piprint.simulate.faults import FaultScript
from piprint.simulate.limits import Limits
from piprint.simulate.login import Accounts, Login
from piprint.simulate.odata.service import Company, Habits, Service
from piprint.simulate.request_log import RequestLog

__all__ = ["Environment", "Settings", "utc_now"]


@dataclass(frozen=True, slots=True)
class Settings:
    """How to set up a stand-in.

    Attributes:
        host: where to listen; the certificate is for this, localhost and 127.0.0.1.
        port: 0 takes a free one.
        tls: serve https.
        instance: the server's instance, or an environment's name; a part of all addresses.
        extension: which one is installed.
        accounts: who may in.
        companies: in the environment.
        default_company: for calls that name none; "": the only one.
        limits: of Business Central online.
        page: show the page for people at ``/``.
    """

    host: str = "127.0.0.1"
    port: int = 0
    tls: bool = False
    instance: str = "BC"
    extension: Extension = "2.0"
    accounts: Accounts = field(default_factory=Accounts)
    companies: tuple[Company, ...] = (Company("CRONUS International Ltd.", "aaaaaaaa-0000-4000-8000-000000000001"),)
    default_company: str = ""
    limits: Limits = field(default_factory=Limits)
    page: bool = True


class Environment:
    """An environment of Business Central with our extension, or with PIPrint 1.0.

    Attributes:
        settings: as given.
        now: the server's clock, for leases, tokens and stamps.
        database: the tables.
        people: what users do.
        login: tokens and rights.
        habits: in what servers differ.
        faults: what goes wrong.
        log: requests and counters.
        service: answers requests.
        away: break all connections, as if the network were gone; the page stays.
        listeners: called whenever a row, the log or a setting changed.
        port: where it listens.
        ca_file: PEM file of the authority; None without TLS.

    Args:
        settings: see :class:`Settings`.
        now: see above.
        changes: single settings, by name.
    """

    def __init__(
        self, settings: Settings | None = None, *, now: Callable[[], datetime] = utc_now, **changes: Any
    ) -> None:
        self.settings = replace(settings or Settings(), **changes)
        self.now = now
        self.database = Database(now=now, extension=self.settings.extension)
        self.login = Login(self.settings.accounts, now, _assertion_holds)
        self.habits = Habits()
        self.faults = FaultScript()
        self.log = RequestLog()
        self.away = False
        self.listeners: set[Callable[[], object]] = set()
        self.database.listeners.append(self.changed)
        self.port = self.settings.port
        self.ca_file: Path | None = None
        self.folder = tempfile.TemporaryDirectory(prefix="piprint-stand-in-", ignore_cleanup_errors=True)
        self.people = People(self.database, Path(self.folder.name), self.settings.companies[0].name)
        self.service = Service(
            self.database, self.login, self.settings.companies, self.settings.default_company, self.habits
        )

    @property
    def origin(self) -> str:
        """Return scheme, host and port; the page for people is at its ``/``."""
        return f"{'https' if self.settings.tls else 'http'}://{self.settings.host}:{self.port}"

    @property
    def url(self) -> str:
        """Return the OData address, ending in ``/ODataV4/``."""
        return f"{self.origin}/{self.settings.instance}/ODataV4/"

    @property
    def token_url(self) -> str:
        """Return the token endpoint's address."""
        return f"{self.origin}/{self.login.accounts.tenant}/oauth2/v2.0/token"

    def changed(self) -> None:
        """Tell the listeners."""
        for listener in self.listeners:
            listener()


def _assertion_holds(assertion: str, certificate: bytes, client_id: str, audience: str, moment: datetime) -> bool:
    from piprint.simulate.certificates import assertion_holds  # noqa: PLC0415 - needs piprint[certificate]

    return assertion_holds(assertion, certificate, client_id, audience, moment)
