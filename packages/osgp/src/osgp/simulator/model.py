"""The meters to simulate: a made-up meter in a simulated house, and any meter of which there is an image.

The made-up meter is that of :mod:`osgp.simulator.made_up`, with the firmware that the house's history says.

An image is served byte for byte. If it lacks tables that tell the sizes of others, they are derived. If it lacks BT52
or BT55, they follow the computer's clock. All other tables that it lacks are absent from the simulated meter, too.

This module does not know how tables are asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from osgp.errors import MisuseError
from osgp.image import MeterImage
from osgp.psem import EXTENDED, table_id
from osgp.simulator.history.configuration import DATA_SETS, DataSet, Version
from osgp.simulator.house import House
from osgp.simulator.logs.recorder import Recorder
from osgp.simulator.made_up.generations import dimensions_of, lacking
from osgp.simulator.made_up.nameplate import nameplate
from osgp.simulator.made_up.readout import HouseReadout
from osgp.simulator.memory import Live, TableMemory, clock_tables
from osgp.tables import TABLES, Dimensions, survey
from osgp.tables.survey import TELLING

__all__ = ["house_memory", "image_memory"]

_LIVE = ("BT23", "BT28", "BT52", "BT55")
_LOGGED = (
    *("BT24", "BT25", "BT26", "BT62", "BT63", "BT64", "BT65", "BT66", "BT67", "BT74"),
    *("ET09", "ET14", "ET16", "ET21", "ET31", "ET41", "ET79", "ET81"),
)
"""Tables that the recorder alone fills; of BT03, BT61 and ET42 it knows what changes."""


_FREE_TEXTS = 3
"""ET90.16: messages that ET97 holds; the flags of TLS stand behind them."""

_TLS_FLAGS_SINCE = (4, 2)
"""Firmware whose ET97 has them (MEP guide v1.1 p. 195)."""


def house_memory(
    house: House, *, clock_step: int = 0, now: float | None = None, tls_required: bool | None = None
) -> TableMemory:
    """Return the tables of the made-up meter that measures the given house.

    Args:
        house: the simulated house; its consumption and history decide what the meter shows and has logged.
        clock_step: seconds by which the meter's clock is ahead of what the history says.
        now: true time, at which the meter has the firmware whose tables these are; by default its first.
        tls_required: what ET97 says of the MEP ports; None: the meter has no TLS and does not show the table.
    """
    firmware = house.history.firmware(house.installed if now is None else now)
    tables, dims = _made_up(firmware, tls_required=tls_required if firmware[:2] >= _TLS_FLAGS_SINCE else None)
    serial = TABLES["ET03"].encode({"utility_serial_number": f"SIM{house.seed:07d}"}, dims)
    readout = HouseReadout(house, dims)
    recorder = Recorder(house, dims, readout.encode_registers)
    live: dict[str, Live] = {"BT23": readout.bt23, "BT28": readout.bt28, **recorder.tables()}
    live["ET42"] = lambda now: _interface_definition(firmware, dims, recorder.data_sets(now))
    served = {table_id(name): of for name, of in live.items() if name not in lacking(firmware)}
    served |= clock_tables(dims, shown=lambda now: house.history.shown(now) + clock_step)
    lock_at = TABLES["ET54"].place(dims, "transactions_locked").offset if dims.mep_clients > 1 else None
    return TableMemory({**tables, table_id("ET03"): serial}, served, lock_at=lock_at)


@cache
def _made_up(firmware: Version, *, tls_required: bool | None) -> tuple[Mapping[int, bytes | bytearray], Dimensions]:
    """Return the tables that all made-up meters of a firmware have in common, and their dimensions."""
    dims = dimensions_of(firmware)
    made = {
        name: _encoded(name, values, dims)
        for name, values in nameplate(firmware, dims, DATA_SETS[: dims.load_profile_sets]).items()
    }
    made["ET42"] = _interface_definition(firmware, dims, DATA_SETS[: dims.load_profile_sets])
    if tls_required is not None:
        flags = {"tls_required_mep_1": tls_required, "tls_required_mep_2": tls_required}
        made["ET90"] = _encoded("ET90", {"free_texts": _FREE_TEXTS}, dims)
        made["ET97"] = _encoded("ET97", flags, replace(dims, free_texts=_FREE_TEXTS))
    # Live tables stand in the image so that BT00 lists them.
    made |= {name: bytes(TABLES[name].size(dims)) for name in (*_LIVE, "ET03")}
    made |= dict.fromkeys(_LOGGED, b"")
    missing = lacking(firmware)
    image = MeterImage({table_id(name): bytearray(data) for name, data in made.items() if name not in missing})
    told = image.derive_dimensions()
    # What is derived beside what was made: meters before 3.10 do not have all of it.
    for table in map(table_id, missing):
        image.tables.pop(table, None)
    used = {0, *image.tables}
    image.tables[0] = bytearray(
        TABLES["BT00"].encode(
            {
                "basic_tables_used": frozenset(number for number in used if number < EXTENDED),
                "extended_tables_used": frozenset(number - EXTENDED for number in used if number >= EXTENDED),
            },
            told,
            base=bytes(image.tables[0]),
        )
    )
    return image.tables, survey(
        {name: bytes(image.tables[table_id(name)]) for name in TELLING if table_id(name) in image.tables}
    )


def _interface_definition(firmware: Version, dims: Dimensions, data_sets: Sequence[DataSet]) -> bytes:
    """Return ET42, which begins with its own length (MEP guide v1.1 p. 111)."""
    made = _encoded("ET42", nameplate(firmware, dims, data_sets)["ET42"], dims)
    return len(made).to_bytes(2, "little") + made[2:]


def _encoded(name: str, values: Mapping[str, Any], dims: Dimensions) -> bytes:
    """Return a table with those of the values for which a meter of this firmware has fields."""
    table = TABLES[name]
    none_counted = (0,) * len(table.own_counts)
    of_any, of_this = (
        table.layout(each.holding(none_counted) if none_counted else each).entries
        for each in (replace(dims, firmware=None), dims)
    )
    later = of_any.keys() - of_this.keys()
    return table.encode({name: value for name, value in values.items() if name not in later}, dims)


def image_memory(image: MeterImage, *, clock_step: int = 0) -> TableMemory:
    """Return the tables of an image; the image itself is not changed.

    Raises:
        TableError: the image's tables contradict each other.
        MisuseError: the image holds no table.
    """
    if not image.tables:
        raise MisuseError('this image holds no table; an image has "tables" with at least one in it')
    own = MeterImage({table: bytearray(data) for table, data in image.tables.items()})
    dims = own.derive_dimensions()
    clocks = clock_tables(dims, shown=lambda now: now + clock_step)
    return TableMemory(own.tables, {table: live for table, live in clocks.items() if table not in image.tables})
