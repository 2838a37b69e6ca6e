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


def gas(**more):
    """Return a gas meter that shows 12.345 m³, not converted."""
    return Device("10000004", "OSG", 3, "0C933A 45230100", **more)


def water(**more):
    """Return a water meter that shows 28.504 m³ and has a weak battery."""
    return Device("20000005", "OSG", 7, "0C13 04850200 02FD17 0000", **({"handle": 2, "status": 4} | more))


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
