"""The first thing that runs. What decides between the slots is forgotten before the slot's program is loaded, which needs the memory.

This module does not know how it is decided.
"""

from __future__ import annotations

import gc
import sys

__all__ = ["begin"]

_STARTER = "starter"
"""The module that holds :mod:`nesmodule.updates.start` on the chip."""


def begin(host: str = "0.0.0.0", port: int = 80) -> None:  # noqa: S104 - a module serves its network
    """Start a slot's program, or safe mode. Returns when the chip is to start again."""
    slot = _slot()
    if slot == "safe":
        from nesmodule.updates.start import safe  # noqa: PLC0415

        safe(host, port)
        return
    sys.path.insert(0, slot)
    __import__("program").main(lambda: _confirm(slot), _ask_for_safe_mode)


def _slot() -> str:
    from nesmodule.updates.start import choose  # noqa: PLC0415

    slot = choose()
    _forget()
    return slot


def _confirm(slot: str) -> None:
    from nesmodule.updates.start import confirm  # noqa: PLC0415

    confirm(slot)
    _forget()


def _ask_for_safe_mode() -> None:
    from nesmodule.updates.start import ask_for_safe_mode  # noqa: PLC0415

    ask_for_safe_mode()
    _forget()


def _forget() -> None:
    sys.modules.pop(_STARTER, None)
    gc.collect()
