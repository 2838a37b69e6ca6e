"""Asks the running processor on this host, by its page's API.

This module does not know what is asked.
"""

from __future__ import annotations

import base64
from typing import Any

import aiohttp

from piprint.config.load import listen
from piprint.config.settings import Config
from piprint.errors import PiprintError

__all__ = ["NotRunning", "ask"]

_PATIENCE = 90.0
"""Seconds; a test page waits until the printer has it."""


class NotRunning(PiprintError):
    """No processor answers at the page's address."""


async def ask(config: Config, path: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    """Ask the running processor; with a body, tell it to do something.

    Args:
        config: says where its page is.
        path: such as ``api/v1/status``.
        body: None to read.

    Raises:
        NotRunning: nothing listens there.
        PiprintError: it refused; the message is its own.
    """
    if not config.web.enabled:
        raise NotRunning("the status page is switched off (web.enabled), so a running processor cannot be asked")
    address, port = listen(config.web.listen)
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)  # noqa: S104 - compared, not listened on
    url = f"http://{f'[{address}]' if ':' in address else address}:{port}/{path}"
    headers = {"X-Piprint": "1"}
    if config.web.password is not None:
        login = f"piprint:{config.web.password.get_secret_value()}"
        headers["Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    timeout = aiohttp.ClientTimeout(total=_PATIENCE, sock_connect=3)
    try:
        async with aiohttp.ClientSession(timeout=timeout, headers=headers) as session:
            call = session.get(url) if body is None else session.post(url, json=body)
            async with call as answer:
                told = await answer.json()
    except aiohttp.ClientConnectorError:
        raise NotRunning(f"no processor answers at {config.web.listen}") from None
    except (aiohttp.ClientError, TimeoutError, ValueError):
        raise PiprintError(f"what answers at {config.web.listen} is no piprint, or is not well") from None
    if not isinstance(told, dict):
        raise PiprintError(f"what answers at {config.web.listen} is no piprint")
    if "error" in told:
        raise PiprintError(str(told["error"]))
    return told
