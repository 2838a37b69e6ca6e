"""Which of two slots is started: the new one as often as it may try, the old one when that did not prove itself, none in safe mode.

The marker is written to a second file and renamed, so the power may fail at any moment: what is read is the old marker or the new one.

This module does not know what is in a slot, nor how it is started.
"""

from __future__ import annotations

import json
from typing import Any

__all__ = ["LIST", "SAFE", "SET_UP", "TRIES", "UNCONFIRMED", "Slots"]

LIST = "files.txt"
"""Of each file of a slot: SHA-256, size and name. Written last: without it the slot is none."""
SAFE, SET_UP = "safe", "set_up"
TRIES = 2
"""How often a new program is started before it has proved itself."""
UNCONFIRMED = 3
"""Starts in a row that nobody confirmed, after which safe mode comes."""
_SLOTS = ("a", "b")
_MARKER, _NEW = "boot.json", "boot.new"


class Slots:
    """The marker of one module.

    Args:
        files: a file system: ``open``, ``rename``, ``remove``, ``stat``, ``mkdir``.
    """

    def __init__(self, files: Any) -> None:
        self._files = files

    def choose(self) -> str:
        """Return the slot to start now, :data:`SAFE` or :data:`SET_UP`. What it decides is on flash before it returns."""
        marker = self._read()
        for what in (SAFE, SET_UP):
            if marker[what]:
                marker[what] = 0
                self._write(marker)
                return what
        trial = marker["trial"]
        if trial:
            if marker["left"] > 0 and self.complete(trial):
                marker["left"] -= 1
                self._write(marker)
                return str(trial)
            marker["trial"], marker["gave_up"] = "", trial
        if not self.complete(marker["good"]):
            other = self.other(marker["good"])
            if not self.complete(other):
                return SAFE
            marker["good"] = other
        marker["starts"] += 1
        if marker["starts"] > UNCONFIRMED:
            marker["starts"] = 0
            self._write(marker)
            return SAFE
        self._write(marker)
        return str(marker["good"])

    def confirm(self, slot: str) -> None:
        """Note that what was started from a slot works."""
        marker = self._read()
        if marker["trial"] == slot:
            marker["good"], marker["trial"], marker["gave_up"] = slot, "", ""
        elif not marker["starts"]:
            return
        marker["starts"] = 0
        self._write(marker)

    def try_next(self, slot: str) -> None:
        """Have a complete slot tried at the next starts."""
        marker = self._read()
        marker["trial"], marker["left"], marker["starts"], marker["gave_up"] = slot, TRIES, 0, ""
        self._write(marker)

    def forget_trial(self) -> None:
        """Try nothing new: the other slot is about to be written."""
        marker = self._read()
        if marker["trial"]:
            marker["trial"] = ""
            self._write(marker)

    def ask_for(self, what: str) -> None:
        """Have the next start be one in safe mode (:data:`SAFE`) or at the access point (:data:`SET_UP`): only there is memory for it."""
        marker = self._read()
        marker[what] = 1
        self._write(marker)

    def good(self) -> str:
        """Return the slot that proved itself."""
        return str(self._read()["good"])

    def gave_up(self) -> str:
        """Return the slot whose program did not prove itself; empty if the last update did, or there was none."""
        return str(self._read()["gave_up"])

    @staticmethod
    def other(slot: str) -> str:
        """Return the other slot."""
        return _SLOTS[slot == _SLOTS[0]]

    def listed(self, slot: str) -> str:
        """Return the list of a slot; empty without one."""
        try:
            with self._files.open(slot + "/" + LIST, "rb") as file:
                text: str = file.read().decode()
                return text
        except (OSError, ValueError):
            return ""

    def complete(self, slot: str) -> bool:
        """Tell whether all files of a slot are there."""
        lines = self.listed(slot).split("\n")[1:-1]
        try:
            for line in lines:
                _, size, name = line.split(" ")
                if self._files.stat(slot + "/" + name)[6] != int(size):
                    return False
        except (OSError, ValueError):
            return False
        return bool(lines)

    def number(self, slot: str) -> int:
        """Return the number of a slot's program, which grows with each release; 0 without one."""
        words = self.listed(slot).split("\n")[0].split(" ")
        return int(words[1]) if len(words) == 2 and words[1].isdigit() else 0

    def _read(self) -> dict[str, Any]:
        for name in (_MARKER, _NEW):
            try:
                with self._files.open(name, "rb") as file:
                    found = json.loads(file.read())
                if found["good"] in _SLOTS:
                    return {**_FIRST, **found}
            except (OSError, ValueError, KeyError, TypeError):
                pass
        return dict(_FIRST)

    def _write(self, marker: dict[str, Any]) -> None:
        with self._files.open(_NEW, "wb") as file:
            file.write(json.dumps(marker).encode())
        self._files.rename(_NEW, _MARKER)


_FIRST = {"good": "a", "trial": "", "left": 0, "starts": 0, "safe": 0, "set_up": 0, "gave_up": ""}
