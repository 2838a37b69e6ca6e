"""Makes the module's plan of tables: constants in the place of table declarations, which would not fit its memory.

The declarations of :mod:`osgp.tables` say where every field is in a meter of any dimensions. The module needs some forty numbers
of them and two formulas: value *k* of BT23's total block stands at ``first + 4 k``, with ``first`` 1 if the meter counts demand
resets, else 0; value *k* of BT28 at ``first + 4 k``, with ``first`` four bytes, and three more for the time remaining, for each present
demand. Both are checked against the declarations for all dimensions a meter can have; where they do not hold, nothing is written.

This module does not know how the plan is used; :mod:`nesmodule.meter.layout` does.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from osgp.sources import SOURCES, Source, by_id
from osgp.tables import TABLES, Dimensions
from osgp.tables.registers import ENERGIES, step_of
from osgp.tables.schema.dimensions import Firmware

__all__ = ["PLAN", "PlanWrong", "plan_text"]

PLAN = Path(__file__).resolve().parent.parent / "nesmodule" / "meter" / "plan.py"
"""The file that is written; it is kept in the repository, and a test compares."""

_END = b"\n"
_ANY = Dimensions()
_SECONDS_PER_MINUTE = 60
_FIRMWARES: tuple[Firmware | None, ...] = (
    None,
    *((major, minor) for major in (2, 3) for minor in range(0, 100, 10)),
    *((4, minor) for minor in range(0, 100, 10)),
    (5, 0),
)
"""Versions between which fields come and go (MEP guide v1.1: all in steps of ten)."""


class PlanWrong(Exception):
    """The declarations of :mod:`osgp.tables` are no longer what the plan's formulas say."""


def plan_text() -> str:
    """Return the plan as the source of a Python module.

    Raises:
        PlanWrong: a formula does not hold for some meter.
    """
    _check_formulas()
    rows = list(_rows())
    units = list(dict.fromkeys(_unit(source) for source in rows))
    lines = [
        '"""Where the meter\'s tables hold what the module reads. Made by nesmodule_build.plan of osgp\'s declarations; not to be edited."""',
        "",
        f"BIG_ENDIAN = {_bit('BT00', 'big_endian')!r}",
        '"""Byte and bit."""',
        f"MANUFACTURER = {_place('BT01', 'manufacturer')!r}",
        f"MODEL = {_place('BT01', 'model')!r}",
        f"FIRMWARE = {_place('BT01', 'firmware')!r}",
        f"SERIAL = {_place('ET03', 'utility_serial_number')!r}",
        f"IDT_VERSION = {_place('ET04', 'idt_version')!r}",
        f"PROGRAM = {_place('ET04', 'program_id')!r}",
        f"SIZES = {TABLES['BT21'].size(_ANY)!r}",
        '"""Bytes of BT20 and BT21, which are laid out alike."""',
        f"RESET_COUNTER = {_bit('BT21', 'demand_reset_counter')!r}",
        f"TIME_REMAINING = {_bit('BT21', 'time_remaining')!r}",
        *(
            f"{name.upper()} = {_place('BT21', name)[0]}"
            for name in ("summations", "tiers", "present_demands", "present_values")
        ),
        f"SUMMATION_IDS = {bytes(_ids('summations'))!r}",
        f"PRESENT_IDS = {bytes(_ids('present_values'))!r}",
        f"FIRST_APPARENT = {len(_ids('summations'))}",
        f"ENERGY_UNIT = {tuple(_energy_unit_places())!r}",
        '"""From which firmware on ET55 holds the energy unit, and where with four tiers; each further tier moves it by four bytes."""',
        f"ET55_SIZE = {tuple(_et55_sizes())!r}",
        '"""Likewise the size of ET55 with four tiers."""',
        f"OUTAGE_IN_MINUTES = {_outage_in_minutes()!r}",
        '"""Firmware that counts outages in minutes."""',
        f"UNITS = {tuple(units)!r}",
        '"""Quantity, raw unit, unit, decimals, and whether it is counted in the meter\'s energy unit."""',
        f"SOURCES = {''.join(chr(10) + _line(source, units) for source in rows).encode() + _END!r}",
        '"""Lines of source id ("-": none), key, place in UNITS and kind: register, net_register, present."""',
    ]
    return "\n".join(lines) + "\n"


def _line(source: Source, units: list[tuple[Any, ...]]) -> str:
    number = "-" if source.id is None else source.id
    return f"{number}:{source.key}:{units.index(_unit(source))}:{source.kind[0]}"


def _unit(source: Source) -> tuple[Any, ...]:
    return str(source.quantity), source.raw_unit, source.unit, source.decimals, source.quantity in ENERGIES


def _rows() -> Iterator[Source]:
    """Yield what the module can read, in the order of the one list of sources."""
    ids = {*_ids("summations"), *_ids("present_values")}
    for source in SOURCES.values():
        by_position = source.key.startswith("apparent_energy_q") or source.key == "demand_reset_count"
        if source.tier is None and "_primary_" not in source.key and (source.id in ids or by_position):
            yield source


def _ids(name: str) -> tuple[int, ...]:
    """Return the guide's order of source ids: of ``summations`` or ``present_values``, as far as they have ids."""
    many = Dimensions(summations=19, present_values=84)
    sources = many.register_sources if name == "summations" else many.present_sources
    return tuple(source.id for source in sources if source is not None and source.id is not None)


def _place(table: str, name: str, dims: Dimensions = _ANY) -> tuple[int, int]:
    entry = TABLES[table].layout(dims).entries[name]
    return entry.offset, entry.size


def _bit(table: str, name: str) -> tuple[int, int]:
    entry = TABLES[table].layout(_ANY).entries[name]
    if entry.bit is None or entry.bit.high is not None:
        raise PlanWrong(f"{name} of {table} is no single bit")
    return entry.offset, entry.bit.low


def _energy_unit_places() -> Iterator[tuple[int, int, int]]:
    """Yield from which firmware on the energy unit stands where with four tiers; -1: nowhere. Version 0.0: unknown."""
    last = None
    for firmware in _FIRMWARES:
        found = set()
        for tiers in range(1, 9):
            dims = Dimensions(firmware=firmware, max_tiers=tiers)
            entry = TABLES["ET55"].layout(dims).entries.get("energy_unit")
            found.add(-1 if entry is None else entry.offset - 4 * (tiers - 4))
        if len(found) != 1:
            raise PlanWrong(f"the energy unit of firmware {firmware} is not four bytes further with each tier")
        place = found.pop()
        if firmware is None or place != last:
            yield *(firmware or (0, 0)), place
        last = None if firmware is None else place


def _et55_sizes() -> Iterator[tuple[int, int, int]]:
    last = None
    for firmware in _FIRMWARES:
        sizes = {TABLES["ET55"].size(Dimensions(firmware=firmware, max_tiers=tiers)) for tiers in (4, 8)}
        place = min(sizes)
        if max(sizes) - place not in {0, 16}:
            raise PlanWrong(f"ET55 of firmware {firmware} is not four bytes longer with each tier")
        if firmware is None or place != last:
            yield *(firmware or (0, 0)), place
        last = None if firmware is None else place


def _outage_in_minutes() -> Firmware:
    source = SOURCES["outage_duration"]
    found = [one for one in _FIRMWARES if one is not None and step_of(source, Dimensions(firmware=one)) != 1]
    if found != [(2, 0)] or step_of(source, Dimensions(firmware=found[0])) != _SECONDS_PER_MINUTE:
        raise PlanWrong("outages in minutes are no longer those of one firmware")
    return found[0]


def _check_formulas() -> None:
    bt23, bt28 = TABLES["BT23"], TABLES["BT28"]
    for reset, time, date, cumulative in itertools.product((False, True), repeat=4):
        for demands, tiers, values in itertools.product(range(9), (0, 4, 8), (22, 26, 41, 55, 72, 75, 84)):
            dims = Dimensions(
                demand_reset_counter=reset, time_remaining=time, date_time=date, cumulative_demand=cumulative,
                present_demands=demands, present_values=values, demands=demands, occurrences=1, tiers=tiers,
            )  # fmt: skip
            first = bt28.layout(dims).entries["present_values"].offset
            if first != demands * (4 + 3 * time):
                raise PlanWrong(f"present values begin at {first} with {demands} demands")
            if bt23.layout(dims).entries["blocks"].offset != reset:
                raise PlanWrong("the blocks of BT23 do not begin behind the reset counter")
    for number, source in enumerate(Dimensions(present_values=84).present_sources):
        if source is None or by_id(_ids("present_values")[number]) is not source:
            raise PlanWrong(f"present value {number} has no id")
