"""A meter image: the table memory of a meter in a JSON file that people can read and share.

``osgp dump`` writes it, ``osgp simulate`` serves it. The format, version 1::

    {
      "format": 1,                                  absent in files from before there was a version
      "meter": "Echelon/NES three-phase, Denmark",  what it is, for people
      "port": "MEP",                                through which port it was read
      "provenance": "read by its owner, 2026-11-22",
      "tables": {
        "BT23": {"offset": 0, "hex": "5e b8 ec 03 ...", "bytes": 220}
      }
    }

Only ``tables`` must be there. ``hex`` may hold blanks; ``bytes``, if present, must be its
length. A table may end early, as a partial read does, but must begin at offset 0: bytes
that nobody read would become zeros that no meter said. Other members (``expected``,
``notes``) are for people and tests, and are left alone.

This module does not know about ports, keys or time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from osgp.errors import MisuseError, TableError
from osgp.psem import EXTENDED, table_id, table_name
from osgp.tables import TABLES, Dimensions, survey
from osgp.tables.schema.table import MAX_TABLE_SIZE
from osgp.tables.survey import TELLING

__all__ = ["FORMAT", "MeterImage", "image_names"]

FORMAT = 1
"""Version of the file format that is written."""

BUILT_IN = "image:"
"""Prefix of the name of an image that comes with this library."""

_MAX_FILE_SIZE = 16 << 20
"""Hex of every table of the largest meter is under a megabyte; more is no image."""

_SUMMATIONS = (11, 15, 19)
"""Numbers of summations that meters have (MEP guide v1.1 p. 202)."""
_TIERS = (4, 8, 0)
"""Numbers of tiers that meters have (p. 202); 0 for an image that holds BT23's total block only."""
_REGISTER_SIZE = 4
_MAX_PRESENT_VALUES = 84
"""BT28 numbers 0-83 (p. 216-220)."""
_GEN4_PRESENT_VALUES = 72
"""From firmware 4.0 on (p. 218-219)."""
_GEN4_SUMMATIONS = 19
_BASIC_TABLES_SIZE = 10
_EXTENDED_TABLES_SIZE = (13, 20)
"""Bytes of BT00's bitmaps (p. 198); the extended one before and from firmware 4.0 on."""
_NO_SOURCE = 0xFF
"""Stands in a derived BT22 for the apparent energies: the guide prints no id for them, and ends at 244."""


def image_names() -> tuple[str, ...]:
    """Return the names of the images that come with this library, for ``image:NAME``."""
    return tuple(sorted(entry.name[:-5] for entry in _folder().iterdir() if entry.name.endswith(".json")))


def _folder() -> Traversable:
    return resources.files("osgp") / "data"


@dataclass(slots=True)
class MeterImage:
    """Table memory by table id, and what is known about the meter it came from."""

    tables: dict[int, bytearray] = field(default_factory=dict)
    meter: str = ""
    port: str = ""
    provenance: str = ""

    @classmethod
    def load(cls, source: str | Path) -> MeterImage:
        """Load an image from a file or, as ``image:NAME``, one that comes with this library.

        Raises:
            MisuseError: there is no such file or image, or it cannot be read.
            TableError: it is no image; says where and what to mend.
        """
        name = str(source)
        if name.startswith(BUILT_IN):
            known = image_names()
            if name.removeprefix(BUILT_IN) not in known:
                raise MisuseError(f"there is no image '{name}'; there are {', '.join(BUILT_IN + one for one in known)}")
            return cls.parse((_folder() / f"{name.removeprefix(BUILT_IN)}.json").read_bytes(), name)
        try:
            with Path(source).open("rb") as file:
                content = file.read(_MAX_FILE_SIZE + 1)
        except OSError as error:
            raise MisuseError(f"cannot read the image {name}: {error.strerror or error}") from error
        return cls.parse(content, name)

    @classmethod
    def parse(cls, content: str | bytes, origin: str = "image") -> MeterImage:
        """Make an image of JSON text. ``origin`` names it in errors.

        Raises:
            TableError: it is no image; says where and what to mend.
        """
        document = _document(content, origin)
        version = document.get("format", FORMAT)
        if version != FORMAT:
            raise TableError(f"{origin}: format is {version!r}, this program reads {FORMAT}; use a newer osgp")
        held = document.get("tables")
        if not isinstance(held, dict):
            raise TableError(f'{origin}: tables is missing; write "tables": {{"BT23": {{"offset": 0, "hex": "..."}}}}')
        image = cls(
            meter=_text(document, "meter", origin),
            port=_text(document, "port", origin),
            provenance=_text(document, "provenance", origin),
        )
        for name, entry in held.items():
            where = f"{origin}: tables.{name}"
            try:
                number = table_id(name)
            except MisuseError as error:
                raise TableError(f"{where}: {error}") from error
            if number in image.tables:
                raise TableError(f"{where}: this table is there twice; keep one")
            image.tables[number] = _memory(entry, where)
        return image

    def save(self, path: str | Path) -> None:
        """Write the image to a file.

        Raises:
            MisuseError: the file cannot be written.
        """
        try:
            Path(path).write_text(self.to_json(), encoding="utf-8")
        except OSError as error:
            raise MisuseError(f"cannot write the image {path}: {error.strerror or error}") from error

    def to_json(self) -> str:
        """Return the image as JSON text in the current format."""
        tables = {
            table_name(number): {"offset": 0, "hex": memory.hex(" "), "bytes": len(memory)}
            for number, memory in sorted(self.tables.items())
        }
        head = {"format": FORMAT, "meter": self.meter, "port": self.port, "provenance": self.provenance}
        return json.dumps(head | {"tables": tables}, indent=1, ensure_ascii=False) + "\n"

    def __contains__(self, table: int | str) -> bool:
        """Tell whether the meter has this table (id or name)."""
        return _id(table) in self.tables

    def read(self, table: int | str, offset: int = 0, count: int | None = None) -> bytes:
        """Return at most ``count`` bytes from ``offset`` on: fewer where the table ends, never filled up.

        Raises:
            MisuseError: the image has no such table, or the window is negative.
        """
        if offset < 0 or (count is not None and count < 0):
            raise MisuseError(f"cannot read {count} bytes from offset {offset}; both must be 0 or more")
        memory = self._memory(table)
        return bytes(memory[offset : None if count is None else offset + count])

    def write(self, table: int | str, data: bytes, offset: int = 0) -> None:
        """Write into a table the image has; what would go past its end is ignored, as the meter does (p. 12).

        Raises:
            MisuseError: the image has no such table, or ``offset`` is negative.
        """
        if offset < 0:
            raise MisuseError(f"cannot write from offset {offset}; it must be 0 or more")
        memory = self._memory(table)
        memory[offset : offset + len(data)] = data[: max(len(memory) - offset, 0)]

    def dimensions(self) -> Dimensions:
        """Return the dimensions that this image's own tables tell.

        Raises:
            TableError: one of them is cut short.
        """
        return survey({name: self.read(name) for name in TELLING if name in self})

    def derive_dimensions(self) -> Dimensions:
        """Add the tables that tell the sizes of others, where missing, and return what they tell.

        BT20, BT21, BT22 and BT27 follow from the sizes of BT23 and BT28 in the guide's order of
        sources; BT00 lists the tables of the image. Tables that are there are believed, and a
        meter with BT20 only, as the oldest are (p. 213), gets no BT21.

        Raises:
            TableError: BT23 or BT28 has a size that no meter without demand registers has.
        """
        dims = self.dimensions()
        if "BT21" not in self and "BT20" not in self:
            dims = self._measured(dims)
            self._add("BT21", {name: getattr(dims, name) for name in _COUNTED}, dims)
        if "BT20" not in self:
            self.tables[table_id("BT20")] = bytearray(self.read("BT21"))
        ids = [source.id if source and source.id is not None else _NO_SOURCE for source in dims.register_sources]
        self._add("BT22", {"summation_sources": ids}, dims)
        ids = [source.id if source and source.id is not None else _NO_SOURCE for source in dims.present_sources]
        self._add("BT27", {"present_value_sources": ids}, dims)
        self._add_configuration(dims)
        return self.dimensions()

    def _measured(self, dims: Dimensions) -> Dimensions:
        """Conclude counts from the sizes of BT23 and BT28."""
        values = dims.present_values
        if "BT28" in self:
            size = len(self._memory("BT28"))
            values, rest = divmod(size, _REGISTER_SIZE)
            if rest or not 0 < values <= _MAX_PRESENT_VALUES:
                raise TableError(
                    f"BT28 has {size} bytes, but {_MAX_PRESENT_VALUES} present values of {_REGISTER_SIZE} bytes are the "
                    "most a meter has, and none is cut; read BT28 again, or add BT21 and BT27 of that meter to the image"
                )
        summations = _GEN4_SUMMATIONS if values >= _GEN4_PRESENT_VALUES else dims.summations
        tiers = dims.tiers
        if "BT23" in self:
            size = len(self._memory("BT23"))
            shapes = {_REGISTER_SIZE * sums * (1 + tier): (sums, tier) for tier in _TIERS for sums in _SUMMATIONS}
            if size not in shapes:
                raise TableError(
                    f"BT23 has {size} bytes, which tells no number of registers (known are "
                    f"{', '.join(map(str, sorted(shapes)))}); a meter with demand registers has other sizes: add its "
                    "BT21 and BT22 to the image"
                )
            summations, tiers = shapes[size]
        return replace(dims, summations=summations, tiers=tiers, max_tiers=max(tiers, 4), present_values=values)

    def _add_configuration(self, dims: Dimensions) -> None:
        basic, extended = _BASIC_TABLES_SIZE, _EXTENDED_TABLES_SIZE[dims.summations == _GEN4_SUMMATIONS]
        used = {0, *self.tables}
        self._add(
            "BT00",
            {
                "char_format": 1,
                "time_format": 2,
                "data_access_method": 1,
                "non_integer_format_1": 8,
                "non_integer_format_2": 8,
                "manufacturer": "NES",
                "nameplate_type": 2,
                "procedure_parameter_length": 255,
                "response_data_length": 12,
                "standard_version": 1,
                "basic_tables_size": basic,
                "extended_tables_size": extended,
                "basic_procedures_size": 2,
                "extended_procedures_size": 12,
                "manufacturer_status_length": 9,
                "pending_tables": 4,
                "basic_tables_used": frozenset(number for number in used if number < 8 * basic),
                "extended_tables_used": frozenset(
                    number - EXTENDED for number in used if 0 <= number - EXTENDED < 8 * extended
                ),
            },
            dims,
        )

    def _add(self, name: str, values: Mapping[str, Any], dims: Dimensions) -> None:
        if name not in self:
            self.tables[table_id(name)] = bytearray(TABLES[name].encode(values, dims))

    def _memory(self, table: int | str) -> bytearray:
        memory = self.tables.get(_id(table))
        if memory is None:
            name = table if isinstance(table, str) else table_name(table)
            raise MisuseError(f"this image has no {name}; it has {', '.join(map(table_name, sorted(self.tables)))}")
        return memory


_COUNTED = ("season", "date_time", "summations", "tiers", "present_values")
"""What a derived BT21 tells; all else is 0 in a meter without demand registers."""


def _id(table: int | str) -> int:
    return table_id(table) if isinstance(table, str) else table


def _document(content: str | bytes, origin: str) -> dict[str, Any]:
    if len(content) > _MAX_FILE_SIZE:
        raise TableError(f"{origin}: more than {_MAX_FILE_SIZE >> 20} MiB, so no image of a meter")
    try:
        document = json.loads(content)
    except json.JSONDecodeError as error:
        raise TableError(f"{origin}, line {error.lineno}, column {error.colno}: {error.msg}; mend the JSON") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{origin}: byte {error.start} is no UTF-8 text; an image is a JSON text file") from error
    except (ValueError, RecursionError) as error:
        raise TableError(f"{origin}: no image of a meter ({error})") from error
    if not isinstance(document, dict):
        raise TableError(f'{origin}: no image of a meter; it must be an object with "tables"')
    return document


def _text(document: Mapping[str, Any], name: str, where: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise TableError(f"{where}: {name} is {value!r:.40}; write a text in quotes")
    return value


def _memory(entry: Any, where: str) -> bytearray:
    if not isinstance(entry, dict) or not isinstance(entry.get("hex"), str):
        raise TableError(f'{where}: hex is missing; write {{"offset": 0, "hex": "00 1f ..."}}')
    offset = entry.get("offset", 0)
    if offset != 0:
        raise TableError(f"{where}.offset is {offset!r:.40}, but an image holds tables from byte 0; read it from 0")
    try:
        memory = bytearray.fromhex(entry["hex"])
    except ValueError as error:
        raise TableError(f"{where}.hex: {error}; write two hex digits for each byte") from error
    if len(memory) > MAX_TABLE_SIZE:
        raise TableError(f"{where}.hex has {len(memory)} bytes, more than any table; at most {MAX_TABLE_SIZE}")
    told = entry.get("bytes", len(memory))
    if told != len(memory):
        raise TableError(f"{where}.hex has {len(memory)} bytes, but bytes says {told!r:.40}; one of them is wrong")
    return memory
