"""What the simulated meter keeps of the M-Bus devices behind it: ET14 and ET16 (MEP guide v1.1 p. 83-95).

Each device is asked once an hour. This meter has no room for a log of answers (ET45), so ET16 holds the newest (p. 92, 119). Without
power nothing is asked. A device that was exchanged has another handle; ET16 keeps the bytes of the one before until it
answers (p. 36).

This module does not know what a telegram holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from osgp.simulator.history.happenings import MbusBatteryLow, MbusExchanged, MbusSilent
from osgp.simulator.history.mbus_devices import MbusMeter
from osgp.simulator.house import House
from osgp.simulator.localtime import local_offset
from osgp.tables import TABLES, Dimensions

__all__ = ["MbusReads"]

_HOUR, _WAIT = 3600, 20
"""Devices are asked so many seconds after the full hour."""
_UP, _DOWN, _BAUD_2400 = 1, 2, 4
_BATTERY_LOW = 0x04
_READ_HEAD = 7


@dataclass(frozen=True, slots=True)
class _Installed:
    """A device at its place, from one exchange to the next."""

    place: int
    handle: int
    meter: MbusMeter
    end: float


@dataclass(frozen=True, slots=True)
class _Read:
    """One answer, and its number among those of its device."""

    moment: int
    device: _Installed
    count: int
    battery_low: bool


class MbusReads:
    """The devices behind one house's meter.

    Args:
        house: whose meter it is.
        dims: the meter's dimensions.
    """

    def __init__(self, house: House, dims: Dimensions) -> None:
        self._house = house
        self._dims = dims

    def installed(self, now: float) -> list[_Installed]:
        """Return all devices that have been there by now, by place, the oldest of a place first."""
        history, begin = self._house.history, self._house.installed
        found = [
            _Installed(place, place + 1, MbusMeter(kind, self._house.seed * 100 + place, begin), float("inf"))
            for place, kind in enumerate(history.devices)
        ]
        handle = len(found)
        for one in history.until(now, MbusExchanged):
            handle += 1
            old = next(device for device in reversed(found) if device.meter.kind == one.device)
            found[found.index(old)] = _Installed(old.place, old.handle, old.meter, one.at)
            meter = MbusMeter(one.device, old.meter.seed + 10, one.at)
            found.append(_Installed(old.place, handle, meter, float("inf")))
        return sorted(found, key=lambda device: device.place)

    def et14(self, now: float) -> bytes:
        """Return which devices there are and how they are (p. 83-89)."""
        entries: list[dict[str, Any]] = [{}] * self._dims.mep_devices
        occupied = set()
        for device in self.installed(now):
            if device.end <= now:
                continue
            occupied.add(device.place)
            entries[device.place] = self._state(device, now)
        return TABLES["ET14"].encode({"occupied": frozenset(occupied), "devices": entries}, self._dims)

    def _state(self, device: _Installed, now: float) -> dict[str, Any]:
        asked = list(self._asked(device, now))
        reads = list(self._answers(device, now))
        silent = self._silent_since(device, now)
        failed = any(moment >= silent for moment in asked)
        state: dict[str, Any] = {
            "handle": device.handle,
            "status": _DOWN if failed else _UP,
            "baud_rate": _BAUD_2400,
            "read_attempts": len(asked),
            "read_answers": len(reads),
            "billing_data_collected": bool(reads),
            "communication_failed": failed,
            "device_alarms": _BATTERY_LOW if any(read.battery_low for read in reads) else 0,
        }
        if reads:
            state |= {
                "billing_read_length": len(self._kept(reads[-1])) - 1,
                "status_read": self._local(reads[-1].moment),
            }
        if asked:
            state["last_read_attempt"] = self._local(asked[-1])
        return state

    def et16(self, now: float) -> bytes:
        """Return the newest answers (p. 92-95)."""
        size = self._dims.device_data_size
        slots = [bytes(size)] * self._dims.mep_devices
        for device in self.installed(now):
            for read in list(self._answers(device, now))[-1:]:
                kept = self._kept(read)
                slots[device.place] = kept + slots[device.place][len(kept) :]
        return b"".join(slots)

    # -- answers ------------------------------------------------------------------------------------

    def _asked(self, device: _Installed, now: float) -> Iterator[int]:
        """Yield when the meter asks a device."""
        first = device.meter.begin // _HOUR * _HOUR + _HOUR + _WAIT
        for moment in range(first, int(min(now, device.end - 1)) + 1, _HOUR):
            if self._house.history.powered(moment):
                yield moment

    def _answers(self, device: _Installed, now: float) -> Iterator[_Read]:
        history = self._house.history
        silent = self._silent_since(device, now)
        low = min(
            (one.at for one in history.until(now, MbusBatteryLow) if self._is(one.device, device, one.at)),
            default=float("inf"),
        )
        for count, moment in enumerate(moment for moment in self._asked(device, now) if moment < silent):
            yield _Read(moment, device, count, moment >= low)

    def _silent_since(self, device: _Installed, now: float) -> float:
        found = (one.at for one in self._house.history.until(now, MbusSilent) if self._is(one.device, device, one.at))
        return min(found, default=float("inf"))

    @staticmethod
    def _is(kind: str, device: _Installed, moment: int) -> bool:
        return device.meter.kind == kind and device.meter.begin <= moment < device.end

    def _kept(self, read: _Read) -> bytes:
        """Return an answer as the meter keeps it: local time, a byte of flags, length, telegram, and the end."""
        telegram = read.device.meter.telegram(read.moment, read.count + 1, battery_low=read.battery_low)
        head = TABLES["ET16"].encode(
            {"mbus": [{"time": self._local(read.moment), "decrypted": True}] + [{}] * 3}, self._dims
        )[:_READ_HEAD]
        return head + bytes((len(telegram) + 1,)) + telegram + b"\0\0"

    def _local(self, moment: float) -> Any:
        shown = int(self._house.history.shown(moment))
        return datetime.fromtimestamp(shown + local_offset(shown), UTC).replace(tzinfo=None)
