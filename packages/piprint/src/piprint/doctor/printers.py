"""Do the printers work: is CUPS there, which printers were found, do they take our jobs, what can they do?

Nothing is printed: Validate-Job (RFC 8011, 4.2.3) asks whether a job would be taken.
This module does not know Business Central.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from piprint.config.settings import Config, is_loopback
from piprint.doctor.cups_settings import saves_at_once
from piprint.doctor.finding import Finding, State
from piprint.errors import PiprintError, PrinterError, PrinterRefused
from piprint.ipp.client import IppClient, http_url
from piprint.ipp.codec import attribute
from piprint.ipp.registry import Operation, Tag
from piprint.printers import reasons
from piprint.printers.find import find_printers, open_printer, settings_of
from piprint.printers.printer import Capabilities, PrinterAddress, PrinterState, PrinterStatus

__all__ = ["abilities", "printers"]

_TOPIC = "Printers"
_PATIENCE = 15.0
_IPP_PORT = 631
_NOT_ALLOWED = frozenset({0x0401, 0x0402, 0x0403})
"""IPP forbidden, not-authenticated, not-authorized."""


async def printers(config: Config) -> AsyncIterator[Finding]:
    """Look at CUPS and at every printer that would be offered."""
    cups = await _cups(config) if config.cups.enabled else None
    if cups is not None:
        yield cups
        if cups.state is State.OK and (memory := _memory(config)):
            yield memory
    try:
        found = await find_printers(config)
    except PiprintError as error:
        yield Finding(_TOPIC, "search", State.PROBLEM, str(error))
        return
    for problem in found.problems:
        if not problem.startswith("the queues of CUPS"):  # told above, with its mending
            yield Finding(_TOPIC, "search", State.NOTE, problem)
    if not found.addresses and (cups is None or cups.state is State.OK):
        fix = "add a queue to CUPS (lpadmin, or http://localhost:631), or a [[printers]] section with a uri"
        yield Finding(_TOPIC, "search", State.PROBLEM, "no printer was found", fix)
    for finding in await asyncio.gather(*(_printer(address, config) for address in found.addresses)):
        yield finding


async def _cups(config: Config) -> Finding:
    client = IppClient(config.cups.url, timeout=_PATIENCE)
    try:
        wanted = attribute("requested-attributes", Tag.KEYWORD, "printer-name")
        await client.ask(Operation.CUPS_GET_PRINTERS, [wanted, attribute("limit", Tag.INTEGER, 1)], target=False)
    except PrinterRefused as error:
        if error.status in _NOT_ALLOWED:
            fix = "allow it in /etc/cups/cupsd.conf: in <Location />, Allow this host"
            return Finding(_TOPIC, "CUPS", State.PROBLEM, str(error), fix)
        return Finding(_TOPIC, "CUPS", State.OK, f"answers at {config.cups.url}; it has no queue")
    except PrinterError as error:
        fix = (
            "install and start it: sudo apt install cups && sudo systemctl enable --now cups; "
            "without CUPS write enabled = false below [cups]"
        )
        return Finding(_TOPIC, "CUPS", State.PROBLEM, str(error), fix)
    finally:
        await client.close()
    return Finding(_TOPIC, "CUPS", State.OK, f"answers at {config.cups.url}")


def _memory(config: Config) -> Finding | None:
    """Look at how late CUPS saves its jobs; a CUPS at another port of this host has its settings anywhere."""
    url = http_url(config.cups.url)
    host = url.host or ""
    return None if is_loopback(host) and url.port != _IPP_PORT else saves_at_once(host)


async def _printer(address: PrinterAddress, config: Config) -> Finding:
    name = address.printer_id
    try:
        printer = open_printer(address, config)
    except (PiprintError, ImportError) as error:
        return Finding(_TOPIC, name, State.PROBLEM, str(error))
    try:
        async with asyncio.timeout(_PATIENCE):
            able = await printer.capabilities()
            status = await printer.status()
            refusal = await _refusal(address, able, config)
    except TimeoutError:
        return Finding(_TOPIC, name, State.PROBLEM, f"no answer within {_PATIENCE:.0f} s", "is it switched on?")
    except PrinterError as error:
        return Finding(_TOPIC, name, State.PROBLEM, str(error), "its jobs wait until it answers")
    finally:
        await printer.close()
    if refusal:
        fix = (
            "allow it in CUPS's policy: <Limit Create-Job Print-Job Validate-Job> must allow this host, without a login"
        )
        return Finding(_TOPIC, name, State.PROBLEM, f"it would not take our jobs: {refusal}", fix)
    return _state(name, able, status)


async def _refusal(address: PrinterAddress, able: Capabilities, config: Config) -> str:
    """Ask whether a job would be taken; return why not."""
    if not address.uri.startswith(("ipp:", "ipps:")) or (
        able.operations and Operation.VALIDATE_JOB not in able.operations
    ):
        return ""
    client = IppClient(address.uri, ca_file=settings_of(address.printer_id, config).ca_file, timeout=_PATIENCE)
    try:
        await client.ask(Operation.VALIDATE_JOB, [attribute("job-name", Tag.NAME, "piprint-doctor")])
    except PrinterRefused as error:
        return str(error) if error.status in _NOT_ALLOWED else ""
    finally:
        await client.close()
    return ""


def _state(name: str, able: Capabilities, status: PrinterStatus) -> Finding:
    told = "; ".join(filter(None, (able.description, abilities(able))))
    trouble = reasons.told(status.reasons, status.message)
    if not status.accepting:
        return Finding(_TOPIC, name, State.PROBLEM, f"takes no jobs: {trouble}", f"type: cupsaccept {name}")
    if status.state is PrinterState.STOPPED:
        fix = f"look at the printer; a stopped queue is started with: cupsenable {name}"
        return Finding(_TOPIC, name, State.PROBLEM, f"stopped: {trouble}", fix)
    if any(reason.endswith("-error") for reason in status.reasons):
        return Finding(_TOPIC, name, State.NOTE, f"{trouble} ({told})", "look at the printer")
    if not able.media and not able.media_default:
        fix = f'give them: [[printers]] id = "{name}", paper = ["A4"], and duplex, color, trays where they apply'
        return Finding(_TOPIC, name, State.NOTE, f"{told or 'works'}; it does not tell its paper sizes", fix)
    return Finding(_TOPIC, name, State.OK, told or "works")


def abilities(able: Capabilities) -> str:
    """Return what a printer can do, in a line."""
    words = []
    sizes = len(able.media)
    if able.media_default is not None:
        words.append(able.media_default.name or "own size")
    if sizes > 1:
        words.append(f"{sizes} paper sizes")
    if len(able.sources) > 1:
        words.append(f"trays {', '.join(able.sources)}")
    if able.sides:
        words.append("both sides" if len(able.sides) > 1 else "one side")
    if able.color is not None:
        words.append("colour" if able.color else "black only")
    return ", ".join(words)
