"""The ``[production]`` section of the configuration: where the inverter's numbers come from.

This module does not listen to anything.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

__all__ = ["ProductionConfig"]

_TOPIC_LIMIT = 65535
"""Bytes an MQTT string may have (MQTT 3.1.1, section 1.5.3)."""


def _topic(text: str) -> str:
    if not text:
        raise ValueError("a topic cannot be empty; leave the line out")
    if found := sorted(set(text) & {"+", "#"}):
        raise ValueError(f"it holds {' and '.join(found)}: name one topic, not several")
    if "\x00" in text or len(text.encode()) > _TOPIC_LIMIT:
        raise ValueError("that cannot be a topic of MQTT")
    return text


Topic = Annotated[str, AfterValidator(_topic)]
Path = Annotated[str, Field(max_length=200)]


class ProductionConfig(BaseModel):
    """What a solar inverter gives, told by MQTT: for the share of it that the house uses itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    meter: str | None = None
    """The meter of the house with the inverter; needed with several meters."""
    power_topic: Topic | None = None
    """Topic of the power of now, at the broker of the first section ``[[mqtt]]``."""
    power_field: Path = ""
    """Where the power stands in a JSON message: names with dots between, such as ``ENERGY.Power``; empty where the message is the number."""
    power_unit: Literal["W", "kW"] = "W"
    """Unit of the power."""
    energy_topic: Topic | None = None
    """Topic of the register that counts all energy the inverter ever gave, at the same broker. Without it the power is added up."""
    energy_field: Path = ""
    """As ``power_field``, of the register."""
    energy_unit: Literal["kWh", "Wh"] = "kWh"
    """Unit of the register."""
    stale_after: Annotated[float, Field(ge=5, le=3600)] = 120.0
    """Seconds without a message after which the power is not known any more."""
    max_power: Annotated[float, Field(gt=0, le=1_000_000)] = 30_000.0
    """Power in W that the inverter cannot exceed; what tells of more is not believed."""

    @model_validator(mode="after")
    def _something_to_hear(self) -> Self:
        if self.power_topic is None and self.energy_topic is None:
            raise ValueError(
                "needs the topic of the inverter's register or of its power: "
                'energy_topic = "inverter/total" or power_topic = "inverter/power"'
            )
        return self

    @property
    def topics(self) -> tuple[str, ...]:
        """Return the topics to listen to, each once."""
        return tuple(dict.fromkeys(topic for topic in (self.power_topic, self.energy_topic) if topic is not None))
