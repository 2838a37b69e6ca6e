r"""The live stream: what changed, to every open page, at most once a second and meter.

A client gets for each of its meters one ``meter`` event with everything, then ``change`` events
with the parts that changed, ``events`` when something happened to the meter by its own logs, ``alerts`` when
what needs attention changed, and a ``beat`` when nothing did for a while. Each message is encoded once for all clients. A client that does not keep up is cut off; its browser connects
again by itself and starts from the present. The id of an event is the run of this machine and its moment of the
monotonic clock, so a client that comes back (``Last-Event-ID``) is sent the power curve of just the gap, whatever
happened to the time of day meanwhile.

Each event tells ``now``, the time of day (None while nobody knows it), and ``instant``, the same moment of the
monotonic clock: who draws a curve orders it by the one and labels it by the other.

Without clients nothing is prepared and nothing runs.

This module does not know the web framework; :meth:`LiveFeed.subscribe` gives bytes of
``text/event-stream``.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from nes2mqtt.outputs.web.live.recent import Recent
from nes2mqtt.outputs.web.live.view import (
    clock_document,
    group_document,
    happened_document,
    iso,
    label,
    meter_document,
    production_document,
    status_document,
)
from nes2mqtt.readings.hub import Hub
from nes2mqtt.readings.reading import EntriesRead, MeterEvent, MeterStatus, Quality, Sample, TableGroup
from nes2mqtt.timing.clock import Clock
from servicekit.boot import boot_id
from servicekit.limits import Places

if TYPE_CHECKING:
    from nes2mqtt.meters.production.keeper import Production

__all__ = ["Client", "LiveFeed", "TooManyClients", "encode"]

INTERVAL = 1.0
"""Seconds between two changes of a meter."""
BEAT = 10.0
"""Seconds of silence after which a client gets a sign of life; the page gives up after 25."""
QUEUE = 32
"""Messages a client may be behind: about half a minute of one meter."""
_MOST_NEWS = 100
"""Entries of a meter's logs in one message; the API has them all."""


class TooManyClients(Exception):
    """As many pages are open as the configuration allows."""


_RUN = boot_id()[:8]


def encode(event: str, document: Any, instant: float | None = None) -> bytes:
    """Write one event of the stream."""
    identity = f"id: {_RUN}-{round(instant * 1000)}\n" if instant is not None else ""
    data = json.dumps(document, separators=(",", ":"))
    return f"{identity}event: {event}\ndata: {data}\n\n".encode()


def moment(clock: Clock) -> dict[str, Any]:
    """Return the fields that begin an event.

    ``now`` is ISO 8601, null while the time of day is not known, ``instant`` the same by the monotonic clock in seconds, ``clock`` says whose clock it is.
    """
    instant = clock.monotonic()
    return {"now": iso(label(clock, instant)), "instant": round(instant, 3), "clock": clock_document(clock)}


class Client:
    """One open page."""

    def __init__(self, meters: frozenset[str] | None, clock: Clock) -> None:
        self.meters = meters
        self._clock = clock
        self._queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        self.behind = asyncio.Event()
        """Set when the client was cut off for not keeping up."""

    def wants(self, meter: str) -> bool:
        """Tell whether the client asked for this meter."""
        return self.meters is None or meter in self.meters

    def put(self, message: bytes) -> None:
        """Queue a message, or give the client up."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self.behind.set()

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield messages until the client is cut off; a beat after :data:`BEAT` seconds of silence."""
        while not self.behind.is_set():
            try:
                async with asyncio.timeout(BEAT):
                    message = await self._queue.get()
            except TimeoutError:
                message = encode("beat", moment(self._clock))
            yield message


class LiveFeed:
    """Turns hub events into the stream.

    Args:
        hub: where the latest values are.
        recent: the power curve of the last hour.
        most_clients: pages that may be open at the same time.
        production: what hears the solar inverter of a meter's house; it goes along with what the meter tells.
    """

    def __init__(
        self,
        hub: Hub,
        recent: Recent,
        *,
        most_clients: int,
        production: Production | None = None,
    ) -> None:
        self._hub = hub
        self._production = production
        self._recent = recent
        self._places = Places(most_clients)
        self._clock = hub.clock
        self._clients: set[Client] = set()
        self._changed: dict[str, dict[TableGroup | None, MeterEvent]] = {}
        self._qualities: dict[tuple[str, TableGroup], Quality] = {}
        self._serials: dict[str, str] = {}
        self._wake = asyncio.Event()
        self.cut_off = 0
        """Clients given up because they did not keep up."""

    @property
    def clients(self) -> int:
        """Return how many pages are open."""
        return len(self._clients)

    def offer(self, event: MeterEvent) -> None:
        """Take an event of the hub; costs nothing while nobody looks."""
        if self._clients:
            group = event.group if isinstance(event, Sample) else None
            self._changed.setdefault(event.meter, {})[group] = event
            self._wake.set()

    def tell(self, read: EntriesRead) -> None:
        """Send what is news of what happened to a meter, at once: the newest first, as the API lists it."""
        news = [happened_document(one) for one in read.entries[::-1] if one.news][:_MOST_NEWS]
        if news and self._clients:
            message = encode("events", {"id": read.meter, "events": news, **moment(self._clock)})
            for client in self._clients:
                if client.wants(read.meter):
                    client.put(message)

    def alert(self, meter: str, raised: Sequence[str]) -> None:
        """Send at once that alerts of a meter changed, and which are raised; the API has the words."""
        if self._clients:
            message = encode("alerts", {"id": meter, "raised": list(raised), **moment(self._clock)})
            for client in self._clients:
                if client.wants(meter):
                    client.put(message)

    @contextlib.contextmanager
    def subscribe(
        self,
        meters: frozenset[str] | None,
        *,
        recent: float = 0.0,
        last_event_id: str = "",
        address: str = "",
        stranger: bool = False,
    ) -> Iterator[tuple[Client, Iterable[bytes]]]:
        """Add a client for a while; gives it and the messages it starts with.

        Args:
            meters: ids, or None for all.
            recent: seconds of power curve to start with, 0 for none.
            last_event_id: the id of the last event the client saw before it lost the connection.
            address: of the client; one alone does not get all places.
            stranger: nothing shows that this is an open page or somebody who is logged in: these get fewer.

        Raises:
            TooManyClients: come back later.
        """
        leave = self._places.take(address, stranger=stranger)
        if leave is None:
            raise TooManyClients
        client = Client(meters, self._clock)
        self._clients.add(client)
        # The feed may be asleep because there was nobody to watch values grow old for.
        self._wake.set()
        try:
            yield client, self._snapshot(client, recent, last_event_id)
        finally:
            leave()
            self._clients.discard(client)
            if not self._clients:
                self._changed.clear()
                self._qualities.clear()
                self._serials.clear()

    async def run(self) -> None:
        """Send changes until cancelled."""
        while True:
            # Values also grow old without an event, so with clients there is a look each second.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL if self._clients else None):
                    await self._wake.wait()
            self._wake.clear()
            self._send()
            await asyncio.sleep(INTERVAL)

    def _snapshot(self, client: Client, recent: float, last_event_id: str) -> Iterator[bytes]:
        meters = sorted(self._hub.latest) if client.meters is None else sorted(client.meters)
        for meter in meters:
            document = self._all_of(meter)
            if document["status"] is not None:
                self._serials.setdefault(meter, document["status"]["info"]["serial"])
            instant = self._clock.monotonic()
            if recent:
                seen = _instant(last_event_id, instant)
                document["recent"] = self._recent.document(meter, max(instant - recent, seen), self._clock)
                document["resumed"] = seen > instant - recent
            yield encode("meter", document, instant)

    def _send(self) -> None:
        self._mark_grown_old()
        changed, self._changed = self._changed, {}
        for meter, parts in changed.items():
            clients = [client for client in self._clients if client.wants(meter)]
            if clients:
                message = self._message(meter, parts)
                for client in clients:
                    client.put(message)
        for client in [client for client in self._clients if client.behind.is_set()]:
            self._clients.discard(client)
            self.cut_off += 1

    def _message(self, meter: str, parts: dict[TableGroup | None, MeterEvent]) -> bytes:
        """Write what changed; everything when another meter is there, whose values replace the old one's."""
        instant = self._clock.monotonic()
        status = parts.get(None)
        if isinstance(status, MeterStatus):
            before, self._serials[meter] = self._serials.get(meter), status.info.serial
            if before not in {None, status.info.serial}:
                return encode("meter", self._all_of(meter), instant)
        return encode("change", {**self._change(meter, parts), **moment(self._clock)}, instant)

    def _mark_grown_old(self) -> None:
        """Count a group whose quality differs from what clients were told as changed."""
        for meter in self._watched():
            latest = self._hub.latest.get(meter)
            for group, sample in latest.samples.items() if latest else ():
                quality = self._hub.quality(sample)
                if self._qualities.get((meter, group), quality) is not quality:
                    self._changed.setdefault(meter, {}).setdefault(group, sample)
                self._qualities[meter, group] = quality

    def _watched(self) -> Iterable[str]:
        if any(client.meters is None for client in self._clients):
            return list(self._hub.latest)
        return {meter for client in self._clients for meter in client.meters or ()}

    def _all_of(self, meter: str) -> dict[str, Any]:
        return {**meter_document(meter, self._hub), **self._given(meter), **moment(self._clock)}

    def _given(self, meter: str) -> dict[str, Any]:
        """Describe what an inverter in the house of a meter gives; nothing where there is none."""
        if self._production is None or self._production.meter != meter:
            return {}
        return {"production": production_document(self._production.now())}

    def _change(self, meter: str, parts: dict[TableGroup | None, MeterEvent]) -> dict[str, Any]:
        document: dict[str, Any] = {"id": meter, **self._given(meter)}
        for event in parts.values():
            if isinstance(event, Sample):
                quality = self._hub.quality(event)
                document.setdefault("groups", {})[event.group] = group_document(event, quality, self._clock)
            else:
                document["status"] = status_document(event, self._clock)
        return document


def _instant(last_event_id: str, now: float) -> float:
    """Read the moment in an event's id; minus infinity for none, a foreign one, and one of another run of this machine."""
    run, _, milliseconds = last_event_id.partition("-")
    if run != _RUN or not milliseconds.isdecimal() or len(milliseconds) > 15:  # noqa: PLR2004 - 30,000 years
        return float("-inf")
    instant = int(milliseconds) / 1000
    return instant if instant <= now else float("-inf")
