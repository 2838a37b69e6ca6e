"""The table memory of a simulated meter: what each table holds now, and what it answers to a request.

A table is *fixed* (bytes, from an image or made up) or *live* (worked out for the moment it is read: clocks, and the
house's registers and present values). Writes change fixed tables until the simulator stops; a live table takes a write
and forgets it, as a running clock or register would.

This module does not know about keys, sequence numbers or ports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import takewhile
from zlib import crc32

from osgp.errors import TableError
from osgp.meter.clients.messages import HEAD_SIZE, decode_requests, encode_responses, transaction_head
from osgp.psem import PartialRead, PartialWrite, Read, Request, Response, ResponseCode, Write, table_id
from osgp.simulator.localtime import daylight_saving, local_offset, tier_at
from osgp.simulator.rights import CLEAR_DATA, LOCK_TRANSACTIONS, Sender
from osgp.tables import TABLES, Dimensions

__all__ = ["DELTA_ALERT", "ET13_ALERT_FLAGS", "Contents", "Live", "TableMemory", "clock_tables"]

Live = Callable[[float], bytes]
"""Gives a table's bytes at a moment (UTC seconds)."""

Contents = bytes | bytearray | Live
"""What a table may hold."""

_BT07 = table_id("BT07")
_BT08 = table_id("BT08")
_BT23 = table_id("BT23")
_ET13 = table_id("ET13")
_ET50 = table_id("ET50")
_ET52 = table_id("ET52")
_ET53 = table_id("ET53")
_ET54 = table_id("ET54")
_ET59 = table_id("ET59")
_ET70 = table_id("ET70")
_ET85 = table_id("ET85")
_ET70_CHANNEL = TABLES["ET70"].place(Dimensions(), "channel").offset
_LOCK_SECONDS = 10
"""After that long a lock of ET52 and ET53 falls by itself (MEP guide v1.1 p. 247)."""

_PROCEDURE_HEADER = 3
_DONE, _BAD_PARAMETER, _CONFLICTS, _UNKNOWN_PROCEDURE = 0, 2, 3, 6
"""Result codes (MEP guide v1.1 p. 53). A procedure that is not simulated is one the meter does not have."""
_POST_HEADER = 4
_CLEARS_DELTA_ALERT = 12
_DELTA_DATA = TABLES["ET13"].place(Dimensions(), "mep", 0, "delta_data")
DELTA_ALERT = _DELTA_DATA.mask
ET13_ALERT_FLAGS = (
    _DELTA_DATA.offset,
    TABLES["ET13"].place(Dimensions(mep_devices=6), "mep", 1, "delta_data").offset,
)
"""The alert flags of the MEP clients (MEP guide v1.1 p. 80-83)."""
_REPLIES_IN_ET59 = TABLES["ET50"].place(Dimensions(), "clients", 0, "replies_in_et59")
"""This bit alone decides; another says that the client is registered (MEP guide v1.1 p. 124-125)."""


class TableMemory:
    """What a meter's tables hold.

    Args:
        fixed: table id to bytes.
        live: table id to a function of time.
        lock_at: where ET54 tells whether, and behind that by which MEP port, ET52 and ET53 are locked; None in meters with
            one MEP port.
    """

    def __init__(
        self, fixed: Mapping[int, bytes | bytearray], live: Mapping[int, Live], *, lock_at: int | None = None
    ) -> None:
        self._lock_at = lock_at
        self._lock = (0, 0.0)
        self._fixed = {table: bytearray(data) for table, data in fixed.items()}
        self._live = dict(live)
        self._last_psn: dict[int, int] = {}
        self._written: set[int] = set()
        self._executed: int | None = None

    def read(self, table: int, now: float) -> bytes | None:
        """Return a table's bytes at ``now`` (UTC seconds), None if the meter has no such table."""
        live = self._live.get(table)
        if live is not None:
            return live(now)
        data = self._fixed.get(table)
        if data is not None and table == _ET54 and self._lock_at is not None:
            holder = self._holder(now)
            data[self._lock_at : self._lock_at + 2] = bytes((holder > 0, holder))
        return None if data is None else bytes(data)

    def _holder(self, now: float) -> int:
        """Return the MEP port that holds the lock of ET52 and ET53; 0 for none."""
        port, until = self._lock
        return port if now < until else 0

    def place(self, table: int, contents: Contents | None) -> None:
        """Let a table hold other bytes, or follow another function of time; None: there is no such table."""
        self._fixed.pop(table, None)
        self._live.pop(table, None)
        if contents is None:
            return
        if isinstance(contents, bytes | bytearray):
            self._fixed[table] = bytearray(contents)
        else:
            self._live[table] = contents

    def put(self, table: int, offset: int, data: bytes) -> None:
        """Write as far as the table goes; what would lie behind its end is ignored (MEP guide v1.1 p. 12)."""
        memory = self._fixed.get(table)
        if memory is not None:
            part = data[: max(0, len(memory) - offset)]
            memory[offset : offset + len(part)] = part
            self._written.add(table)

    def renewed(self, other: TableMemory) -> TableMemory:
        """Return the tables of another firmware, with what clients have written into those that kept their size."""
        for table in self._written:
            data = self._fixed.get(table)
            if data is not None and len(other._fixed.get(table, b"")) == len(data):
                other._fixed[table] = data
        other._written |= self._written
        other._last_psn = self._last_psn
        return other

    def answer(self, request: Request, sender: Sender, now: float) -> Response:
        """Carry a request out with the rights of its sender."""
        if isinstance(request, Read | PartialRead) and not sender.may_read(request.table):
            return _NOT_ALLOWED
        match request:
            case Read(table):
                data = self._seen(table, now, sender)
                return _NO_TABLE if data is None else Response(ResponseCode.OK, data)
            case PartialRead(table, offset, count):
                data = self._seen(table, now, sender)
                if data is None:
                    return _NO_TABLE
                # Past the end of the table come zeros, without an error (Optical Port Programmer's Guide).
                return Response(ResponseCode.OK, data[offset : offset + count].ljust(count, b"\0"))
            case Write(table, data):
                return self._write(table, 0, data, sender, now)
            case PartialWrite(table, offset, data):
                return self._write(table, offset, data, sender, now)

    def _seen(self, table: int, now: float, sender: Sender) -> bytes | None:
        """Return a table's bytes as a sender sees them: ET70 tells a client which MEP port is its own (p. 174)."""
        data = self.read(table, now)
        if data is None or table != _ET70 or not sender.port:
            return data
        return data[:_ET70_CHANNEL] + bytes((sender.port,)) + data[_ET70_CHANNEL + 1 :]

    def _write(self, table: int, offset: int, data: bytes, sender: Sender, now: float) -> Response:
        if not sender.may_write(table):
            return _NOT_ALLOWED
        if table == _BT07:
            return self._start_procedure(data if offset == 0 else b"", sender, now)
        if table not in self._fixed and table not in self._live:
            return _NO_TABLE
        if table == _ET52 and self._holder(now) not in {0, sender.port}:
            return Response(ResponseCode.OPERATION_NOT_POSSIBLE)
        self.put(table, offset, data)
        if table == _ET52:
            self._execute(offset + len(data), sender, now)
        return Response(ResponseCode.OK)

    def _execute(self, written: int, sender: Sender, now: float) -> None:
        """Carry out the transaction in ET52, once its end has been written, and put the answers into ET53 (MEP guide v1.1 p. 44-50)."""
        memory, answers = self._fixed.get(_ET52, bytearray()), self._fixed.get(_ET53)
        head = transaction_head(bytes(memory)) if len(memory) >= HEAD_SIZE else None
        if head is None or answers is None or not head.size <= min(written, len(memory)):
            return
        data = bytes(memory[: head.size])
        try:
            number, requests = decode_requests(data)
        except TableError:
            return  # its end is of an older one
        if crc32(data) == self._executed:
            return  # not the same twice in a row (p. 50)
        self._executed = crc32(data)
        plain = list(takewhile(lambda one: one.table != _ET52, requests))
        made = encode_responses(number, requests, [self.answer(one, sender, now) for one in plain], len(answers))
        answers[: len(made)] = made

    def _start_procedure(self, data: bytes, sender: Sender, now: float) -> Response:
        """Carry a procedure out and post its result (MEP guide v1.1 p. 52-53)."""
        if len(data) < _PROCEDURE_HEADER:
            return Response(ResponseCode.OPERATION_NOT_POSSIBLE)
        psn = data[2]
        if psn not in sender.sequence_numbers or psn == self._last_psn.get(sender.port):
            return Response(ResponseCode.OPERATION_NOT_POSSIBLE)
        self._last_psn[sender.port] = psn
        number = int.from_bytes(data[:2], "little") & 0x0FFF
        result = self._carry_out(number, data[_PROCEDURE_HEADER:], sender, now)
        self._fixed[self._results(sender)] = bytearray((*number.to_bytes(2, "little"), psn, result))
        return Response(ResponseCode.OK)

    def _results(self, sender: Sender) -> int:
        """Return the table for the results of a sender's procedures (MEP guide v1.1 p. 24, 51)."""
        if sender.port > 1:
            return _ET85
        inbound = self._fixed.get(_ET50, bytearray())
        at = _REPLIES_IN_ET59.offset
        flags = inbound[at] if len(inbound) > at else 0
        return _ET59 if sender.redirected and flags & _REPLIES_IN_ET59.mask else _BT08

    def _carry_out(self, number: int, parameters: bytes, sender: Sender, now: float) -> int:
        if number not in sender.procedures or (number == LOCK_TRANSACTIONS and self._lock_at is None):
            return _UNKNOWN_PROCEDURE
        if number == CLEAR_DATA:
            return self._clear_data()
        if number == LOCK_TRANSACTIONS:
            return self._lock_transactions(parameters, sender.port, now)
        return self._take_post(parameters, sender.port)

    def _lock_transactions(self, parameters: bytes, port: int, now: float) -> int:
        """Lock ET52 and ET53 for a port, or unlock them (EP61, MEP guide v1.1 p. 247)."""
        if parameters[:1] not in {b"\0", b"\1"}:
            return _BAD_PARAMETER
        if self._holder(now) not in {0, port}:
            return _CONFLICTS
        self._lock = (port, now + _LOCK_SECONDS if parameters[0] else 0.0)
        return _DONE

    def _take_post(self, parameters: bytes, port: int) -> int:
        """Take what a client posts (EP39), and clear the alerts that it answers.

        The parameters are missing from the guide. A client in the field sends type, result, a length and so many bytes,
        and real meters take it; of the types the guide names 12, which clears the delta data alert (p. 34). What is posted is
        not kept.
        """
        if len(parameters) < _POST_HEADER:
            return _BAD_PARAMETER
        length = int.from_bytes(parameters[2:_POST_HEADER], "little")
        if length != len(parameters) - _POST_HEADER:
            return _BAD_PARAMETER
        answered = DELTA_ALERT if parameters[0] == _CLEARS_DELTA_ALERT else 0xFF & ~DELTA_ALERT
        self.put(_ET13, ET13_ALERT_FLAGS[port - 1], bytes((self.alert_flags(port) & ~answered,)))
        return _DONE

    def alert_flags(self, port: int = 1) -> int:
        """Return the alert flags of the client at a MEP port; 0 where there is no ET13, or no such client."""
        at = ET13_ALERT_FLAGS[port - 1]
        flags = self._fixed.get(_ET13, bytearray())[at : at + 1]
        return flags[0] if flags else 0

    def _clear_data(self) -> int:
        registers = self._fixed.get(_BT23)
        if registers is None or _BT23 in self._live:
            return _CONFLICTS  # a house has consumed what it has consumed
        registers[:] = bytes(len(registers))
        return _DONE


_NOT_ALLOWED = Response(ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE)
_NO_TABLE = Response(ResponseCode.INAPPROPRIATE_ACTION)


def clock_tables(dims: Dimensions, *, shown: Callable[[float], float]) -> dict[int, Live]:
    """Return BT52 and BT55 of a meter whose clock shows at a moment what ``shown`` gives for it, both UTC seconds."""
    utc_clock, local_clock = TABLES["BT52"], TABLES["BT55"]

    def utc(now: float) -> bytes:
        second = int(shown(now))
        moment = datetime.fromtimestamp(second, UTC)
        flags = {"weekday": moment.isoweekday() % 7, "greenwich_mean_time": True}
        return utc_clock.encode({"clock": moment, **flags, "daylight_saving": daylight_saving(second)}, dims)

    def local(now: float) -> bytes:
        minute = int(shown(now))
        minute -= minute % 60  # "Updated every minute" (MEP guide v1.1 p. 229)
        moment = datetime.fromtimestamp(minute + local_offset(minute), UTC).replace(tzinfo=None)
        values = {
            "clock": moment,
            "weekday": moment.isoweekday() % 7,
            "time_zone_applied": True,
            "daylight_saving_applied": True,
            "daylight_saving": daylight_saving(minute),
            "tier": tier_at(minute),
        }
        return local_clock.encode(values, dims)

    return {utc_clock.id: utc, local_clock.id: local}
