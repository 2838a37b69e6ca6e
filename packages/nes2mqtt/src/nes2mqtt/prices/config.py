"""The ``[prices]`` section of the configuration: where spot prices come from.

This module does not ask for them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nes2mqtt.host.secret import Secret

if TYPE_CHECKING:
    from nes2mqtt.prices.sources.source import PriceSource

__all__ = ["PricesConfig"]


class PricesConfig(BaseModel):
    """Where the spot prices of contracts come from."""

    model_config = ConfigDict(
        defer_build=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
        regex_engine="python-re",
    )

    source: Literal["energi-data-service", "energy-charts", "entsoe", "awattar", "file"]
    """``energi-data-service`` (DK1 and DK2, in kroner), ``energy-charts`` (most of Europe, in euros), ``entsoe`` (all of it, in
    euros, with a token of yours), ``awattar`` (AT and DE-LU, hours only) or ``file``."""
    token: Secret | None = None
    """For ``entsoe``: the security token of your account there."""
    file: Path | None = None
    """For ``file``: CSV with the columns ``start`` (with its offset), ``minutes`` (15 or 60) and ``price`` (of a kWh without
    VAT, in the currency of the contract), and ``area`` if contracts need several areas."""
    address: str = Field(default="", pattern=r"^(https?://\S+)?$")
    """Another address of the service, of a proxy for instance."""

    @field_validator("address")
    @classmethod
    def _nothing_secret(cls, address: str) -> str:
        if not address.isascii() or not address.isprintable():
            raise ValueError("an address has plain letters only; write others as %XX")
        if any(sign in address for sign in "?#@"):
            raise ValueError("an address is shown in the log; it takes no name, password, query or #")
        return address

    @model_validator(mode="after")
    def _what_it_needs(self) -> PricesConfig:
        if (self.source == "entsoe") != (self.token is not None):
            raise ValueError(
                'token goes with source = "entsoe", which needs it: token = { file = "/path/of/the/token" }'
            )
        if (self.source == "file") != (self.file is not None):
            raise ValueError('file goes with source = "file", which needs it: file = "/path/prices.csv"')
        return self

    def service(self) -> PriceSource | None:
        """Return the service to ask; None where prices come from a file."""
        address = {"address": self.address} if self.address else {}
        # Each is imported where it is asked for: a gateway without prices carries none of them.
        match self.source:
            case "energi-data-service":
                from nes2mqtt.prices.sources.energi_data_service import EnergiDataService  # noqa: PLC0415

                return EnergiDataService(**address)
            case "energy-charts":
                from nes2mqtt.prices.sources.energy_charts import EnergyCharts  # noqa: PLC0415

                return EnergyCharts(**address)
            case "awattar":
                from nes2mqtt.prices.sources.awattar import Awattar  # noqa: PLC0415

                return Awattar(**address)
            case "entsoe" if self.token is not None:
                from nes2mqtt.prices.sources.entsoe import Entsoe  # noqa: PLC0415

                return Entsoe(self.token.reveal(), **address)
            case _:
                return None
