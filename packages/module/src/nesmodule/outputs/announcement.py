"""What is announced to Home Assistant: the module, and every value the meter has, with the ids of the gateway.

Loaded only while it is announced, and forgotten again.

This module does not know MQTT.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from nesmodule.board.files import opened
from nesmodule.meter.poller import PRESENT_EVERY
from nesmodule.meter.tables import Identity
from nesmodule.outputs.pieces import Pieces
from osgp.sources import SOURCES, Source

__all__ = ["EXPIRE_AFTER", "announcements"]

_ENTITIES = "entities.txt"
"""As :mod:`nesmodule_build.entities` writes them."""
_PIECE = 64
EXPIRE_AFTER = 3 * PRESENT_EVERY // 1000
"""Seconds after which Home Assistant takes a present value for unknown."""
_NET = ("active_power_import", "active_power_export")
_OTHERS = ("meter_state", "problem", "link_quality")


def announcements(
    name: str, meter: str, base: str, sources: list[Source], identity: Identity | None
) -> tuple[tuple[str, Pieces], tuple[str, Pieces]]:
    """Return topics below the discovery prefix, and their documents: of the module, then of the meter.

    Args:
        name: what the gateway would be called.
        meter: id of the meter.
        base: topic that all others begin with.
        sources: the values it has.
        identity: who it is; None if unknown.
    """
    gateway = "nes2mqtt_" + name
    about: dict[str, Any] = {"ids": [gateway + "_" + meter], "name": meter, "via_device": gateway}
    if identity is not None:
        if identity.serial:
            about["ids"].append(identity.serial)
        told = (
            ("mf", identity.manufacturer),
            ("mdl", identity.model),
            ("sn", identity.serial),
            ("sw", identity.firmware),
        )
        about |= {short: value for short, value in told if value}
    marks = (name, meter, base, str(EXPIRE_AFTER))
    has_net = all(SOURCES[key] in sources for key in _NET)

    def of_meter() -> Iterator[bytes]:
        yield b'{"dev":' + json.dumps(about).encode()
        with opened(_ENTITIES) as file:
            file.readline()
            yield from _filled(file, marks)
            comma = b""
            line = file.readline()
            while len(line) > 1:
                key, _, label = line[:-1].decode().rpartition(":")[0].partition(":")
                if has_net if key == "net_power" else key in _OTHERS or SOURCES.get(key) in sources:
                    yield comma + b'"' + key.encode() + b'":'
                    yield from _filled(file, (*marks, key, label), line)
                    comma = b","
                line = file.readline()
        yield b"}}"

    def of_module() -> Iterator[bytes]:
        with opened(_ENTITIES) as file:
            yield from _filled(file, marks)

    topic = "/device/" + gateway
    return (topic + "/config", of_module), (topic + "_" + meter + "/config", of_meter)


def _filled(file: Any, marks: tuple[str, ...], line: bytes = b"") -> Iterator[bytes]:
    """Yield a text with names in the place of its marks 1, 2, 3 ...

    Args:
        file: the texts.
        marks: the names.
        line: ends with the place of the text; empty: the next line does. The file stands behind it again afterwards.
    """
    line = line or file.readline()
    here = file.tell()
    file.seek(int(line[line.rfind(b":") + 1 :]))
    more = True
    while more:
        piece = file.read(_PIECE)
        end = piece.find(b"\n")
        if end >= 0 or not piece:
            piece, more = piece[:end], False
        start = 0
        for place, byte in enumerate(piece):
            if byte <= len(marks):
                yield piece[start:place]
                yield marks[byte - 1].encode()
                start = place + 1
        yield piece[start:]
    file.seek(here)
