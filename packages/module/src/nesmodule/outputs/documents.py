"""The JSON that is published and served: the gateway's topics of Home Assistant, with the same keys and numbers.

A document is given out in pieces, never as a whole: a large block is what a small heap cannot give. A key without a value is absent.
The pieces are made twice, to count them and to send them, so they are made of a :class:`Snapshot`, which does not change.

This module does not know MQTT or HTTP.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator

from nesmodule.meter.poller import Poller
from osgp.sources import Source

__all__ = ["Snapshot", "live", "present", "registers"]

_COUNTS = ("requests", "replies", "retries", "timeouts", "corrupt", "resyncs", "alerts")


class Snapshot:
    """What a poller has at one moment.

    Args:
        poller: has it; it makes new collections and changes none.
        now: milliseconds, as the poller counts.
    """

    def __init__(self, poller: Poller, now: int) -> None:
        self.present = poller.present.values
        self.registers = poller.registers.values
        self.present_age = (now - poller.present.at) // 1000
        self.registers_age = (now - poller.registers.at) // 1000
        self.segment = poller.segment
        self.link = _link(poller)
        """The document of the link: state, identity, counts."""


def _values(values: OrderedDict[Source, int], mark: str) -> Iterator[bytes]:
    for source, value in values.items():
        yield ('%s"%s":%s' % (mark, source.key, source.text(value))).encode()
        mark = ","


def present(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the document of present values."""
    yield b"{"
    yield from _values(snapshot.present, "")
    powers = {source.key: value for source, value in snapshot.present.items() if source.key in _NET}
    if len(powers) == len(_NET):
        yield b',"net_power":%d' % (powers[_NET[0]] - powers[_NET[1]])
    yield b"}"


_NET = ("active_power_import", "active_power_export")


def registers(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the document of registers."""
    yield b'{"segment":%d' % snapshot.segment
    yield from _values(snapshot.registers, ",")
    if snapshot.segment > 1:
        # Nobody remembers where the registers stood at the exchange, so what they counted since is unknown.
        yield b',"since_swap":{}'
    yield b"}"


def _link(poller: Poller) -> bytes:
    identity, line = poller.tables.identity, poller.tables.line
    shown = {"state": poller.state, "message": poller.message}
    if identity is not None:
        shown["serial"] = identity.serial
        shown["manufacturer"] = identity.manufacturer
        shown["model"] = identity.model
        shown["firmware"] = identity.firmware
    counts = [(name, getattr(line, name)) for name in _COUNTS]
    counts += [("power_cycles", poller.power_cycles), ("rejected", poller.rejected)]
    text = json.dumps(shown)[:-1] + "".join([',"%s":%d' % count for count in counts])
    if line.requests:
        share = 1000 * line.replies // line.requests
        text += ',"answered":%d.%d' % (share // 10, share % 10)
    return (text + "}").encode()


def live(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the document the page asks for: all of the above, and how old it is in seconds."""
    yield b'{"present":'
    yield from present(snapshot)
    if snapshot.present:
        yield b',"present_age":%d' % snapshot.present_age
    yield b',"registers":'
    yield from registers(snapshot)
    if snapshot.registers:
        yield b',"registers_age":%d' % snapshot.registers_age
    yield b',"link":'
    yield snapshot.link
    yield b"}"
