"""The whole gateway: builds the graph of objects from the configuration and runs it.

::

    meters -> poller -> guard -> hub -> history | mqtt | web

Everything runs in one event loop and one task group; nothing is global. What a section of the
configuration does not ask for is not imported.

Stopping (SIGTERM, SIGINT) goes the way of the data: first the pollers, then the outputs, which
say goodbye to their other side, then the history, which writes what it holds.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING

from nes2mqtt import __version__
from nes2mqtt.config.settings import Config
from nes2mqtt.meters.config import MeterConfig
from nes2mqtt.meters.guard import Guard, Limits, Memory
from nes2mqtt.meters.line_security import LineSecurity
from nes2mqtt.meters.poller import Cadence, MeterSession, OpenMeter, Poller
from nes2mqtt.meters.power_cycle import power_cycle_for
from nes2mqtt.meters.seldom import SeldomPeriods, SeldomReader
from nes2mqtt.outputs.supervise import Keeper, Supervised
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.happened import EventLog, RememberedEvents
from nes2mqtt.readings.hub import Hub, Output
from nes2mqtt.readings.reading import MeterInfo, TableGroup
from nes2mqtt.runtime import parts
from nes2mqtt.runtime.watch import watch_clock, watch_parts
from nes2mqtt.timing.clock import Clock
from osgp.meter import open_meter
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.ports.recovery import Recovery
from osgp.ports.transport import Address
from servicekit.process import stopped_by_signals
from servicekit.systemd import Notifier

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from nes2mqtt.alerts.keeper import AlertKeeper
    from nes2mqtt.bills.billing import Billing
    from nes2mqtt.bills.running_costs import RunningCosts
    from nes2mqtt.history.running_energy import RunningEnergy
    from nes2mqtt.history.store import Store
    from nes2mqtt.meters.console import RequestLog
    from nes2mqtt.meters.production.keeper import Production
    from nes2mqtt.outputs.mqtt.feeds import Sources
    from nes2mqtt.outputs.web.context import SettingsDesk
    from nes2mqtt.outputs.web.output import Serve
    from osgp.meter.meter import LinkEvent
    from osgp.optical.settings import SessionSettings

__all__ = ["run"]

_log = logging.getLogger(__name__)

_STALE_PERIODS = 3
_STALE_SLACK = 3.0
"""A value is stale when the meter did not confirm it for three periods and the seconds that retries take."""

_START_SPACING = 0.01
"""Seconds between the first opens of two meters, so that thousands do not open at once."""

_GOODBYE = 10.0
"""Seconds the outputs get to say goodbye."""


def _opener(settings: MeterConfig, line: LineSecurity, log: RequestLog | None = None) -> OpenMeter:
    """Return what opens this meter; recovery, read budget and what is known of it outlive connections."""
    power_cycle = power_cycle_for(settings.power_cycle)
    recovery = Recovery(power_cycle) if power_cycle is not None else None
    budget, known = ReadBudget(settings.reads_per_second), KnownMeter(security=line.seen)
    key, session = settings.meter_key, _session(settings)
    token = settings.token.reveal() if settings.token is not None else ""

    def hear(event: LinkEvent) -> None:
        line.hear(event)
        if log is not None:
            log.hear(event)

    @asynccontextmanager
    async def open_it(address: str) -> AsyncIterator[MeterSession]:
        try:
            async with open_meter(
                address,
                key=key,
                security=settings.security,
                session=session,
                power_cycle=recovery,
                read_budget=budget,
                known=known,
                on_event=hear,
                token=token,
            ) as meter:
                yield meter
        finally:
            await line.kept()

    return open_it


def _session(settings: MeterConfig) -> SessionSettings | None:
    """Return how to behave on an optical port; None for a MEP port."""
    if not Address.parse(settings.port).optical:
        return None
    from osgp.optical.settings import SessionSettings  # noqa: PLC0415 - most meters are read at their MEP port

    return SessionSettings(padding=settings.padding)


async def _line_security(meter: str, settings: MeterConfig, store: Store | None) -> LineSecurity:
    """Return how a meter's line is protected, with what earlier processes saw of it."""
    line = LineSecurity(meter, settings.security, store)
    await line.restore()
    return line


async def _remembered(store: Store | None, meter: str, clock: Clock) -> Memory | None:
    """Return what the history remembers of a meter's registers, so that a restart forgets nothing."""
    if store is None:
        return None
    last = await store.last_registers(meter)
    if last is None:
        return None
    who = await store.last_identity(meter)
    return Memory(
        segment=last.segment,
        segment_start=last.segment_start,
        received=last.received,
        values=last.values,
        serial=who.serial if who is not None else "",
        restarted=last.restarted,
        base=last.base,
        # What got its time of day already has no instant any more; what waits for it has a guess until the clock is known.
        known=clock.known or not last.instant,
        instant=last.instant or None,
        segment_instant=last.segment_instant,
    )


def _stale_after(settings: MeterConfig) -> Mapping[TableGroup, timedelta]:
    periods = {TableGroup.PRESENT: settings.present_every, TableGroup.REGISTERS: settings.registers_every}
    return {group: timedelta(seconds=_STALE_PERIODS * period + _STALE_SLACK) for group, period in periods.items()}


def _request_logs(config: Config, clock: Clock) -> dict[str, RequestLog]:
    """Return what notes the requests to each meter, for the page; nothing without one."""
    if config.web is None:
        return {}
    from nes2mqtt.meters.console import RequestLog  # noqa: PLC0415 - only with a page

    return {meter: RequestLog(clock.monotonic) for meter in config.meters}


async def _pollers(config: Config, hub: Hub, store: Store | None, logs: Mapping[str, RequestLog]) -> list[Poller]:
    memories = await asyncio.gather(*(_remembered(store, meter, hub.clock) for meter in config.meters))
    lines = await asyncio.gather(*(_line_security(meter, each, store) for meter, each in config.meters.items()))
    pollers = []
    for index, ((meter, settings), memory, line) in enumerate(zip(config.meters.items(), memories, lines, strict=True)):
        pollers.append(
            Poller(
                MeterInfo(meter, name=settings.name or meter),
                settings.port,
                _opener(settings, line, logs.get(meter)),
                Guard(meter, Limits(settings.max_power), memory, segment=settings.segment),
                hub,
                Cadence(settings.present_every, settings.registers_every, settings.clock_every, settings.devices_every),
                spread=index / len(config.meters),
                start_after=index * _START_SPACING,
            )
        )
    return pollers


def _seldom(config: Config, pollers: Sequence[Poller]) -> list[tuple[Poller, SeldomPeriods]]:
    settings = [config.meters[poller.name] for poller in pollers]
    return [
        (poller, SeldomPeriods(one.condition_every, one.events_every))
        for poller, one in zip(pollers, settings, strict=True)
    ]


def _event_log(config: Config, store: Store | None) -> EventLog:
    """Return what keeps what the meters' own logs tell."""
    names = {meter: settings.names_of_events for meter, settings in config.meters.items()}
    if store is None:
        return RememberedEvents(names)
    from nes2mqtt.history.event_log import StoredEvents  # noqa: PLC0415 - only with a history

    return StoredEvents(store, names)


def _outputs(
    config: Config,
    gateway: GatewayInfo,
    hub: Hub,
    store: Store | None,
    energy: RunningEnergy | None,
    event_log: EventLog,
    billing: Billing | None,
    costs: RunningCosts | None,
    alerts: AlertKeeper | None,
    production: Production | None,
    pollers: Sequence[Poller],
    logs: Mapping[str, RequestLog],
    serve: Serve | None,
    desk: SettingsDesk | None,
) -> list[Output]:
    """Make the outputs the configuration asks for; each section's code is imported here only."""
    outputs: list[Output] = []
    if store is not None:
        from nes2mqtt.outputs.history import HistoryOutput  # noqa: PLC0415 - see the docstring

        outputs.append(HistoryOutput(store))
    if alerts is not None:
        outputs.append(alerts)
    if config.mqtt:
        from nes2mqtt.outputs.mqtt.output import MqttOutput  # noqa: PLC0415
    for number, broker in enumerate(config.mqtt):
        outbox = store.outbox(broker.name) if store is not None else None
        feeds = _feeds(config, store, event_log, alerts)
        outputs.append(
            MqttOutput(
                broker,
                gateway,
                outbox,
                hub,
                feeds=feeds,
                energy=energy.of if energy is not None else None,
                costs=costs,
                meters=config.meters,
                folder=config.data_dir,
                ears=production if number == 0 else None,
            )
        )
    if config.homeassistant is not None and store is not None:
        from nes2mqtt.outputs.homeassistant.repair import Repair  # noqa: PLC0415

        outputs.append(Repair(config.homeassistant, gateway.name, store))
    if config.web is not None:
        from nes2mqtt.meters.console import Console  # noqa: PLC0415
        from nes2mqtt.meters.profiles import AskedProfiles  # noqa: PLC0415
        from nes2mqtt.outputs.web.output import WebOutput  # noqa: PLC0415

        outputs.append(
            WebOutput(
                config.web,
                gateway,
                hub,
                store,
                event_log=event_log,
                alerts=alerts,
                billing=billing,
                fuses=parts.fuses(config),
                production=production,
                profiles=AskedProfiles(pollers, hub.clock.monotonic),
                console=Console(pollers, logs, hub.clock.monotonic),
                settings=desk,
                state_dir=config.data_dir,
                serve=serve,
            )
        )
    return outputs


def _feeds(config: Config, store: Store | None, event_log: EventLog, alerts: AlertKeeper | None) -> Sources:
    """Return what a broker gets besides readings."""
    from nes2mqtt.outputs.mqtt.feeds import Sources  # noqa: PLC0415 - only with a broker
    from nes2mqtt.outputs.mqtt.numbered_outbox import RememberedPosition  # noqa: PLC0415

    names = {meter: settings.names_of_events for meter, settings in config.meters.items()}
    if store is None:
        return Sources(event_log, lambda _: RememberedPosition(), names=names, alerts=alerts)
    from nes2mqtt.history.feeds import FilledIntervals, NotedNumber  # noqa: PLC0415 - only with a history

    return Sources(event_log, lambda name: NotedNumber(store, name), FilledIntervals(store), names, alerts)


@asynccontextmanager
async def _history(config: Config, clock: Clock) -> AsyncIterator[Store | None]:
    if not config.history.enabled:
        yield None
        return
    from nes2mqtt.history.store import Store  # noqa: PLC0415 - not loaded without a history

    path = config.history.path or config.data_dir / "history.db"
    async with Store.open(path, config.history, config.timezone, clock=clock) as store:
        yield store


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks and wait until they have ended, but not for ever."""
    for task in tasks:
        task.cancel()
    if tasks:
        _, late = await asyncio.wait(tasks, timeout=_GOODBYE)
        if late:
            _log.warning("gave up waiting for %d outputs to say goodbye", len(late))


async def run(
    config: Config,
    *,
    stop: asyncio.Event | None = None,
    started: Callable[[], None] | None = None,
    clock: Clock | None = None,
    serve: Serve | None = None,
    desk: SettingsDesk | None = None,
) -> bool:
    """Run the gateway until SIGTERM, SIGINT, ``stop`` or a change of the settings.

    Args:
        config: the checked configuration.
        stop: ends the run when set, as a signal does; signals are then left alone.
        started: called when everything runs.
        serve: serves the page in place of its own port (:data:`nes2mqtt.outputs.web.output.Serve`).
        desk: where the settings are looked at and changed, for the page; when they were, this ends in order.
        clock: the clocks of this machine; tests pass others. Its monotonic clock must be the event loop's.

    Returns:
        Whether it ended because the settings were changed, and nobody stopped it meanwhile: then it is to begin anew.

    Raises:
        HistoryError: the database was written by a newer program.
    """
    notifier = Notifier()
    clock = clock if clock is not None else Clock()
    url = config.web.url if config.web is not None else ""
    gateway = GatewayInfo(config.name, __version__, config.timezone, clock.now(), url)
    limits = {meter: _stale_after(settings) for meter, settings in config.meters.items()}
    hub = Hub({group: max(limit[group] for limit in limits.values()) for group in TableGroup}, clock)
    for meter, limit in limits.items():
        hub.expect(meter, limit)
    async with _history(config, clock) as store:
        energy = None
        if store is not None and any(broker.publishes_energy for broker in config.mqtt):
            from nes2mqtt.history.running_energy import RunningEnergy  # noqa: PLC0415 - only with a history

            energy = RunningEnergy(store, config.meters, clock)
        logs = _request_logs(config, clock)
        pollers = await _pollers(config, hub, store, logs)
        event_log = _event_log(config, store)
        billing = parts.billing(config, store)
        costs = parts.running_costs(config, billing, clock)
        alerts = parts.alerts(config, gateway, hub, event_log)
        production = parts.production(config, clock)
        made = _outputs(
            config,
            gateway,
            hub,
            store,
            energy,
            event_log,
            billing,
            costs,
            alerts,
            production,
            pollers,
            logs,
            serve,
            desk,
        )
        if store is not None and config.history.backfill:
            from nes2mqtt.backfill.filler import Filler  # noqa: PLC0415 - only with a history

            made.append(Filler(store, hub, pollers))
        outputs = [Supervised(output) for output in made]
        for output in outputs:
            hub.add(output)
        seldom = SeldomReader(hub, _seldom(config, pollers), event_log, config.timezone)
        sides = [Keeper("reading what changes seldom", seldom.run).run()]
        if energy is not None:
            sides.append(Keeper("counting the running energy", energy.run).run())
        if costs is not None:
            sides.append(Keeper("counting the running costs", costs.run).run())
        if production is not None:
            sides.append(Keeper("counting the production", production.run).run())
        if (prices := parts.price_keeper(config, clock)) is not None:
            sides.append(Keeper("keeping spot prices", prices.run).run())
        anew = await _run_graph(clock, pollers, outputs, sides, notifier, stop, started, desk)
    if anew:
        notifier.alive()  # ending took some of the watchdog's time; beginning has all of it
    notifier.close()
    return anew


async def _run_graph(
    clock: Clock,
    pollers: Sequence[Poller],
    outputs: Sequence[Supervised],
    beside: Sequence[Coroutine[None, None, None]],
    notifier: Notifier,
    stop: asyncio.Event | None,
    started: Callable[[], None] | None,
    desk: SettingsDesk | None,
) -> bool:
    async with asyncio.TaskGroup() as group:

        def start(works: Sequence[Coroutine[None, None, None]]) -> list[asyncio.Task[None]]:
            return [group.create_task(work) for work in works]

        sinks = start([output.run() for output in outputs])
        sources = start([poller.run() for poller in pollers])
        sides = start([watch_parts(notifier, clock, pollers, outputs), watch_clock(clock), *beside])
        _log.info(
            "started: %s, outputs: %s",
            "1 meter" if len(pollers) == 1 else f"{len(pollers)} meters",
            ", ".join(output.name for output in outputs) or "none",
        )
        notifier.ready()
        if started is not None:
            started()
        stopped = stop if stop is not None else asyncio.Event()
        changed = asyncio.Event()
        if desk is not None:
            desk.when_changed = changed.set
        with stopped_by_signals(stopped) if stop is None else nullcontext():
            await _first_of(stopped, changed)
            anew = not stopped.is_set()
            if anew:
                _log.info("stopping, to begin anew with other settings")
                notifier.reloading(clock.monotonic())
                await _end([*sides, *sources])
                await _end(sinks)
        if not anew:
            _log.info("stopping")
            notifier.stopping()
            await _end([*sides, *sources])
            await _end(sinks)
    return anew and not stopped.is_set()


async def _first_of(*events: asyncio.Event) -> None:
    """Wait until one of several events is set."""
    waiting = [asyncio.ensure_future(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
