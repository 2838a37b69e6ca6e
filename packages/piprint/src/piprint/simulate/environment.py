"""A stand-in for Business Central, without its sockets, and the settings it starts with.

:class:`Environment` holds the tables, what users do, the login, the habits (the behaviour in which servers differ, such
as their language or the number of rows in an answer), the faults to simulate, and the log. The page
(:mod:`piprint.simulate.page.web`) shows and changes the objects held here, and tests look at them, too. This module
does not know HTTP.
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
        host: the address to listen on; the certificate is for this address, localhost and 127.0.0.1.
        port: 0 takes a free one.
        tls: serve https.
        instance: the server's instance, or an environment's name; a part of all addresses.
        extension: which extension is installed.
        accounts: the accounts that may log in.
        companies: the companies in the environment.
        default_company: the company for calls that name none; "": the only company.
        limits: the limits of Business Central online.
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
        people: does what users of Business Central do.
        login: tokens and rights.
        habits: the behaviour in which servers differ.
        faults: the faults to simulate.
        log: requests and counters.
        service: answers requests.
        away: break all connections, as if there were no network; the page can still be reached.
        listeners: called whenever a row, the log or a setting changed.
        port: the port on which the stand-in listens.
        ca_file: PEM file of the authority; None without TLS.

    Args:
        settings: see :class:`Settings`.
        now: the server's clock, as above.
        changes: single settings by name; they replace those in ``settings``.
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
