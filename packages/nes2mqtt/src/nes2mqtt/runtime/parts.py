"""What stands beside reading meters: alerts, fuses, bills, prices, production. Each is made only where the configuration asks for it.

What a section does not ask for is not imported.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nes2mqtt.config.settings import Config
from nes2mqtt.readings.gateway_info import GatewayInfo
from nes2mqtt.readings.happened import EventLog
from nes2mqtt.readings.hub import Hub
from nes2mqtt.timing.clock import Clock

if TYPE_CHECKING:
    from nes2mqtt.alerts.keeper import AlertKeeper
    from nes2mqtt.bills.billing import Billing
    from nes2mqtt.bills.running_costs import RunningCosts
    from nes2mqtt.history.store import Store
    from nes2mqtt.meters.production.keeper import Production
    from nes2mqtt.outputs.web.context import Fuse
    from nes2mqtt.prices.keeper import PriceKeeper

__all__ = ["alerts", "billing", "fuses", "price_keeper", "production", "running_costs"]


def alerts(config: Config, gateway: GatewayInfo, hub: Hub, event_log: EventLog) -> AlertKeeper | None:
    """Return what watches for alerts, with the ways to people; None without its section."""
    section = config.alerts
    if section is None:
        return None
    from nes2mqtt.alerts.channels.configured import couriers  # noqa: PLC0415 - see the docstring
    from nes2mqtt.alerts.keeper import AlertKeeper  # noqa: PLC0415

    fuses = {meter: settings.fuse for meter, settings in config.meters.items()}
    names = {meter: settings.name or meter for meter, settings in config.meters.items()}
    keeper = AlertKeeper(section, fuses, hub, event_log, config.timezone, config.data_dir, names)
    for courier in couriers(section, keeper, gateway.name, keeper.words, hub.clock):
        keeper.add(courier)
    return keeper


def fuses(config: Config) -> dict[str, Fuse]:
    """Return the fuses that are configured, and what the alert of a phase's load calls near."""
    fuses = {meter: settings.fuse for meter, settings in config.meters.items() if settings.fuse is not None}
    if not fuses:
        return {}
    from nes2mqtt.alerts.config import PhaseLoadRule  # noqa: PLC0415 - only where a fuse is named
    from nes2mqtt.outputs.web.context import Fuse  # noqa: PLC0415 - only with a page

    rule = None if config.alerts is None else config.alerts.phase_load
    percent = (rule or PhaseLoadRule()).percent
    return {meter: Fuse(fuse, fuse * percent / 100) for meter, fuse in fuses.items()}


def billing(config: Config, store: Store | None) -> Billing | None:
    """Return what makes bills; None without contracts or without a history."""
    if store is None or not config.contracts:
        return None
    from nes2mqtt.bills.billing import Billing  # noqa: PLC0415 - see the docstring
    from nes2mqtt.prices.store import PriceStore  # noqa: PLC0415

    contracts = [one.contract() for one in config.contracts]
    return Billing(store, PriceStore(config.data_dir / "prices.db"), contracts, config.timezone)


def running_costs(config: Config, billing: Billing | None, clock: Clock) -> RunningCosts | None:
    """Return what keeps prices and costs at hand; None if no broker gets them."""
    if billing is None or not any(broker.publishes_costs for broker in config.mqtt):
        return None
    from nes2mqtt.bills.running_costs import RunningCosts  # noqa: PLC0415 - see the docstring

    contracts = [one.contract() for one in config.contracts]
    return RunningCosts(billing, contracts, config.timezone, clock)


def production(config: Config, clock: Clock) -> Production | None:
    """Return what hears the solar inverter; None without its section."""
    section = config.production
    if section is None:
        return None
    from nes2mqtt.meters.production.keeper import Production  # noqa: PLC0415 - see the docstring

    return Production(section, section.meter or next(iter(config.meters)), config.data_dir / "production.db", clock)


def price_keeper(config: Config, clock: Clock) -> PriceKeeper | None:
    """Return what keeps the spot prices that the contracts need; None if they need none."""
    if config.prices is None or not any(one.spot_area for one in config.contracts):
        return None
    from random import random  # noqa: PLC0415

    from nes2mqtt.prices.keeper import PriceKeeper, wanted_by  # noqa: PLC0415 - see the docstring
    from nes2mqtt.prices.store import PriceStore  # noqa: PLC0415

    contracts = [one.contract() for one in config.contracts]
    needs = ((one.spot_area, one.prices_since, one.currency) for one in contracts if one.spot_area)
    return PriceKeeper(
        PriceStore(config.data_dir / "prices.db"),
        wanted_by(needs),
        clock,
        config.prices.service(),
        file=config.prices.file,
        chance=random,
    )
