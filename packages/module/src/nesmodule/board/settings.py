"""The module's settings: one file of JSON, replaced as a whole, so a power cut leaves the old one or the new one.

This module does not know what the settings mean, and shows none: :mod:`nesmodule.board.form` says what may be shown.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

__all__ = ["LABEL", "Settings"]

LABEL = ("device_key", "access_point_key")
"""What stands on the label of the device, and so is never forgotten."""
_FILE, _NEW = "settings.json", "settings.new"


class Settings:
    """The settings on flash.

    Args:
        files: a file system: ``open``, ``rename``, ``remove``.
        folder: where they are, with a slash at its end.
    """

    def __init__(self, files: Any, folder: str = "") -> None:
        self._files = files
        self._file, self._new = folder + _FILE, folder + _NEW
        self.values: dict[str, Any] = {}
        self.broken = False
        """There was a file, and it cannot be read."""
        for name in (self._file, self._new):
            try:
                with files.open(name, "rb") as file:
                    found = json.loads(file.read())
                if isinstance(found, dict):
                    self.values = found
                    self.broken = False
                    return
                self.broken = True
            except ValueError:
                self.broken = True
            except OSError:
                pass

    def change(self, changes: dict[str, Any]) -> bool:
        """Take some settings, by name; one with a dot stands inside of another, and None removes one. Tell whether anything is new.

        Raises:
            OSError: flash is full or worn out; the old settings stay.
        """
        values = dict(self.values)
        for name, value in changes.items():
            outer, dot, inner = name.partition(".")
            if dot:
                found = values.get(outer)
                within = dict(found) if isinstance(found, dict) else {}
                _put(within, inner, value)
                _put(values, outer, within or None)
            else:
                _put(values, outer, value)
        if values == self.values:
            return False
        try:
            with self._files.open(self._new, "wb") as file:
                file.write(json.dumps(values).encode())
            self._files.rename(self._new, self._file)
        except OSError:
            self._clear()
            raise
        self.values = values
        return True

    def _clear(self) -> None:
        """Leave no half of a file where there is no room."""
        with suppress(OSError):
            self._files.remove(self._new)

    def forget(self) -> None:
        """Go back to what the label says."""
        self.change({name: None for name in self.values if name not in LABEL})


def _put(values: dict[str, Any], name: str, value: Any) -> None:
    if value is None:
        values.pop(name, None)
    else:
        values[name] = value
