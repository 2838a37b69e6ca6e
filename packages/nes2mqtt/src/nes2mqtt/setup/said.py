"""What the set-up tells people: a code, the field it is about, and the values that its sentence names.

The sentences stand in the catalogues (:mod:`nes2mqtt.setup.words`), one for each language. None of the values is ever a secret.

This module does not know any sentence.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Said"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is wrong, or worth knowing."""

    code: str
    """The sentence is ``said_CODE``."""
    field: str = ""
    """Of the step; empty when it is about all of it."""
    values: Mapping[str, str | int] = dataclasses.field(default_factory=dict)
    passable: bool = False
    """Somebody else may be at fault, or it is only to be known: one may go on all the same."""
