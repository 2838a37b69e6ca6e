"""What helps to find a fault, as one text to attach to a problem report: versions, settings, examination, state, log.

No secret is in it: settings are dumped by models that hide theirs, and the whole text passes the log's redactor. Names of
printers, companies and hosts stay, for without them it says nothing; the command tells so.

This module does not know how any of it is gathered.
"""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import AsyncIterator
from importlib import metadata
from pathlib import Path

from piprint import __version__
from piprint.clock import utc_now
from piprint.config.load import credentials_beside, find, load
from piprint.config.settings import Config
from piprint.doctor.examination import examine
from piprint.doctor.finding import lines
from piprint.errors import ConfigError, PiprintError
from piprint.log import Redactor
from piprint.web.client import NotRunning, ask

__all__ = ["collect"]

_PACKAGES = ("aiohttp", "pydantic", "pypdfium2", "typer", "zeroconf", "cryptography")


async def collect(config_file: Path | None) -> str:
    """Return the text; a wrong configuration is a part of it, not a reason to fail."""
    config: Config | None = None
    secrets: tuple[str, ...] = ()
    try:
        file = find(config_file)
        credentials_beside(file)
        loaded = load(file)
    except ConfigError:
        pass  # the examination tells
    else:
        config, secrets = loaded.config, loaded.secrets
    parts = [part async for part in _parts(config_file, config)]
    return Redactor(secrets)("\n\n".join(parts))


async def _parts(config_file: Path | None, config: Config | None) -> AsyncIterator[str]:
    yield f"piprint {__version__}, problem report of {utc_now():%Y-%m-%d %H:%M} UTC"
    yield "\n".join(_versions())
    if config is not None:
        yield "Settings\n" + json.dumps(config.model_dump(mode="json"), ensure_ascii=False, indent=2)
    yield "\n".join(lines([finding async for finding in examine(config_file)], color=False))
    if config is not None:
        yield await _state(config)


def _versions() -> list[str]:
    told = [f"{platform.platform()}, Python {sys.version.split()[0]}"]
    for package in _PACKAGES:
        try:
            told.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            told.append(f"{package} is not installed")
    return told


async def _state(config: Config) -> str:
    try:
        status = await ask(config, "api/v1/status")
        log = await ask(config, "api/v1/log")
    except NotRunning:
        return "No processor runs on this host; its log: journalctl -u piprint"
    except PiprintError as error:
        return f"The running processor does not tell how it is: {error}"
    return "State\n" + json.dumps(status, ensure_ascii=False, indent=2) + "\n\nLog\n" + "\n".join(log["lines"])
