"""What differs between two images of meters, field by field.

Some fields differ between any two reads: clocks, registers, counters of the link. They are *noise* and told apart, so
that what was configured differently is not lost among them.

This module does not know files or terminals.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from osgp.dissector.privacy import SECRET_TABLES, unfindable
from osgp.dissector.table_parts import Part, dissect
from osgp.dissector.values import to_text
from osgp.errors import TableError
from osgp.image.meter_image import MeterImage
from osgp.psem import table_name
from osgp.tables import TABLES, Dimensions
from osgp.tables.schema.count import Untold

__all__ = ["NOISE", "Difference", "differences"]

_ALL: frozenset[str] = frozenset()
NOISE: Mapping[str, frozenset[str]] = {
    "BT07": _ALL,  # the last procedure, and below its result
    "BT08": _ALL,
    "BT23": _ALL,
    "BT24": _ALL,  # copies of registers, and logs: they grow by themselves
    "BT25": _ALL,
    "BT26": _ALL,
    "BT28": _ALL,
    "BT52": _ALL,
    "BT55": frozenset({"clock", "weekday", "tier"}),
    "BT63": _ALL,
    "BT64": _ALL,
    "BT65": _ALL,
    "BT66": _ALL,
    "BT67": _ALL,
    "BT74": _ALL,
    "ET04": frozenset(
        {
            "plc_sequence_number",
            "explicit_message_received",
            "broadcast_receipt",
            "broadcast_base",
            "broadcast_delta",
            "plc_signal_quality",
            "mep_sequence_number",
            "mep_sequence_numbers",
            "fcm_message_count",
        }
    ),
    "ET09": frozenset(
        {
            "power_on",
            "cause",
            "power_off",
            "duration",
            "last_at",
            "events",
            "minimum_frequency",
            "minimum_frequency_at",
            "maximum_frequency",
            "maximum_frequency_at",
            "over_current_events",
            "phase_lost_l1",
            "phase_lost_l2",
            "phase_lost_l3",
            "sag_voltages",
            "swell_voltages",
            "short_outages",
            "maximum",
            "maximum_at",
            "average",
            "drp",
            "drc",
            "at",
            "sag2_voltages",
        }
    ),
    "ET12": _ALL,
    "ET13": frozenset({"scheduled_read", "on_demand_request", "mbus_change", "delta_data"}),
    "ET14": _ALL,
    "ET16": _ALL,
    "ET21": _ALL,
    "ET23": frozenset({"plc_messages", "plc_messages_validated"}),
    "ET31": _ALL,
    "ET41": _ALL,
    "ET45": _ALL,
    "ET46": frozenset({"limit_opened_at"}),
    "ET52": _ALL,
    "ET53": _ALL,
    "ET54": frozenset(
        {
            "relay_1_random_pending",
            "relay_1_random_remaining",
            "relay_2_random_pending",
            "relay_2_random_remaining",
            "interval_time_adjustment",
            "unicast_key_usage",
            "broadcast_key_usage",
            "transactions_locked",
            "transaction_lock_holder",
        }
    ),
    "ET59": _ALL,
    "ET70": _ALL,
    "ET71": frozenset({"comparison", "sample"}),
    "ET74": _ALL,
    "ET75": _ALL,
    "ET79": _ALL,
    "ET80": _ALL,
    "ET81": _ALL,
    "ET85": _ALL,
}
"""Fields that change by themselves; an empty set stands for the whole table."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not the same."""

    table: str
    field: str
    """Its path; ``bytes 12-15`` where the bytes have no name; empty for a table that only one side has."""
    before: str | None
    """None where that side lacks it."""
    after: str | None
    noise: bool = False


def differences(before: MeterImage, after: MeterImage) -> Iterator[Difference]:
    """Yield what differs, in the order of tables and their bytes, noise included.

    Secrets are not compared, and tables of which an image has only the beginning as far as both reach.

    Raises:
        TableError: the tables of one image contradict each other.
    """
    dims = before.dimensions(), after.dimensions()
    for number in sorted(before.tables.keys() | after.tables.keys()):
        name = table_name(number)
        if number in SECRET_TABLES or unfindable(number, before.tables.keys() & after.tables.keys()):
            continue
        if number not in before or number not in after:
            before_size, after_size = (_size(side, number) for side in (before, after))
            yield Difference(name, "", before_size, after_size)
        elif before.tables[number] != after.tables[number] or dims[0] != dims[1]:
            yield from _in_table(number, before.read(number), after.read(number), dims)


def _size(side: MeterImage, number: int) -> str | None:
    return f"{len(side.tables[number])} bytes" if number in side else None


def _in_table(number: int, before: bytes, after: bytes, dims: tuple[Dimensions, Dimensions]) -> Iterator[Difference]:
    name = table_name(number)
    described = TABLES.get(name)
    sides = None
    if described is not None:
        try:
            with contextlib.suppress(Untold):  # then it is compared byte by byte
                sides = [
                    _by_name(dissect(described, data, dim)) for data, dim in zip((before, after), dims, strict=True)
                ]
        except TableError as error:
            raise TableError(f"{name}: {error}") from error
    if sides is None:
        for start, end in _runs(before, after):
            yield Difference(
                name, _place(start, end), _hex(before[start:end]), _hex(after[start:end]), noise=name in NOISE
            )
        return
    for field in sorted(sides[0].keys() | sides[1].keys(), key=lambda field: (_order(sides, field), field)):
        texts = [_text(side.get(field)) for side in sides]
        if texts[0] != texts[1]:
            yield Difference(name, field, texts[0], texts[1], noise=_is_noise(name, field))


def _order(sides: list[dict[str, Part]], field: str) -> int:
    return next(side[field].offset for side in sides if field in side)


def _by_name(parts: list[Part]) -> dict[str, Part]:
    return {part.name or _place(part.offset, part.offset + part.size): part for part in parts if part.kind != "secret"}


def _text(part: Part | None) -> str | None:
    if part is None:
        return None
    if not part.name:
        return _hex(part.raw)
    return f"{to_text(part.value)} {part.unit}".rstrip()


def _is_noise(table: str, field: str) -> bool:
    fields = NOISE.get(table)
    if fields is None:
        return False
    return not fields or field.rpartition(".")[2].partition("[")[0] in fields


def _runs(before: bytes, after: bytes) -> Iterator[tuple[int, int]]:
    """Yield the stretches in which two tables differ."""
    longest = max(len(before), len(after))
    start = None
    for place in range(longest + 1):
        differs = place < longest and before[place : place + 1] != after[place : place + 1]
        if differs and start is None:
            start = place
        elif not differs and start is not None:
            yield start, place
            start = None


def _place(start: int, end: int) -> str:
    return f"byte {start}" if end == start + 1 else f"bytes {start}-{end - 1}"


def _hex(data: bytes) -> str | None:
    return data.hex(" ") or None
