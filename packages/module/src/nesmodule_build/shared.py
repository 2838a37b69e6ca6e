"""Which modules are on the ESP32, and by which rules they get there.

This module does not know the rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import version

__all__ = ["EVERYTHING", "LINK", "START", "TEXTS", "TOLD", "Shared"]


@dataclass(frozen=True, slots=True)
class Shared:
    """A module that goes on the ESP32."""

    name: str
    milliseconds: bool = False
    """Its numbers with a point are seconds (:mod:`nesmodule_build.rewrite.milliseconds`)."""
    without: tuple[str, ...] = ()
    """What is left out, because nothing on the module needs it: memory is short there."""
    instead: tuple[tuple[str, str], ...] = ()
    """Names at its top that have another value on the module, as an expression."""
    apart: bool = False
    """It stays a file of its own, which is loaded when somebody wants it and forgotten again."""
    part: str = ""
    """The module that it becomes, with others of that part; empty: the one that its program becomes."""
    stand_in: str = ""
    """Name of the module of ours that goes there in its place; empty: itself."""

    @property
    def source(self) -> str:
        """Name of the module whose text is rewritten."""
        return self.stand_in or self.name


TOLD = "told"
"""Name of the module on the ESP32 that reads long texts from flash, and of its function."""

LINK = (
    Shared("micropython_lacks", stand_in="nesmodule_build.device.micropython_lacks"),
    Shared("nesmodule.board.files"),
    Shared(TOLD, stand_in="nesmodule_build.device.told"),
    Shared(
        "osgp.errors",
        without=(
            "MeterSwapped",
            "PasswordRefused",
            "PortBusy",
            "PortMissing",
            "PortPermission",
            "TablesChanging",
            "TlsError",
            "TlsUnavailable",
            "WritesNotAllowed",
        ),
    ),
    Shared("osgp.psem", without=("table_id", "request_words")),
    Shared("osgp.key_text", stand_in="nesmodule_build.device.key_text"),
    Shared("osgp.key"),
    Shared("osgp.moves"),
    # Two tables instead of sixteen: what a step adds depends on the sum of v and a[v] alone, so each row begins elsewhere in the same one.
    Shared(
        "osgp.mep.digest",
        without=("_TABLE",),
        instead=(
            (
                "_STEPS",
                "[[memoryview(whole)[v:] for v in range(8)] for whole in [bytes([_step(bit, 0, a) for a in range(263)]) for bit in (0, 1)]]",
            ),
        ),
    ),
    Shared("osgp.mep.cipher"),
    Shared("osgp.mep.timing", milliseconds=True),
    Shared("osgp.mep.states"),
    Shared(
        "osgp.mep.events",
        without=(
            "TlsSessionOpened",
            "TlsSessionLost",
            "SecurityChosen",
            "RequestAnswered",
            "RequestDropped",
            "AlertSent",
        ),
    ),
    Shared(
        "osgp.mep.frame",
        without=(
            "decode_request",
            "_decode_read",
            "_decode_partial_read",
            "_decode_write",
            "_decode_partial_write",
            "_DECODERS",
            "encode_response",
        ),
    ),
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
    Shared(
        "nes2mqtt.readings.reading",
        milliseconds=True,
        without=("MeterInfo", "MeterState", "LinkQuality", "MeterStatus", "DevicesRead", "EntriesRead"),
    ),
    Shared("nes2mqtt.meters.register", milliseconds=True),
    Shared("nes2mqtt.meters.bounds"),
    Shared("nes2mqtt.meters.guard", milliseconds=True),
)

_APP = (
    Shared("nesmodule.board.clock"),
    Shared("nesmodule.board.lines"),
    Shared("nesmodule.board.seldom"),
    Shared("nesmodule.meter.line"),
    Shared("nesmodule.meter.tables"),
    Shared("nesmodule.meter.poller"),
    Shared("nesmodule.outputs.documents"),
    Shared("nesmodule.outputs.pieces"),
    Shared("nesmodule.outputs.mqtt"),
    Shared("nesmodule.outputs.announcement", apart=True),
    Shared("nesmodule.outputs.homeassistant"),
    Shared("nesmodule.outputs.page"),
    Shared("nesmodule.board.health", apart=True, instead=(("FIRMWARE", repr(version("nesmodule"))),)),
    Shared("nesmodule.outputs.dabbler", apart=True),
    Shared("nesmodule.access.request", apart=True),
    Shared("nesmodule.access.guesses", apart=True),
    Shared("nesmodule.access.door", apart=True),
    Shared("nesmodule.board.fields", apart=True),
    Shared("nesmodule.board.flash", apart=True),
    Shared("nesmodule.board.settings", apart=True),
    Shared("nesmodule.board.form", apart=True),
    Shared("nesmodule.outputs.login", apart=True),
    Shared("nesmodule.outputs.setup", apart=True),
    Shared("nesmodule.outputs.guarded", apart=True),
    Shared("osgp.ports.tap.greeting", apart=True, without=("nonce_of", "answer")),
    Shared("osgp.ports.tap.telnet", apart=True, without=("nop",)),
    Shared("nesmodule.tap.rfc2217", apart=True),
    Shared("nesmodule.tap.server", apart=True),
    Shared("nesmodule.app"),
    Shared("nesmodule.board.log", part="chip"),
    Shared("nesmodule.board.reset", part="chip"),
    Shared("nesmodule.board.station", part="chip"),
    Shared("nesmodule.board.timeofday", part="chip"),
    Shared("nesmodule.board.watchdog", part="chip"),
    Shared("nesmodule.board.ntp", apart=True),
    Shared("nesmodule.chip", part="chip"),
)

EVERYTHING = (*LINK, *_METER, *_DECISIONS, *_APP)
"""All of the module's program."""

START = (
    LINK[0],
    Shared("osgp.errors", apart=True),
    Shared("osgp.key_text", apart=True, stand_in="nesmodule_build.device.key_text"),
    Shared("osgp.key", apart=True),
    Shared("nesmodule.board.clock", apart=True),
    Shared("nesmodule.board.fields", apart=True),
    Shared("nesmodule.board.form", apart=True),
    Shared("nesmodule.board.lines", apart=True),
    Shared("nesmodule.board.settings"),
    Shared("nesmodule.board.flash"),
    Shared("nesmodule.updates.slots"),
    Shared("nesmodule.access.guesses", apart=True),
    Shared("nesmodule.access.request", apart=True),
    Shared("nesmodule.updates.package", apart=True),
    Shared("nesmodule.updates.safe", apart=True),
    Shared("nesmodule.setup.names", apart=True),
    Shared("nesmodule.setup.portal", apart=True),
    Shared("nesmodule.setup.radio", apart=True),
    Shared("nesmodule.setup.server", apart=True),
    Shared("nesmodule.updates.start"),
    Shared("begin", apart=True, stand_in="nesmodule.updates.begin"),
)
"""What stands outside of the slots, and is never replaced by an update."""

TEXTS = (
    "nesmodule/outputs/dabbler.txt",
    "nesmodule/outputs/entities.txt",
    "nesmodule/outputs/page.html",
    "nesmodule/outputs/settings.html",
)
"""What the modules read from flash: where it stands beside the packages here. On the module it stands beside the program."""
