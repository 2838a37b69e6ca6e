"""Which bytes of a meter's tables must not leave it, and which tell who its owner is.

*Secret* bytes are keys and passwords: they are never shown, dumped or compared, whoever asks. *Identifying* bytes
(serial numbers, network addresses, device ids) are taken out of a dump that is to be published.

What a meter measures is neither: a dump without consumption would be no dump. But consumption tells when somebody is
at home, so publish old values rather than today's. A load profile tells it of months, so its intervals are taken out.

This module does not know about ports or files.
"""

from __future__ import annotations

import contextlib
from collections.abc import Container, Iterator, Mapping, Sequence

from osgp.psem import table_id
from osgp.tables import TABLES, Dimensions
from osgp.tables.schema.count import Untold
from osgp.tables.schema.table import Group, Layout
from osgp.tables.schema.windows import Window

__all__ = [
    "SECRET_TABLES",
    "anonymised",
    "blanked",
    "holds_secrets",
    "identifying_windows",
    "secret_windows",
    "unfindable",
]

SECRET_TABLES: Mapping[int, str] = {
    table_id("BT42"): "holds the passwords of the optical port",
    table_id("BT45"): "holds keys",
    table_id("ET94"): "holds the PIN of the modem's SIM",
    table_id("ET95"): "holds the password of the modem",
}
"""Tables of which not one byte is wanted, and why. C12.19-1997: BT42 Security Table, BT45 Key Table; MEP guide v1.1
p. 191: SIM PIN in ET94, APN password in ET95."""

_KEYED = table_id("ET13")
_KEY_SIZE = 32
"""Of an M-Bus device in ET13 (MEP guide v1.1 p. 81)."""

_IDENTIFYING: Mapping[str, tuple[str, ...]] = {
    "BT01": ("manufacturer_serial",),
    "BT07": ("parameters",),
    "BT08": ("response",),
    **dict.fromkeys(("BT64", "BT65", "BT66", "BT67"), ("blocks[].intervals",)),
    "ET03": ("utility_serial_number",),
    "ET04": ("transceiver_id", "subnet_id", "node_id", "self_identification"),
    "ET13": ("mbus[].customer_id", "mep[].downlink_data"),
    "ET50": ("clients[].identification", "clients[].data"),
    "ET52": ("records",),
    "ET53": ("records",),
    "ET59": ("response",),
    "ET85": ("response",),
    "ET89": ("mep_1_previous_id", "mep_2_previous_id"),
    "ET97": ("free_texts",),
}


def secret_windows(table: int, dims: Dimensions) -> Sequence[Window]:
    """Return offset and count of each secret in a table of such a meter."""
    if table in SECRET_TABLES:
        return [(0, 1 << 24)]
    if table != _KEYED:
        return []
    return [
        (start + _KEY_SIZE_FIELD_SIZE, _KEY_SIZE) for start, _ in _places("ET13", "mbus[].security_key_length", dims)
    ]


_KEY_SIZE_FIELD_SIZE = 1
"""The key stands right after its length."""


def holds_secrets(table: int) -> bool:
    """Tell whether any byte of a table may be secret, so that it must not be shown as it is."""
    return table in SECRET_TABLES or table == _KEYED


def unfindable(table: int, held: Container[int]) -> str:
    """Return why the secrets of a table cannot be told from the rest, given the tables that were read; else ""."""
    if table == _KEYED and table_id("ET11") not in held:
        return "holds keys of M-Bus devices, and without ET11 nobody knows where"
    return ""


def identifying_windows(table: int, dims: Dimensions) -> Sequence[Window]:
    """Return offset and count of what tells one meter, or one device behind it, from all others."""
    for name, paths in _IDENTIFYING.items():
        if table_id(name) == table:
            return [window for path in paths for window in _places(name, path, dims)]
    return []


def _places(name: str, path: str, dims: Dimensions) -> Iterator[Window]:
    """Yield where a field stands: once, or in each record of its group."""
    described = TABLES[name]
    entries = described.layout(dims).entries
    group, _, field = path.partition("[].")
    if not field:
        if group in entries:
            yield entries[group].offset, entries[group].size
        return
    records = next(part for part in described.fields if isinstance(part, Group) and part.name == group)
    inner = Layout(records.fields, dims)
    if group not in entries:
        return
    held = entries[group]
    for place in range(held.size // inner.size if inner.size else 0):
        entry = inner.entries.get(field)
        if entry is None:
            return
        yield held.offset + place * inner.size + entry.offset, entry.size


def blanked(table: int, data: bytes, dims: Dimensions) -> bytes:
    """Return table data with zeros in place of secrets."""
    return _without(data, secret_windows(table, dims))


def anonymised(tables: Mapping[int, bytes], dims: Dimensions) -> dict[int, bytes]:
    """Return the tables without secrets and without what tells whose they are.

    Tables that this library does not describe are left out whole: nobody knows what is in them. So are those of which the
    tables that would tell where things stand in them are missing.
    """
    described = {table.id for table in TABLES.values()}
    shown = {}
    for number, data in tables.items():
        if number in described and not unfindable(number, tables):
            with contextlib.suppress(Untold):
                shown[number] = _without(data, [*secret_windows(number, dims), *identifying_windows(number, dims)])
    return shown


def _without(data: bytes, windows: Sequence[Window]) -> bytes:
    memory = bytearray(data)
    for offset, count in windows:
        end = min(offset + count, len(memory))
        memory[offset:end] = bytes(max(end - offset, 0))
    return bytes(memory)
