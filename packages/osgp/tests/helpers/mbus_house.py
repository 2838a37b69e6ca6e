"""Table bytes of a meter with M-Bus devices behind it; telegrams are put together by hand from the code tables."""

from dataclasses import dataclass
from datetime import datetime

from osgp.tables import TABLES, Dimensions

DIMS = Dimensions()
LEFTOVERS = b"\x0b\x13\x99\x99\x99"
"""What an older, longer read left behind."""


@dataclass
class Device:
    """One device; ``records`` is what it sends, in hex."""

    serial: str
    maker: str
    kind: int
    records: str
    handle: int = 1
    time: datetime | None = datetime.fromisoformat("2026-11-29 08:00")  # noqa: RUF009 - never changed
    status: int = 0
    up: bool = True
    info: int = 0

    @property
    def read(self):
        """Return the valid bytes of a slot: time, information, one telegram."""
        letters = [ord(letter) - 64 for letter in self.maker]
        maker = (letters[0] << 10 | letters[1] << 5 | letters[2]).to_bytes(2, "little")
        head = bytes.fromhex(self.serial)[::-1] + maker + bytes((1, self.kind, 7, self.status, 0, 0))
        body = head + bytes.fromhex(self.records) + b"\0"
        day = self.time
        stamp = (
            bytes(6) if day is None else bytes((day.year - 2000, day.month, day.day, day.hour, day.minute, day.second))
        )
        return stamp + bytes((self.info, len(body))) + body


def gas(records="0C933A 45230100", **more):
    """Return a gas meter that shows 12.345 m³, not converted."""
    return Device("10000004", "OSG", 3, records, **more)


def water(records="0C13 04850200 02FD17 0000", **more):
    """Return a water meter that shows 28.504 m³ and has a weak battery."""
    return Device("20000005", "OSG", 7, records, **({"handle": 2, "status": 4} | more))


def heat(**more):
    """Return a heat meter: 2850 kWh, 703.4 m³, 329.7 W, flow 44.3 °C, return 25.1 °C; 1445 kWh on 31 December 2007."""
    records = "0C06 50280000 0C15 34700000 0B2A 973200 0A5A 4304 0A5E 5102 4C06 45140000 426C FF0C"
    return Device("30000006", "OSG", 4, records, **({"handle": 3} | more))


def tables(*devices, dims=DIMS):
    """Return ET14 and ET16 of a meter with these devices at places 0 on; None leaves a place empty."""
    entries, slots = [], b""
    for place in range(4):
        device = devices[place] if place < len(devices) else None
        if device is None:
            entries.append({})
            slots += bytes(dims.device_data_size)
            continue
        entries.append(
            {
                "handle": device.handle,
                "status": 1 if device.up else 2,
                "communication_failed": not device.up,
                "billing_read_length": len(device.read),
                "read_attempts": 10,
                "read_answers": 9,
            }
        )
        slots += (device.read + LEFTOVERS).ljust(dims.device_data_size, b"\0")
    entries += [{}] * (dims.mep_devices - 4)
    occupied = frozenset(place for place, entry in enumerate(entries) if entry) | {4}
    slots += bytes((dims.mep_devices - 4) * dims.device_data_size)
    return {"ET14": TABLES["ET14"].encode({"occupied": occupied, "devices": entries}, dims), "ET16": slots}


ENTRY_SIZE = 80
"""Of the logs of reads here; meters have 525 (MEP guide v1.1 p. 109)."""


def et36(places, size=ENTRY_SIZE):
    """Return ET36 with the seven logs of p. 108-109, of which ET45 has so many places."""
    logs = {31: (232, 0), 32: (525, 0), 38: (35, 0), 41: (0, 0), 45: (size, places), 75: (143, 0), 81: (12, 0)}
    return bytes((7,)) + b"".join(
        (2048 + number).to_bytes(2, "little")
        + entry.to_bytes(2, "little")
        + bytes((253, 0))
        + count.to_bytes(2, "little")
        + bytes(9)
        for number, (entry, count) in logs.items()
    ) + bytes(1)  # fmt: skip


def entry(device, *, with_id=True, result=4, delayed=False, size=ENTRY_SIZE):
    """Return an entry of ET45 or ET74, with leftovers behind it; ``with_id``: its length counts the two bytes before the handle."""
    read = device.read
    head = (len(read) + (6 if with_id else 4)).to_bytes(2, "little") + b"\x00\x10" + device.handle.to_bytes(2, "little")
    return (head + bytes((2 if delayed else 0, result)) + read + LEFTOVERS).ljust(size, b"\x2f")


def ring(entries, places, sequence, *, long=False, size=ENTRY_SIZE):
    """Return a ring log whose newest entry, the last of ``entries``, has this number: its place follows from the number."""
    slots, newest = [bytes(size)] * places, sequence % places
    for age, one in enumerate(reversed(entries)):
        slots[(newest - age) % places] = one
    numbers = (len(entries), newest, sequence, 0)
    widths = (2, 2, 2, 2) if long else (1, 1, 2, 1)
    head = b"".join(number.to_bytes(width, "little") for number, width in zip(numbers, widths, strict=True))
    return b"\x06" + head + b"".join(slots)
