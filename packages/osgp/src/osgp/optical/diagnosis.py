"""What went wrong on an optical port, in words: which step failed, what was heard instead, what to do about it.

A probe sits on a window and nothing can be seen of it, so an error has to say which step failed: there is no light at
all, only our own, a meter that finds all packets damaged, a meter that speaks another language, or one that refuses.

This module does not know how bytes are sent.
"""

from __future__ import annotations

import re
from enum import StrEnum

from osgp.errors import (
    CorruptFrame,
    LinkError,
    LinkRefused,
    MeterRefused,
    PasswordRefused,
    ResponseTimeout,
    WriteUncertain,
)
from osgp.optical.datalink.events import EchoFound, FailReason, LinkEvent, NoiseHeard, PacketDropped, PacketDropReason
from osgp.optical.services import (
    Identify,
    Logoff,
    Logon,
    Negotiate,
    OpticalResponseCode,
    Security,
    Service,
    Terminate,
    Wait,
)
from osgp.psem import PartialRead, PartialWrite, Read, Write, table_name

__all__ = [
    "Finding",
    "Hearing",
    "NoMeterAnswers",
    "key_rejected",
    "lost",
    "recognise_protocol",
    "refused",
    "write_uncertain",
]

_REMEMBERED = 256
_PARITY = bytes(byte & 0x7F for byte in range(256))


class Finding(StrEnum):
    """What was heard in place of an answer to Identify."""

    NO_LIGHT = "no light"
    ECHO_ONLY = "echo only"
    NAK = "NAK"
    WRONG_PROTOCOL = "wrong protocol"
    NOISE = "noise"
    NO_REPLY = "no reply"


_PROTOCOLS = (
    ("IEC 62056-21", re.compile(rb"/[A-Za-z]{2}[A-Za-z ][0-9A-Za-z][^\r\n!/]{0,16}\r\n"), True),
    ("IEC 62056-21", re.compile(rb"\d\.\d\.\d(?:\*\d+)?\([^()]*\)\r\n"), True),
    ("SML", re.compile(rb"\x1b{4}\x01{4}"), False),
    ("DLMS (HDLC)", re.compile(rb"\x7e[\xa0-\xaf][\s\S]{5,}?\x7e"), False),
)
"""Other languages of meters by something that only they say. IEC 62056-21 is sent as seven bits with parity."""

_ADVICE = {
    Finding.NO_LIGHT: (
        "nothing at all was heard. Check that the probe sits on the optical window, turn it by 180 degrees (its eyes "
        "must not be swapped), and check its cable and power"
    ),
    Finding.ECHO_ONLY: (
        "only our own light came back. The probe hears itself, the meter does not hear it: put it straight onto the "
        "optical window or turn it by 180 degrees; some probes also have a switch for echo"
    ),
    Finding.NAK: (
        "a meter is there, but finds every packet damaged. Put the probe straight, keep bright light away and check "
        "the baud rate (9600)"
    ),
    Finding.NOISE: (
        "bytes were heard that no meter of this kind sends. Check the baud rate (9600, 8 data bits, no parity) and "
        "that the probe is on the meter's optical port"
    ),
    Finding.NO_REPLY: (
        "a meter is there, but says nothing more than that it heard us. Wait a minute; another program or device may "
        "hold its optical port"
    ),
}


class NoMeterAnswers(ResponseTimeout):
    """Nobody answered to Identify. ``finding`` says what was heard instead."""

    def __init__(self, finding: Finding, protocol: str = "") -> None:
        advice = _ADVICE.get(finding) or (
            f"what was heard is {protocol}, not ANSI C12.18. This is another kind of meter, or another window of it"
        )
        super().__init__(f"no meter answered on the optical port ({finding}): {advice}")
        self.finding = finding
        self.protocol = protocol


def recognise_protocol(heard: bytes) -> str:
    """Return the name of the other meter protocol that these bytes are; "" when they are none known."""
    plain = heard.translate(_PARITY)
    for name, pattern, seven_bits in _PROTOCOLS:
        if pattern.search(plain if seven_bits else heard):
            return name
    return ""


class Hearing:
    """What was heard while looking for a meter; a few hundred bytes at most."""

    __slots__ = ("_bytes", "_echo", "_spoiled")

    def __init__(self) -> None:
        self._bytes = b""
        self._echo = False
        self._spoiled = False

    def note(self, event: LinkEvent) -> None:
        """Remember what was heard, for the case that it is all there will be."""
        match event:
            case NoiseHeard(data):
                self._bytes = (self._bytes + data)[-_REMEMBERED:]
            case EchoFound():
                self._echo = True
            case PacketDropped(PacketDropReason.SPOILED):
                self._spoiled = True
            case _:
                pass

    def verdict(self, reason: FailReason) -> NoMeterAnswers:
        """Say why no meter was found."""
        protocol = recognise_protocol(self._bytes)
        if protocol:
            return NoMeterAnswers(Finding.WRONG_PROTOCOL, protocol)
        if reason is FailReason.NAKED:
            return NoMeterAnswers(Finding.NAK)
        if reason is not FailReason.SILENT:
            return NoMeterAnswers(Finding.NO_REPLY)
        if self._echo:
            return NoMeterAnswers(Finding.ECHO_ONLY)
        # Zero bytes are the alerts of a MEP port on the same UART, or a line that floats: no language at all.
        return NoMeterAnswers(Finding.NOISE if self._spoiled or self._bytes.strip(b"\0") else Finding.NO_LIGHT)


_STEPS: dict[type[Service], str] = {
    Identify: "looking for the meter",
    Negotiate: "agreeing on packet sizes",
    Logon: "logging on",
    Security: "showing the key",
    Wait: "keeping the session",
    Logoff: "logging off",
    Terminate: "ending the session",
}

_MEANING = {
    OpticalResponseCode.ERR: "it gives no reason",
    OpticalResponseCode.SNS: "it does not support this service",
    OpticalResponseCode.ISC: "this key may not do that",
    OpticalResponseCode.ONP: "the operation is not possible",
    OpticalResponseCode.IAR: "it has no such table or the table cannot be used this way",
    OpticalResponseCode.BSY: "it is still busy; try again later",
    OpticalResponseCode.DNR: "the data are still not ready; try again later",
    OpticalResponseCode.DLK: "the data are locked",
    OpticalResponseCode.RNO: "it keeps asking to begin anew",
    OpticalResponseCode.ISSS: "it keeps losing the session; another program or device may be using its optical port",
}


def _step(service: Service) -> str:
    words = _STEPS.get(type(service))
    if words is not None or isinstance(service, Identify | Terminate | Logoff | Negotiate | Logon | Security | Wait):
        return words or ""
    return f"{'reading' if isinstance(service, Read | PartialRead) else 'writing'} {table_name(service.table)}"


_ABOUT_THE_SESSION = frozenset(
    {OpticalResponseCode.BSY, OpticalResponseCode.DNR, OpticalResponseCode.RNO, OpticalResponseCode.ISSS}
)
"""Refusals that say nothing about what was asked for."""


def refused(service: Service, code: int) -> MeterRefused | LinkRefused:
    """Say what the meter refused and why. Only a table can be refused for good; all else is trouble on the way to it."""
    meaning = _MEANING.get(OpticalResponseCode(code), "")
    words = f"the meter refused while {_step(service)}: {meaning} (response 0x{code:02X})"
    if isinstance(service, Read | PartialRead | Write | PartialWrite) and code not in _ABOUT_THE_SESSION:
        return MeterRefused(words, code)
    return LinkRefused(words)


def key_rejected(code: int) -> PasswordRefused:
    """Say that the key is wrong. Nobody but its owner can do anything about it."""
    return PasswordRefused(
        f"the meter refuses the key (response 0x{code:02X}). It was shown once and is not tried again, because a meter may "
        "lock its optical port. Compare the key with the letter of your grid company, check that it is the "
        "key of the optical port and not that of the MEP port, and if it has less than 20 characters try the other padding"
    )


def lost(service: Service, reason: FailReason | None, times: int, *, never_toggles: bool = False) -> LinkError:
    """Say at which step the meter went away.

    Args:
        service: what was asked.
        reason: of the last loss; None: it answered, but not to this.
        times: how often it was asked.
        never_toggles: each time its answer had the toggle bit of the one before.
    """
    where = f"while {_step(service)}: tried {times} times"
    match reason:
        case FailReason.SILENT | FailReason.NO_REPLY:
            return ResponseTimeout(
                f"the meter stopped answering {where}, last: {reason}. Check that the probe sits firmly on the window"
            )
        case FailReason() if never_toggles:
            return CorruptFrame(
                f"the meter's packets do not change their toggle bit {where}. Without it an answer cannot be told from "
                "the one before. If it is always so, this meter departs from ANSI C12.18 and cannot be read here: save a "
                "trace and report it. If it comes and goes, another program may be using the same probe"
            )
        case FailReason():
            return CorruptFrame(
                f"the line is too bad {where}, last: {reason}. Put the probe straight and keep bright light away"
            )
        case _:
            return CorruptFrame(
                f"the meter's answers do not fit the questions {where}. Another program may be using the same probe"
            )


def write_uncertain(service: Service) -> WriteUncertain:
    """Say that nobody knows whether a write was done."""
    return WriteUncertain(
        f"no answer came while {_step(service)}, so the meter may have done it or not. "
        "Read the table to see, before writing again"
    )
