"""Can Business Central be used: network, certificate, clock, token, environment, company, extension, rights, and are we alone?

Each step needs the one before; after a problem the rest is skipped. The words for what is wrong are the errors' own
(:mod:`piprint.errors`); here stands only which step it was and where to click.

This module does not know printers.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import urlsplit

from piprint.bc.connect import connect
from piprint.bc.http.client import Wire
from piprint.bc.login.tokens import login_for
from piprint.bc.queue import Queue
from piprint.clock import utc_now
from piprint.config.settings import Basic, Config, is_loopback
from piprint.contract import PROCESSOR_PERMISSION_SET
from piprint.doctor.finding import Finding, State
from piprint.errors import BcDenied, BcError, BcMissing, ConfigError
from piprint.journal import reading

__all__ = ["business_central"]

_TOPIC = "Business Central"
_STEPS = ("network", "clock", "login", "environment", "company and extension", "rights", "alone")
_CLOCK_OFF = timedelta(minutes=5)
"""Tokens and certificates are refused by a clock that is wrong by more."""
_ALIVE = timedelta(minutes=10)

_GUIDE = "see docs/printing.md"
_FIXES = {
    "tenant": "Entra admin center, Overview: copy Tenant ID to login.tenant",
    "client": "Entra admin center, App registrations, your app: copy Application (client) ID to login.client_id",
    "secret": "App registrations, your app, Certificates & secrets: New client secret; copy its Value (not Secret ID)",
    "certificate": "App registrations, your app, Certificates & secrets: upload login.certificate, or renew it",
    "login": "Business Central, Microsoft Entra Applications: a row with the client id, State Enabled "
    "(on-premises: Users, and ValidAudiences)",
    "permission set": f"Business Central, Microsoft Entra Applications, your app: add permission set {PROCESSOR_PERMISSION_SET}; "
    "in Entra, API permissions: API.ReadWrite.All with Grant admin consent",
    "environment": "Business Central admin center, Environments: copy the name to business_central.environment",
}
_BASIC_FIXES = {
    "login": "Business Central, Users: a user of that name, State Enabled, with the password or web service access key "
    "that login.password holds (ASCII only); the server instance's credential type must be NavUserPassword",
    "permission set": f"Business Central, Users, that user: add permission set {PROCESSOR_PERMISSION_SET}",
}


def _step(name: str, state: State, told: str = "", fix: str = "") -> Finding:
    return Finding(_TOPIC, name, state, told, fix)


async def business_central(config: Config, data_dir: Path) -> AsyncIterator[Finding]:
    """Go through the steps, as far as they lead."""
    done: set[str] = set()
    async for finding in _steps(config, data_dir):
        done.add(finding.name)
        yield finding
    for name in _STEPS:
        if name not in done:
            yield _step(name, State.SKIPPED)


async def _steps(config: Config, data_dir: Path) -> AsyncIterator[Finding]:
    try:
        wire = Wire(config.business_central)
    except ConfigError as error:
        yield _step("network", State.PROBLEM, str(error))
        return
    try:
        async for finding in _outside(config, wire):
            yield finding
            if finding.state is State.PROBLEM:
                return
    finally:
        await wire.close()
    async for finding in _inside(config, data_dir):
        yield finding


async def _outside(config: Config, wire: Wire) -> AsyncIterator[Finding]:
    """Look at everything up to the token."""
    bc = config.business_central
    address = bc.odata
    try:
        response = await wire.send("GET", address, asked="reach Business Central", headers={})
        response.release()
    except BcError as error:
        yield _step("network", State.PROBLEM, str(error), _network_fix(address, str(error)))
        return
    host = urlsplit(address).hostname
    if address.startswith("http:") and not is_loopback(host or ""):
        yield _step(
            "network", State.NOTE, f"{host} answers, without TLS", "switch on TLS on the server, and write https://"
        )
    elif address.startswith("http:"):
        yield _step("network", State.OK, f"{host} answers")
    elif not bc.verify:
        yield _step(
            "network", State.NOTE, f"{host} answers; its certificate is not checked", "give ca_file, drop verify"
        )
    else:
        yield _step("network", State.OK, f"{host} answers, its certificate is good")
    yield _clock(response.headers.get("Date", ""))
    login = None
    try:
        login = login_for(bc, wire, now=utc_now)
        await login.header()
    except BcDenied as error:
        yield _step("login", State.PROBLEM, f"{error.cause}: {error}", _FIXES.get(error.cause, _GUIDE))
    except (BcError, ConfigError) as error:
        yield _step("login", State.PROBLEM, str(error), _GUIDE)
    else:
        told = "user name and password" if isinstance(bc.login, Basic) else "a token was given"
        yield _step("login", State.OK, told)
    finally:
        if login is not None:
            await login.close()


def _network_fix(address: str, trouble: str) -> str:
    host = urlsplit(address).hostname
    if "certificate" in trouble:
        return f"see it with: openssl s_client -connect {urlsplit(address).netloc} -showcerts; {_GUIDE}, on-premises"
    if "speak" in trouble:
        return "on-premises: the OData port (7048 as a rule), with Enable SSL for OData services"
    return f"outgoing HTTPS to {host} must be allowed; behind a proxy set HTTPS_PROXY for the service"


def _clock(date: str) -> Finding:
    try:
        off = utc_now() - parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return _step("clock", State.OK, "the server does not tell the time")
    if abs(off) > _CLOCK_OFF:
        way = "ahead" if off > timedelta() else "behind"
        told = f"this host's clock is {abs(off).total_seconds() / 60:.0f} minutes {way}; logins would be refused"
        return _step("clock", State.PROBLEM, told, "type: sudo timedatectl set-ntp true")
    return _step("clock", State.OK, "as the server's")


async def _inside(config: Config, data_dir: Path) -> AsyncIterator[Finding]:
    """Look at everything after the token."""
    instance = await asyncio.to_thread(reading.instance, data_dir)
    try:
        queue = await connect(config, instance=instance or "doctor")
    except (BcError, ConfigError) as error:
        for finding in _refused(config, error):
            yield finding
        return
    try:
        yield _step("environment", State.OK, config.environment)
        company = config.business_central.company
        yield _step("company and extension", State.OK, f"{company or 'the only company'}; {queue.dialect}")
        try:
            await queue.check()
            yield _step("rights", State.OK, f"enough to print ({PROCESSOR_PERMISSION_SET})")
            yield await _alone(queue, config.host, instance)
        except BcDenied as error:
            yield _step("rights", State.PROBLEM, f"{error.cause}: {error}", _fix(config, error))
        except BcMissing as error:
            yield _step("rights", State.PROBLEM, str(error), "publish the extension's web services")
        except BcError as error:
            yield _step("rights", State.PROBLEM, str(error))
    finally:
        await queue.close()


def _fix(config: Config, error: BcDenied) -> str:
    if isinstance(config.business_central.login, Basic):
        return _BASIC_FIXES.get(error.cause, _GUIDE)
    return _FIXES.get(error.cause, _GUIDE)


def _refused(config: Config, error: BcError | ConfigError) -> list[Finding]:
    """Tell which step an error of connecting belongs to; those before it went well."""
    if isinstance(error, BcDenied) and error.cause == "environment":
        return [_step("environment", State.PROBLEM, f"environment: {error}", _FIXES["environment"])]
    environment = _step("environment", State.OK, config.environment)
    if isinstance(error, BcDenied):
        return [environment, _step("rights", State.PROBLEM, f"{error.cause}: {error}", _fix(config, error))]
    if isinstance(error, BcMissing):
        fix = (
            "write the company's name as Business Central shows it on the page Companies"
            if error.code == "Internal_CompanyNotFound"
            else f"install the extension in Business Central (Extension Management); {_GUIDE}"
        )
        return [environment, _step("company and extension", State.PROBLEM, str(error), fix)]
    return [_step("environment", State.PROBLEM, str(error), _GUIDE)]


async def _alone(queue: Queue, host: str, instance: str) -> Finding:
    """Look for other processors with the same host id; that is allowed, and mostly a mistake."""
    others = await queue.processors(utc_now() - _ALIVE) - {instance}
    if not others:
        return _step("alone", State.OK, f"no other processor is called {host} now")
    told = f"another processor called {host} works now ({', '.join(sorted(others))}); both share printers and jobs"
    return _step("alone", State.NOTE, told, "fine if it is meant as a stand-by; else give this one another host = ...")
