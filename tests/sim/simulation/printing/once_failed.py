"""Worlds of printing that once failed, as the list of the faults that were needed. They must hold for ever."""

from __future__ import annotations

from simulation.printing.world import Setting

__all__ = ["ONCE_FAILED"]

ONCE_FAILED: dict[str, Setting] = {}
