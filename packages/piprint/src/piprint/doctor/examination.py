"""All parts of the examination, in the order in which one builds on the other.

This module knows only the order.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from piprint.config.load import data_dir_at_shell
from piprint.doctor.business_central import business_central
from piprint.doctor.finding import Finding
from piprint.doctor.host import configuration, host
from piprint.doctor.printers import printers

__all__ = ["examine"]


async def examine(config_file: Path | None) -> AsyncIterator[Finding]:
    """Yield what is found, as it is found.

    Args:
        config_file: the configuration; None looks for it where it is usually kept.
    """
    loaded, findings = configuration(config_file)
    for finding in findings:
        yield finding
    if loaded is None:
        return
    config = loaded.config
    async for finding in host(config):
        yield finding
    async for finding in printers(config):
        yield finding
    async for finding in business_central(config, data_dir_at_shell(config)):
        yield finding
