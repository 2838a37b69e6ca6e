"""Whether the page can be opened where it is to listen: who changes that in the browser could shut himself out.

This module does not know who asks, nor where the setting stands in the file.
"""

from __future__ import annotations

from nes2mqtt.outputs.web.config import Listen

__all__ = ["why_not"]


def why_not(wanted: Listen, now: str) -> str:
    """Say why the page cannot listen somewhere; empty when it can. It is tried for a moment.

    Args:
        wanted: where it is to listen.
        now: where it listens, as the file has it.
    """
    from nes2mqtt.outputs.web.output import explain, listen  # noqa: PLC0415 - loads the web framework

    try:
        listen(_without_our_port(wanted, now)).close()
    except OSError as error:
        return explain(error, wanted)
    return ""


def _without_our_port(wanted: Listen, now: str) -> Listen:
    """Return an address to try: with another port when its own is the one that this process has open, at another address maybe."""
    try:
        ours = Listen(now).port
    except ValueError:
        return wanted
    if wanted.port != ours:
        return wanted
    return Listen(f"[{wanted.host}]:0" if ":" in wanted.host else f"{wanted.host}:0")
