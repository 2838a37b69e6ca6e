"""Any bytes from a broker, cut anywhere, are the same events as in one piece; or Malformed, after which nothing more is understood or kept.

python fuzz/fuzz_mqtt_wire.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from nes2mqtt.outputs.mqtt.client.wire.fields import Malformed
from nes2mqtt.outputs.mqtt.client.wire.machine import Event, Ponged, State, Wire
from nes2mqtt.outputs.mqtt.client.wire.packets import Hello

_MOST = 4096


def _open(version: int) -> Wire:
    wire = Wire(Hello("fuzz", 30, packet=_MOST), version)
    wire.greet()
    wire.receive(b"\x20\x03\x00\x00\x00" if version == 5 else b"\x20\x02\x00\x00")  # noqa: PLR2004
    for _ in range(3):
        wire.publish("a", b"b", confirmed=True, retain=False)
    wire.subscribe(["a", "b"])
    wire.unsubscribe(["a"])
    return wire


def _told(wire: Wire, parts: list[bytes]) -> tuple[list[Event], bool]:
    events: list[Event] = []
    for part in parts:
        try:
            events += wire.receive(part)
        except Malformed:
            assert wire.state is State.OVER
            return events, True
        assert len(wire._part) <= _MOST  # noqa: SLF001
    return events, False


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but Malformed, if the invariant does not hold for ``data``."""
    if len(data) < 2:  # noqa: PLR2004
        return
    version, step, said = 4 + data[0] % 2, data[1] % 17 + 1, data[2:]
    pieces = [said[at : at + step] for at in range(0, len(said), step)]
    cut, cut_broken = _told(_open(version), pieces)
    whole_wire = _open(version)
    whole, broken = _told(whole_wire, [said])
    assert cut_broken == broken
    if broken:
        assert whole_wire.receive(b"\x30\x04\x00\x01ab") == []
    else:
        assert [one for one in cut if not isinstance(one, Ponged)] == [
            one for one in whole if not isinstance(one, Ponged)
        ]


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(
            "nes2mqtt.outputs.mqtt.client.wire"
        ):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
