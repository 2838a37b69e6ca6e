"""The dialects: tables of topics and formats, several of which can be spoken at once.

This package does not know brokers or connections.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig
from nes2mqtt.outputs.mqtt.dialects import dabbler, homeassistant, nmr_raw
from nes2mqtt.outputs.mqtt.dialects.dialect import Dialect

__all__ = ["DIALECTS", "Dialect", "configured"]

DIALECTS: Mapping[DialectName, Callable[[MqttConfig], Dialect]] = MappingProxyType(
    {
        DialectName.HOMEASSISTANT: homeassistant.dialect,
        DialectName.NMR_RAW: nmr_raw.dialect,
        DialectName.DABBLER: dabbler.dialect,
    }
)


def configured(config: MqttConfig) -> tuple[Dialect, ...]:
    """Return the dialects to speak, as configured."""
    return tuple(DIALECTS[name](config) for name in config.dialects)
