"""Write docs/reference/settings.md from the configuration's models: every setting, its default, its meaning.

python tools/generate_settings.py           write the page
python tools/generate_settings.py --check   fail if the committed page is out of date
"""

from __future__ import annotations

import argparse
import inspect
import sys
import types
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from nes2mqtt.alerts import config as alerts
from nes2mqtt.alerts.quiet import Hours
from nes2mqtt.config.described import descriptions, settings_of
from nes2mqtt.config.settings import Config
from nes2mqtt.costs import config as costs
from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.host.secret import Secret
from nes2mqtt.meters import config as meters
from nes2mqtt.meters.production.config import ProductionConfig
from nes2mqtt.outputs.homeassistant.config import HomeAssistantConfig
from nes2mqtt.outputs.mqtt import config as mqtt
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.prices.config import PricesConfig

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"

SECTIONS: dict[str, type[BaseModel]] = {
    "At the top of the file": Config,
    "[meters.ID]": meters.MeterConfig,
    '[meters.ID.power_cycle] with kind = "gpio"': meters.GpioPowerCycle,
    '[meters.ID.power_cycle] with kind = "dtr" or "rts"': meters.LinePowerCycle,
    '[meters.ID.power_cycle] with kind = "command"': meters.CommandPowerCycle,
    "[[mqtt]]": mqtt.MqttConfig,
    "[mqtt.tls]": mqtt.TlsConfig,
    "[mqtt.homeassistant]": mqtt.HomeAssistantOptions,
    "[mqtt.nmr-raw]": mqtt.NmrRawOptions,
    "[mqtt.dabbler]": mqtt.DabblerOptions,
    "[history]": HistoryConfig,
    "[web]": WebConfig,
    "[homeassistant]": HomeAssistantConfig,
    "[alerts]": alerts.AlertsConfig,
    "[alerts.meter_silent]": alerts.MeterSilentRule,
    "[alerts.key_refused]": alerts.KeyRefusedRule,
    "[alerts.phase_load]": alerts.PhaseLoadRule,
    "[alerts.voltage]": alerts.VoltageRule,
    "[alerts.unbalance]": alerts.UnbalanceRule,
    "[alerts.export]": alerts.ExportRule,
    "[alerts.no_export]": alerts.NoExportRule,
    "[alerts.base_load]": alerts.BaseLoadRule,
    "[alerts.clock_drift]": alerts.ClockDriftRule,
    "[alerts.meter_event]": alerts.MeterEventRule,
    "[alerts.webhook]": alerts.WebhookConfig,
    "[alerts.mail]": alerts.MailConfig,
    "[prices]": PricesConfig,
    "[production]": ProductionConfig,
    "[[contracts]]": costs.ContractConfig,
    "[[contracts.lines]]": costs.LineConfig,
    "times = [...] of a line": costs.TimeConfig,
    "[contracts.lines.peak]": costs.PeakConfig,
}
"""Every section of the file and its model, in the order people write them."""

INTRODUCTION = """\
<!-- Written by tools/generate_settings.py; edit the models, then run `make reference`. -->
# Settings

Every setting of the gateway's configuration file. [configuration.md](../configuration.md) has examples to start from.
A setting without a default must be given. A *secret* is a text, `{ env = "NAME" }`, `{ file = "/path" }` or
`{ credential = "name" }`.
"""

_WORDS: dict[object, str] = {
    str: "text",
    float: "number",
    int: "whole number",
    bool: "true or false",
    Path: "path",
    Secret: "secret",
    date: "day, without quotes: 2026-10-01",
    Decimal: "percentage in quotes",
    ZoneInfo: "time zone",
    Hours: "hours in quotes: from-to",
}


def settings(model: type[BaseModel]) -> Iterator[tuple[str, str, FieldInfo]]:
    """Yield name in the file, name in the model and field of every setting that is not a section of its own."""
    for setting in settings_of(model):
        yield setting.name, setting.field, setting.info


def _kind(annotation: Any) -> str:
    """Return what may be written, in words."""
    origin = get_origin(annotation)
    arguments = [part for part in get_args(annotation) if part not in (type(None), Ellipsis)]
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Literal:
        return " or ".join(f'`"{choice}"`' for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(part) for part in arguments)
    if origin in (tuple, list) and len(arguments) > 1:
        return "[" + ", ".join(_kind(part) for part in arguments) + "]"
    if origin in (tuple, list):
        return f"list of {_kind(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return " or ".join(f'`"{choice}"`' for choice in annotation)
    return _kind(arguments[0])  # Annotated[...]


def _bounds(info: FieldInfo) -> str:
    words = []
    for limit in info.metadata:
        match limit:
            case annotated_types.Ge(ge=bound):
                words.append(f"at least {bound}")
            case annotated_types.Gt(gt=bound):
                words.append(f"more than {bound}")
            case annotated_types.Le(le=bound):
                words.append(f"at most {bound}")
    return ", ".join(words)


def _default(info: FieldInfo) -> str:
    if info.default is PydanticUndefined or info.default is None:
        return ""
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    if isinstance(info.default, str | Hours):
        return f'`"{info.default}"`'
    if isinstance(info.default, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in info.default) + "]`"
    if isinstance(info.default, Decimal):
        return f'`"{info.default * 100:f} %"`'
    return f"`{info.default:g}`"


def page() -> str:
    """Return the page."""
    lines = [INTRODUCTION]
    for title, model in SECTIONS.items():
        lines += [f"## `{title}`" if title.startswith("[") else f"## {title}", ""]
        lines += [inspect.cleandoc(model.__doc__ or "").replace("``", "`"), ""]
        lines += ["| Setting | Value | Default | Meaning |", "|---|---|---|---|"]
        meanings = descriptions(model)
        for written, name, info in settings(model):
            value = ", ".join(part for part in (_kind(info.annotation), _bounds(info)) if part)
            must = "**must be given**" if info.is_required() else _default(info)
            meaning = meanings[name].replace("|", "\\|")
            lines.append(f"| `{written}` | {value} | {must} | {meaning} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/reference/settings.md from the models.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is out of date")
    options = parser.parse_args(arguments)
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        print("docs/reference/settings.md is out of date; run `make reference`")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("wrote docs/reference/settings.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
