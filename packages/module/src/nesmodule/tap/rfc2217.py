"""The server's side of RFC 2217: what a program asks of the serial port, and what it is told.

The line is what it is: 9600 baud, 8 data bits, no parity, 1 stop bit, no flow control; whatever is asked for, that is the answer. The modem lines are
real: DTR is the level shifter's supply, RTS is ENABLE. The signature is how the module is.

This module does not know sockets.
"""

from __future__ import annotations

from collections.abc import Callable

from osgp.ports.tap.telnet import BINARY, COM_PORT, DO, DONT, SIGNATURE, TO_CLIENT, WILL, WONT, Command, Splitter
from osgp.ports.tap.telnet import command as command_of
from osgp.ports.tap.telnet import escaped as escaped_of
from osgp.ports.tap.telnet import option as option_of

__all__ = ["Server"]

_GO_AHEAD = 3
_BAUD, _SIZE, _PARITY, _STOP, _CONTROL, _MODEM = 1, 2, 3, 4, 5, 7
_LINE_MASK, _MODEM_MASK, _PURGE = 10, 11, 12
_IN_EFFECT = {_BAUD: b"\0\0\x25\x80", _SIZE: b"\x08", _PARITY: b"\x01", _STOP: b"\x01"}
_NO_FLOW, _NO_BREAK, _NO_INBOUND = 1, 6, 14
_ASK_DTR, _DTR_ON, _DTR_OFF, _ASK_RTS, _RTS_ON, _RTS_OFF = range(7, 13)
_STEADY = b"\xb0"
"""Of the lines that a level shifter at a meter has not: clear to send, data set ready, carrier."""


class Server:
    """One client of RFC 2217.

    Args:
        signature: gives what is told about the module.
    """

    def __init__(self, signature: Callable[[], bytes]) -> None:
        self._signature = signature
        self._splitter = Splitter()
        self._agreed: set[tuple[int, int]] = set()
        self._out = b""
        self.dtr = True
        self.rts = True

    def receive(self, data: bytes) -> bytes:
        """Return the bytes for the line."""
        line = b""
        for found in self._splitter.receive(data):
            if isinstance(found, bytes):
                line += found
            elif found.verb == 0:
                self._obey(found)
            else:
                self._agree(found)
        return line

    def to_send(self) -> bytes:
        """Return what has to be answered now."""
        out, self._out = self._out, b""
        return out

    def from_line(self, data: bytes) -> bytes:
        """Return bytes of the line as they are sent."""
        return escaped_of(data)

    def _agree(self, asked: Command) -> None:
        """Answer an offer or a request, each once: answers to answers would never end."""
        if asked.verb not in (WILL, DO) or (asked.verb, asked.number) in self._agreed:
            return
        known = asked.number in (BINARY, _GO_AHEAD, COM_PORT)
        if known:
            self._agreed.add((asked.verb, asked.number))
        if asked.verb == WILL:
            self._out += option_of(DO if known else DONT, asked.number)
        else:
            self._out += option_of(WILL if known else WONT, asked.number)

    def _obey(self, asked: Command) -> None:
        number = asked.number
        if number == SIGNATURE:
            if not asked.data:
                self._tell(SIGNATURE, self._signature())
        elif number in _IN_EFFECT:
            self._tell(number, _IN_EFFECT[number])
        elif number == _CONTROL:
            self._control(asked.data[0] if asked.data else 0)
        elif number in (_LINE_MASK, _MODEM_MASK, _PURGE):
            self._tell(number, asked.data[:1])
            if number == _MODEM_MASK:
                self._tell(_MODEM, _STEADY)

    def _control(self, asked: int) -> None:
        if asked < 4:  # flow control
            told = _NO_FLOW
        elif asked < _ASK_DTR:
            told = _NO_BREAK
        elif asked <= _DTR_OFF:
            if asked != _ASK_DTR:
                self.dtr = asked == _DTR_ON
            told = _DTR_ON if self.dtr else _DTR_OFF
        elif asked <= _RTS_OFF:
            if asked != _ASK_RTS:
                self.rts = asked == _RTS_ON
            told = _RTS_ON if self.rts else _RTS_OFF
        else:
            told = _NO_INBOUND
        self._tell(_CONTROL, bytes((told,)))

    def _tell(self, number: int, data: bytes) -> None:
        self._out += command_of(TO_CLIENT + number, data)
