"""Which modules are on the ESP32, and by which rules they get there.

This module does not know the rules.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["EVERYTHING", "LINK", "Shared"]


@dataclass(frozen=True, slots=True)
class Shared:
    """A module that goes on the ESP32."""

    name: str
    milliseconds: bool = False
    """Its numbers with a point are seconds (:mod:`nesmodule_build.rewrite.milliseconds`)."""
    without: tuple[str, ...] = ()
    """What is left out, because nothing on the module needs it: memory is short there."""
    stand_in: str = ""
    """Name of the module of ours that goes there in its place; empty: itself."""

    @property
    def source(self) -> str:
        """Name of the module whose text is rewritten."""
        return self.stand_in or self.name


LINK = (
    Shared("micropython_lacks", stand_in="nesmodule_build.device.micropython_lacks"),
    Shared("osgp.errors"),
    Shared("osgp.psem"),
    Shared("osgp.key_text", stand_in="nesmodule_build.device.key_text"),
    Shared("osgp.key"),
    Shared("osgp.moves"),
    Shared("osgp.mep.digest"),
    Shared("osgp.mep.cipher"),
    Shared("osgp.mep.timing", milliseconds=True),
    Shared("osgp.mep.states"),
    Shared("osgp.mep.events"),
    Shared("osgp.mep.frame"),
    Shared("osgp.mep.tls_frames", without=("MAX_MESSAGE", "MAX_TLS_READ", "MAX_TLS_WRITE", "HANDSHAKE_PATIENCE")),
    Shared("osgp.mep.pacing", milliseconds=True),
    Shared("osgp.mep.client", milliseconds=True),
    Shared("osgp.tables.schema.windows"),
)
"""The client's end of a MEP line, each module after those that it needs."""

_METER = (
    Shared("nesmodule.meter.plan"),
    Shared("osgp.sources", stand_in="nesmodule_build.device.sources"),
    Shared("nesmodule.meter.layout"),
)

_DECISIONS = (
    Shared("osgp.ports.silences", milliseconds=True),
    Shared("nes2mqtt.timing.moment"),
    Shared("nes2mqtt.readings.reading", milliseconds=True),
    Shared("nes2mqtt.meters.register", milliseconds=True),
    Shared("nes2mqtt.meters.bounds"),
    Shared("nes2mqtt.meters.guard", milliseconds=True),
)

EVERYTHING = (*LINK, *_METER, *_DECISIONS)
"""All of the module's program."""
