"""Writes the fields of ``/getDashDataWS``, as the gateway has them, into a text that the module reads line by line.

This module does not know who serves them.
"""

from __future__ import annotations

from pathlib import Path

import nesmodule
from nes2mqtt.outputs.dabbler import FIELDS, MQTT_ONLY

__all__ = ["DABBLER", "dabbler_text"]

DABBLER = Path(nesmodule.__file__).parent / "outputs" / "dabbler.txt"


def dabbler_text() -> str:
    """Return a line for each field: its name, and the key of its source."""
    return "".join(f"{name} {key}\n" for name, key in FIELDS.items() if name not in MQTT_ONLY)
