"""A dump: a meter image, and which of the meter's tables are still missing in it.

The file is the JSON of :mod:`osgp.image`, so whatever takes an image takes a dump, plus::

    "refused": {"ET21": "this key may not do that"},      tables the meter has but did not give, and why
    "listed": ["BT00", "BT01", ...],                      what the meter says it has (BT00)
    "complete": true,                                     all listed tables are here, or were left out on purpose
    "layout": "confirmed"                                 the meter and its configuration did not change from the first
                                                          table to the last, so all tables fit each other

Instead of "confirmed", the layout may be "changed: ..." or "not confirmed: ...", followed by the reason.

A dump that is not complete can be continued: the missing tables are then asked for again. Even a dump whose file was
cut off in the middle can be continued: every complete table in the file is kept.

This module also reads and writes Termineter's CSV, which has one table per line: ``id,name,length,hex``.

This module does not know meters, ports or time.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from osgp.dissector.pasted_hex import hex_bytes
from osgp.dissector.privacy import anonymised
from osgp.errors import MisuseError, TableError
from osgp.image.meter_image import FORMAT, MeterImage
from osgp.psem import EXTENDED, table_id, table_name
from osgp.tables import Dimensions, survey
from osgp.tables.schema.table import MAX_TABLE_SIZE
from osgp.tables.survey import TELLING

__all__ = ["CHANGED", "CONFIRMED", "EMPTY", "LEFT_OUT", "NOT_READ", "UNCONFIRMED", "Dump"]

_MEMBERS = ("refused", "listed", "complete", "layout")

CONFIRMED, CHANGED, UNCONFIRMED = "confirmed", "changed: ", "not confirmed: "
"""The value of the member ``layout``, or the words with which the value begins."""

LEFT_OUT, NOT_READ, EMPTY = "left out: ", "not read: ", "holds nothing: "
"""A reason that begins with one of these tells that a table is absent on purpose: it was anonymised, it is secret, or
it has no bytes. All other reasons are failures, and a dump with a failure is not complete."""
_WHOLE_TABLE = re.compile(
    r'"([BE]T\d{1,4})"\s*:\s*\{\s*"offset"\s*:\s*0\s*,\s*"hex"\s*:\s*"([0-9A-Fa-f\s]*)"\s*,\s*"bytes"\s*:\s*(\d{1,7})\s*\}'
)
_CSV_COLUMNS = 4
_LARGEST_ID = 2 * EXTENDED - 1
"""Higher ids are those of pending copies of tables, which an image does not hold."""


@dataclass(slots=True)
class Dump:
    """The tables that were read from a meter so far, and what is known about the missing ones."""

    image: MeterImage = field(default_factory=MeterImage)
    refused: dict[str, str] = field(default_factory=dict)
    listed: list[str] = field(default_factory=list)
    complete: bool = False
    layout: str = ""
    """As in the file; empty as long as nobody has checked."""

    @classmethod
    def parse(cls, content: str, origin: str) -> Dump:
        """Read a dump: JSON, also if its end is missing, or Termineter's CSV.

        Raises:
            TableError: the content is not a dump; the text says where, and what to mend.
        """
        if not content.lstrip().startswith("{"):
            return cls(_from_csv(content, origin), complete=True)
        try:
            document = json.loads(content)
        except ValueError as error:
            return cls(_salvaged(content, origin, error))
        except RecursionError as error:
            raise TableError(f"{origin}: no dump of a meter; it is nested too deeply") from error
        image = MeterImage.parse(content, origin)
        dump = cls(image, *(_member(document, name, origin) for name in _MEMBERS))
        # Earlier versions called a dump complete whatever was missing.
        dump.complete = dump.complete and not dump.missing()
        return dump

    def dimensions(self) -> Dimensions:
        """Return what the dump's own tables say about the sizes of others.

        Raises:
            TableError: one of these tables is cut short.
        """
        return survey({name: self.image.read(name) for name in TELLING if name in self.image})

    def missing(self) -> list[str]:
        """Return the listed tables that are neither in the dump nor absent on purpose, in the order of the list."""
        absent = (name for name in self.listed if name not in self.image)
        return [name for name in absent if not self.refused.get(name, "").startswith((LEFT_OUT, NOT_READ, EMPTY))]

    def to_json(self) -> str:
        """Return the text of the file."""
        document = json.loads(self.image.to_json())
        tables = document.pop("tables")
        more = {"refused": self.refused, "listed": self.listed, "complete": self.complete, "layout": self.layout}
        return json.dumps(document | more | {"tables": tables}, indent=1, ensure_ascii=False) + "\n"

    def to_csv(self) -> str:
        """Return Termineter's CSV: table id, name, length, hex."""
        return "".join(
            f"{number},{table_name(number)},{len(data)},{data.hex()}\n"
            for number, data in sorted(self.image.tables.items())
        )

    def anonymous(self) -> Dump:
        """Return a copy that does not tell whose meter it is.

        The copy has only tables whose layout this library knows, and whose secrets it can find. In these tables, keys,
        serial numbers and other identifying bytes are replaced by zeros (:mod:`osgp.dissector.privacy`).

        Raises:
            TableError: the dump's tables contradict each other.
        """
        held = {number: bytes(data) for number, data in self.image.tables.items()}
        kept = anonymised(held, self.dimensions())
        image = MeterImage(
            {number: bytearray(data) for number, data in kept.items()}, self.image.meter, self.image.port, "anonymised"
        )
        gone = {table_name(number): f"{LEFT_OUT}its content is not known" for number in held.keys() - kept.keys()}
        return Dump(image, dict(sorted((self.refused | gone).items())), self.listed, self.complete, self.layout)


def _member(document: Mapping[str, Any], name: str, origin: str) -> Any:
    """Return one of the members that a dump has and a plain image lacks; a plain image counts as a complete dump."""
    default: Any = {"refused": {}, "listed": [], "complete": True, "layout": ""}[name]
    value = document.get(name, default)
    if not isinstance(value, type(default)):
        raise TableError(f"{origin}: {name} is {value!r:.40}; this was changed by hand, take the dump again")
    texts = [*value.items()] if isinstance(value, dict) else value if isinstance(value, list) else []
    if any(not isinstance(text, str) for pair in texts for text in (pair if isinstance(pair, tuple) else (pair,))):
        raise TableError(f"{origin}: {name} holds something that is no text; take the dump again")
    if name == "listed":
        for table in value:
            try:
                table_id(table)
            except MisuseError as error:
                raise TableError(f"{origin}: {name}: {error}") from error
    return value


def _salvaged(content: str, origin: str, why: ValueError) -> MeterImage:
    """Return the complete tables of a file whose end is missing."""
    image = MeterImage()
    for name, digits, told in _WHOLE_TABLE.findall(content):
        data = bytes.fromhex(digits) if len("".join(digits.split())) % 2 == 0 else b""
        if data and len(data) == int(told):
            image.tables[table_id(name)] = bytearray(data)
    # A file that is broken anywhere but at its end was edited, and then somebody should look at it.
    if not image.tables or content.rstrip().endswith("}\n}"):
        raise TableError(f"{origin}: no dump of a meter ({why}); mend the JSON or begin a new file") from why
    for member in ("meter", "port", "provenance"):
        found = re.search(rf'^ "{member}": ("(?:[^"\\]|\\.)*"),$', content, re.MULTILINE)
        if found:
            setattr(image, member, json.loads(found[1]))
    return image


def _from_csv(content: str, origin: str) -> MeterImage:
    image = MeterImage(provenance=f"from {origin}, Termineter's CSV")
    for number, line in enumerate(content.splitlines(), 1):
        if not line.strip():
            continue
        cells = line.split(",")
        where = f"{origin}, line {number}"
        if len(cells) != _CSV_COLUMNS:
            raise TableError(f"{where}: {len(cells)} columns instead of id,name,length,hex; this is no dump of a meter")
        table, data = _cell(cells[0], _LARGEST_ID, where, "table id"), _csv_hex(cells[3], where)
        if _cell(cells[2], MAX_TABLE_SIZE, where, "length") != len(data):
            raise TableError(f"{where}: {len(data)} bytes of hex where the length says {cells[2]}; the line was cut")
        if table in image.tables:
            raise TableError(f"{where}: table {table} is there twice; keep one")
        image.tables[table] = bytearray(data)
    if not image.tables:
        raise TableError(f"{origin} is empty; there is no table in it (format {FORMAT} or Termineter's CSV)")
    return image


def _cell(text: str, limit: int, where: str, what: str) -> int:
    text = text.strip()
    if not text.isascii() or not text.isdigit() or len(text) > len(str(limit)) or int(text) > limit:
        raise TableError(f"{where}: {text!r:.20} is no {what}; this is no dump of a meter")
    return int(text)


def _csv_hex(text: str, where: str) -> bytes:
    try:
        return hex_bytes(text)
    except MisuseError as error:
        raise TableError(f"{where}: {error}") from error
