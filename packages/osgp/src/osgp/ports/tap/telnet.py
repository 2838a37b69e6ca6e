"""Telnet (RFC 854), as far as RFC 2217 needs it: bytes of the line, and commands between them.

This module does not know what a command asks for.
"""

from __future__ import annotations

__all__ = ["BINARY", "COM_PORT", "DO", "DONT", "NOP", "SIGNATURE", "TO_CLIENT", "WILL", "WONT", "Command", "Splitter", "command", "escaped", "nop", "option"]  # fmt: skip

_IAC, _SB, _SE = 255, 250, 240
NOP = 241
WILL, WONT, DO, DONT = 251, 252, 253, 254
BINARY, GO_AHEAD, COM_PORT = 0, 3, 44
SIGNATURE = 0
"""A command of RFC 2217: empty, it asks for the other side's text."""
TO_CLIENT = 100
"""The server's commands have numbers this much higher (RFC 2217, 3)."""

_LONGEST = 600
"""Bytes of one command; a longer one is dropped, and what comes after it is read again."""
_DATA, _MARK, _OPTION, _INSIDE, _INSIDE_MARK = range(5)


class Command:
    """What stood between the bytes of the line.

    Args:
        verb: ``WILL``, ``WONT``, ``DO``, ``DONT``; ``NOP`` for anything that asks for nothing; 0 for a command of RFC 2217.
        number: of the option, or of the command.
        data: of the command.
    """

    def __init__(self, verb: int, number: int, data: bytes = b"") -> None:
        self.verb = verb
        self.number = number
        self.data = data


class Splitter:
    """Takes apart what arrives, in whatever pieces."""

    def __init__(self) -> None:
        self._state = _DATA
        self._verb = 0
        self._inside = bytearray()

    def receive(self, data: bytes) -> list[bytes | Command]:
        """Return bytes of the line and commands, in their order."""
        found: list[bytes | Command] = []
        plain = bytearray()
        for byte in data:
            if self._state == _DATA and byte != _IAC:
                plain.append(byte)
                continue
            command = self._step(byte, plain)
            if command is not None:
                if plain:
                    found.append(bytes(plain))
                    plain = bytearray()
                found.append(command)
        if plain:
            found.append(bytes(plain))
        return found

    def _step(self, byte: int, plain: bytearray) -> Command | None:
        state = self._state
        if state in (_INSIDE, _INSIDE_MARK):
            return self._step_inside(byte)
        self._state = _DATA
        if state == _DATA:
            self._state = _MARK
        elif state == _OPTION:
            return Command(self._verb, byte)
        elif byte == _IAC:
            plain.append(_IAC)
        elif byte == _SB:
            self._inside = bytearray()
            self._state = _INSIDE
        elif byte in (WILL, WONT, DO, DONT):
            self._verb = byte
            self._state = _OPTION
        else:
            return Command(NOP, byte)
        return None

    def _step_inside(self, byte: int) -> Command | None:
        marked = self._state == _INSIDE_MARK
        if byte == _IAC and not marked:
            self._state = _INSIDE_MARK
        elif byte == _IAC or not marked:
            self._state = _INSIDE
            self._keep(byte)
        else:
            self._state = _DATA
            if byte == _SE:
                return self._ended()
        return None

    def _keep(self, byte: int) -> None:
        self._inside.append(byte)
        if len(self._inside) > _LONGEST:
            self._inside = bytearray()
            self._state = _DATA

    def _ended(self) -> Command | None:
        inside = bytes(self._inside)
        self._inside = bytearray()
        if len(inside) > 1 and inside[0] == COM_PORT:
            return Command(0, inside[1], inside[2:])
        return None


def escaped(data: bytes) -> bytes:
    """Return bytes of the line as they are sent."""
    return data.replace(b"\xff", b"\xff\xff")


def option(verb: int, number: int) -> bytes:
    """Return an offer, a request or a refusal."""
    return bytes((_IAC, verb, number))


def command(number: int, data: bytes = b"") -> bytes:
    """Return a command of RFC 2217."""
    return bytes((_IAC, _SB, COM_PORT)) + escaped(bytes((number,)) + data) + bytes((_IAC, _SE))


def nop() -> bytes:
    """Return what asks for nothing."""
    return bytes((_IAC, NOP))
