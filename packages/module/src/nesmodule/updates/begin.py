"""The first thing that runs. What decides between the slots is forgotten before the slot's program is loaded, which needs the memory.

This module does not know how it is decided.
"""

from __future__ import annotations

import gc
import sys

__all__ = ["begin"]

_STARTER = "starter"
"""The module that holds :mod:`nesmodule.updates.start` on the chip."""


def begin(host: str = "0.0.0.0", port: int = 80, names_port: int = 53) -> None:  # noqa: S104 - a module serves its network
    """Start a slot's program, safe mode, or the access point. Returns when the chip is to start again."""
    slot, settings = _chosen()
    if slot == "safe":
        from nesmodule.updates.start import safe  # noqa: PLC0415

        safe(host, port)
    elif slot == "set_up":
        from nesmodule.updates.start import set_up  # noqa: PLC0415

        set_up(host, port, names_port)
    else:
        sys.path.insert(0, slot)
        if settings.get("line"):
            # A computer: the line to the meter is in its network.
            __import__("program").main(lambda: _confirm(slot), lambda: _ask("safe"))
        else:
            __import__("chip").run_chip(settings, lambda: _confirm(slot), _ask)


def _chosen() -> tuple[str, dict[str, object]]:
    from nesmodule.updates.start import choose  # noqa: PLC0415

    chosen = choose()
    _forget()
    return chosen


def _confirm(slot: str) -> None:
    from nesmodule.updates.start import confirm  # noqa: PLC0415

    confirm(slot)
    _forget()


def _ask(what: str) -> None:
    from nesmodule.updates.start import ask  # noqa: PLC0415

    ask(what)
    _forget()


def _forget() -> None:
    sys.modules.pop(_STARTER, None)
    gc.collect()
