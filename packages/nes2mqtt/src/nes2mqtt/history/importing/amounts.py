"""Registers as people and programs write them: ``12345.678``, ``12.345,678``, ``12345,678 kWh``, in Wh, kWh or MWh.

Nothing here knows a file.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

from nes2mqtt.history.errors import HistoryError

__all__ = ["UNITS", "WRITTEN", "NotANumber", "amount", "unit_in"]

UNITS = {"wh": 0, "kwh": 3, "mwh": 6, "varh": 0, "kvarh": 3}
"""By how many powers of ten a unit is more than the meter's own."""

_MOST = 10**12
"""No register shows more: nine digits of 100 Wh."""
_LONGEST = 64
"""Characters of a cell with a number."""
_BLANK = re.compile(r"(?<=\d)[\s\u00a0\u202f'](?=\d{3}(?!\d))", re.ASCII)
"""Between thousands."""
_ABSENT = frozenset({"", "-", "--", "unknown", "unavailable", "none", "null", "nan", "n/a", "na"})
_UNIT = re.compile(r"[\s_(\[]*(mwh|kwh|wh|kvarh|varh)[)\]]*$", re.IGNORECASE)
_TITLE_UNIT = re.compile(r"(?:^|[^a-z])(mwh|kwh|wh|kvarh|varh)(?:[^a-z]|$)", re.IGNORECASE)


WRITTEN = {"wh": "Wh", "kwh": "kWh", "mwh": "MWh", "varh": "varh", "kvarh": "kvarh"}


class NotANumber(HistoryError):
    """The text is for the owner, and goes on after "line 7: "."""


def unit_in(title: str) -> str:
    """Return the unit that a title names, such as ``Import (kWh)`` or ``active_energy_import_kWh``; empty if none."""
    found = _TITLE_UNIT.findall(title.lower())
    return str(found[-1]) if found else ""


def amount(text: str, unit: str) -> tuple[int, int] | None:
    """Return a register in whole Wh and the last digit that was written, also in Wh; None where nothing is written.

    Args:
        text: the cell.
        unit: of the column; a unit in the cell counts more.

    Raises:
        NotANumber: it is none, or none that a register can show.
    """
    cell = text.strip().strip("\"'").strip()
    if cell.lower() in _ABSENT:
        return None
    if len(cell) > _LONGEST:
        raise NotANumber(f"'{cell[:40]}...' is no number")
    found = _UNIT.search(cell)
    if found is not None:
        cell, unit = cell[: found.start()], found.group(1)
    power = UNITS[unit.lower()]
    number = _number(cell, text)
    raw = number.scaleb(power)
    if number.is_signed() and number:
        raise NotANumber(f"'{text.strip()}' is below zero, which a register is never")
    if raw >= _MOST:
        raise NotANumber(f"'{text.strip()}' is more than a register can show")
    exponent = number.as_tuple().exponent
    step = 10 ** max(0, power + exponent) if isinstance(exponent, int) else 1
    return int(raw.to_integral_value(ROUND_HALF_EVEN)), step


def _number(cell: str, text: str) -> Decimal:
    digits = _BLANK.sub("", cell)
    comma, point = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and point >= 0:
        whole, fraction = digits[: max(comma, point)], digits[max(comma, point) + 1 :]
        digits = f"{_joined(whole, ',' if point > comma else '.')}.{fraction}"
    elif digits.count(",") > 1 or digits.count(".") > 1:  # 1.234.567
        digits = _joined(digits, "," if comma > 0 else ".")
    digits = digits.replace(",", ".")
    if not re.fullmatch(r"[+-]?\d+(\.\d*)?([eE][+-]?\d{1,2})?", digits, re.ASCII):
        raise NotANumber(f"'{text.strip()[:40]}' is no number")
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise NotANumber(f"'{text.strip()[:40]}' is no number") from None


def _joined(whole: str, mark: str) -> str:
    """Return a whole number without the marks between its thousands; as it is if they stand elsewhere, as in a date."""
    grouped = re.fullmatch(rf"[+-]?\d{{1,3}}({re.escape(mark)}\d{{3}})+", whole, re.ASCII)
    return whole.replace(mark, "") if grouped else whole
