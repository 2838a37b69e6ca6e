"""Looks whether every sentence holds: at what the gateway gives out, at what it says, and at what is left in the end."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from nes2mqtt.readings.reading import Event, MeterState, MeterStatus, Sample, TableGroup
from osgp.sources import SOURCES
from simulation.gateway.packets import Publish

if TYPE_CHECKING:
    from simulation.gateway.world import World

__all__ = ["Given", "Watch"]

_IMPORT = SOURCES["active_energy_import"]
PATIENCE = 30.0
"""Seconds that may lie between a value at the meter and the same value given out: retries and threads that wait."""
GRACE = 120.0
"""Seconds after a start, or after something is good again, in which nothing is demanded yet."""
OFTEN = 6
HALF_MINUTE = 30.0


@dataclass(frozen=True, slots=True)
class Given:
    """A reading that the gateway gave out."""

    at: float
    """Seconds of the world."""
    life: int
    label: datetime
    segment: int
    wh: int | None


class Watch:
    """The watcher of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.registers: dict[str, list[Given]] = defaultdict(list)
        self.presents: dict[str, list[float]] = defaultdict(list)
        self._read_at: dict[tuple[str, datetime], float] = {}
        """When what was given out under a label (whole seconds) was really read."""
        self.by_seq: dict[int, tuple[str, str, Any]] = {}
        self._seq_of: dict[tuple[str, str, Any], int] = {}
        self._highest: dict[str, int] = {}
        self._tops: dict[tuple[str, int], tuple[int, float]] = {}
        self._curve: dict[str, tuple[float, int]] = {}
        self._said: Counter[tuple[str, int]] = Counter()
        self.warned: list[tuple[float, str, str]] = []
        """When, which logger, what."""
        self._segments: dict[str, int] = {}
        self.swapped: list[tuple[str, float]] = []
        """Swaps still to be noticed: the meter, and since when it could be."""

    # What the gateway gives out.

    def published(self, event: Event) -> None:
        """Look at an event on its way through the hub."""
        world = self._world
        if isinstance(event, MeterStatus):
            world.note(f"status {event.meter} {event.state} {event.message}")
            return
        if not isinstance(event, Sample):
            return  # what is read seldom has tests of its own
        meter, now = world.meters[event.meter], world.loop.now
        label = event.received
        self._read_at[event.meter, label.replace(microsecond=0)] = now
        trouble = meter.wrong(event.values, world.host.true(), PATIENCE)
        if trouble:
            world.fail("true", f"{event.meter}: {trouble}", event.group)
        if event.group is TableGroup.REGISTERS:
            self.registers[event.meter].append(
                Given(now, world.host.life, label, event.segment, event.values.get(_IMPORT))
            )
            self._noticed(event)
        else:
            self.presents[event.meter].append(now)
        world.note(f"sample {event.meter} {event.group} {label.isoformat()} {list(event.values.values())[:2]}")

    def _noticed(self, event: Sample) -> None:
        known = self._segments.get(event.meter)
        self._segments[event.meter] = event.segment
        if known is not None and event.segment > known:
            self.swapped = [swap for swap in self.swapped if swap[0] != event.meter]

    def took(self, message: Publish, refused: int) -> None:
        """Look at a message the broker took, or refused."""
        world = self._world
        world.note(f"mqtt {message.topic} {message.payload[:60]!r} qos {message.qos} {refused:#x}")
        if refused or message.retain is None or "/meters/" not in message.topic:
            return
        if not message.payload.startswith(b"{"):
            return
        if message.topic.endswith("/registers"):
            self._register_document(message.topic.split("/")[-2], json.loads(message.payload))
        elif message.topic.endswith("/present"):
            self._present_document(message.topic.split("/")[-2], json.loads(message.payload))

    def _register_document(self, meter: str, document: dict[str, Any]) -> None:
        fail = self._world.fail
        seq, what = document["seq"], (meter, document["time"], document.get("active_energy_import"))
        before = self.by_seq.setdefault(seq, what)
        if (before[0], before[2]) != (what[0], what[2]):
            fail(
                "seq",
                f"number {seq} was {before[0]} {before[2]} kWh of {before[1]}, now {meter} {what[2]} kWh of {what[1]}",
            )
            self.by_seq[seq] = what
        elif self._seq_of.setdefault(what, seq) != seq:
            fail("twice", f"{meter} {what[2]} kWh of {what[1]} came as number {self._seq_of[what]}, now as {seq}")
        if seq > self._highest.get(meter, -1):
            self._highest[meter] = seq
            top = self._tops.get((meter, document["segment"]))
            value = what[2]
            if top is not None and value is not None and value < top[1]:
                fail("falls", f"{meter}: {top[1]} kWh, then {value} kWh")
            if value is not None:
                self._tops[meter, document["segment"]] = (seq, value)
        elif before is what:
            fail("order", f"number {seq} of {meter} came first after number {self._highest[meter]}")

    def _present_document(self, meter: str, document: dict[str, Any]) -> None:
        world = self._world
        read = self._read_at.get(
            (meter, datetime.fromisoformat(document["time"]).astimezone(UTC).replace(microsecond=0))
        )
        limit = 3 * world.setting.present + 5
        if read is not None and world.loop.now - read > limit:
            world.fail("fresh", f"{meter}: power read {world.loop.now - read:.0f} s ago is published as live")

    def said(self, record: logging.LogRecord) -> None:
        """Look at a line of the log."""
        world = self._world
        text = record.getMessage()
        severe = record.levelno >= logging.WARNING
        world.note(f"log {record.levelname.lower()} {record.name}: {text}", tell=severe)
        if severe:
            self.warned.append((world.loop.now, record.name, text))
            key = (text[:60], int(world.loop.now // 3600))
            self._said[key] += 1
            if self._said[key] == OFTEN + 1:
                world.fail("once", text[:120])
        error = record.exc_info[1] if record.exc_info else None
        if error is not None or "mistake" in text or record.name == "asyncio":
            world.fail("mistake", f"{text[:150]} {error!r}"[:300])

    # Each half minute.

    async def run(self) -> None:
        """Look around each half minute."""
        world = self._world
        while True:
            await world.sleep(HALF_MINUTE)
            world.broker.check_keepalives()
            world.collect_garbage()
            if world.host.running and world.loop.now - world.alive_since > GRACE:
                await self._look_around()

    async def _look_around(self) -> None:
        world = self._world
        if world.page is not None and int(world.loop.now) % world.setting.page_every < HALF_MINUTE:
            await self._page()
        if not world.host.running:
            return
        calm = not world.bad.is_bad("line") and not world.bad.is_bad("threads") and world.bad.good_for("line") > GRACE
        if calm:
            self._look_at_reading()
        self._look_at_words()

    def _look_at_reading(self) -> None:
        world, now = self._world, self._world.loop.now
        period = world.setting.registers
        for meter in world.meters:
            given = self.registers[meter]
            since = now - max(given[-1].at if given else 0.0, world.alive_since, world.bad_end("line"))
            if since > 3 * period + 30:
                world.fail("read", f"{meter}: no registers for {since:.0f} s", meter)
        for meter, when in self.swapped:
            if now - max(when, world.bad_end("line")) > 3 * period + 60:
                world.fail(
                    "swap", f"{meter} was replaced {now - when:.0f} s ago, its readings still count for the one before"
                )

    def _look_at_words(self) -> None:
        """Check that what is wrong is told."""
        world, now = self._world, self._world.loop.now
        since = world.refusing_since
        # It can refuse something only when something new has to go out.
        heard = world.broker.mood.best > 0  # with quality of service 0 nobody is told anything
        if (
            since is not None
            and heard
            and now - since > 120 + 2 * world.setting.registers
            and world.alive_since < since
        ):
            told = any(when >= since and "mqtt" in name for when, name, _ in self.warned)
            if not told and all(output.status().ok for output in world.hub.outputs if output.name.startswith("mqtt")):
                world.fail("refused", f"the broker has refused messages for {now - since:.0f} s, nothing is said of it")
        if world.clock_wrong_since is not None and now - max(world.clock_wrong_since, world.alive_since) > 700:
            since = max(world.clock_wrong_since, world.alive_since)
            told = any(when >= since and "clock" in text for when, _, text in self.warned)
            if not told and not world.bad.touched("line", since, now):
                world.fail(
                    "clock",
                    f"the host's clock has been {world.host.off():.0f} s wrong for {now - since:.0f} s, nothing is said of it",
                )

    async def _page(self) -> None:
        world = self._world
        now, setting = world.loop.now, world.setting
        _, body = await world.get("/api/v1/status")
        world.last_status = body.decode()
        if world.bad.bad_for("disk") > HALF_MINUTE + 2 * setting.registers:
            self._look_at_status(json.loads(body), now)
        status, _ = await world.get("/getDashDataWS")
        presents = self.presents["house"]
        old = now - presents[-1] if presents else now
        if status == 200 and old > 3 * setting.present + 5:
            world.fail("fresh", f"/getDashDataWS answers 200 with a value read {old:.0f} s ago", "page")
        calm = not world.bad.is_bad("line") and world.bad.good_for("line") > GRACE
        if status != 200 and old < 2 * setting.present and calm:
            world.fail("live", f"/getDashDataWS answers {status}, though the meter was read {old:.0f} s ago")
        status, _ = await world.get("/api/v1/energy", b"meter=house&period=day")
        disk = not world.bad.is_bad("disk") and world.bad.good_for("disk") > GRACE and not world.damaged
        if status >= 500 and disk:
            world.fail("mistake", f"GET energy answers {status}")
        self._look_at_curves()

    def _look_at_status(self, told: dict[str, Any], now: float) -> None:
        world = self._world
        given = self.registers["house"]
        fresh = given and given[-1].at > now - 2 * world.setting.registers - HALF_MINUTE
        histories = [output for output in told["outputs"] if "history" in output["name"]]
        if fresh and histories and all(output["ok"] for output in histories):
            world.fail(
                "told",
                f"the disk has failed for {world.bad.bad_for('disk'):.0f} s; the status says of the history that it is good",
            )

    def _look_at_curves(self) -> None:
        world = self._world
        for meter, line in getattr(world.web.recent, "_lines", {}).items():
            times = getattr(line, "instants", None) or getattr(line, "times", None)
            mark = (float(times[-1]) if times else 0.0, len(self.presents[meter]))
            before = self._curve.get(meter)
            if before is not None and before[0] == mark[0] and mark[1] - before[1] > 5:
                world.fail("charts", f"{mark[1] - before[1]} present values of {meter} came, the page's curve got none")
            if before is None or before[0] != mark[0]:
                self._curve[meter] = mark

    def restarted(self) -> None:
        """The program begins anew: what was in its memory is gone."""
        self._curve.clear()

    # In the end.

    def all_well(self) -> None:
        """Check that everything is good again."""
        world = self._world
        states = {meter: latest.status.state if latest.status else None for meter, latest in world.hub.latest.items()}
        if any(state is not MeterState.ONLINE for state in states.values()):
            world.fail(
                "well", f"the meters are {', '.join(f'{name} {state}' for name, state in states.items())}", "meters"
            )
        for output in world.hub.outputs:
            status = output.status()
            if not status.ok and not (world.damaged and "history" in status.name):
                world.fail("well", f"{status.name}: {status.message}", status.name.split()[0])
            if status.waiting > 2:
                world.fail("well", f"{status.name}: {status.waiting} readings wait", "waiting")
        held = {
            topic: text
            for topic, text in world.broker.retained.items()
            if topic.endswith("/status") and text != b"online"
        }
        if held:
            world.fail("well", f"the broker holds {held}", "availability")
