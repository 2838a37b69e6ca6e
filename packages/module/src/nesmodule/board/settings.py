"""The module's settings: one file of JSON, replaced as a whole, so a power cut leaves the old one or the new one.

Secrets go in and never come out: what is shown of one is whether it is set.

This module does not know what the settings mean.
"""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

__all__ = ["SECRETS", "Settings"]

SECRETS = ("key", "tap_token", "device_key", "page_password", "wifi_password", "mqtt_password", "access_point_key")
_FILE, _NEW = "settings.json", "settings.new"


class Settings:
    """The settings on flash.

    Args:
        files: a file system: ``open``, ``rename``, ``remove``.
    """

    def __init__(self, files: Any) -> None:
        self._files = files
        self.values: dict[str, Any] = {}
        self.broken = False
        """There was a file, and it cannot be read."""
        for name in (_FILE, _NEW):
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
        """Take some settings: None removes one; an empty secret leaves it as it is. Tell whether anything is new.

        Raises:
            OSError: flash is full or worn out; the old settings stay.
        """
        values = dict(self.values)
        for name, value in changes.items():
            if name in SECRETS and value == "":
                continue
            if value is None:
                values.pop(name, None)
            else:
                values[name] = value
        if values == self.values:
            return False
        try:
            with self._files.open(_NEW, "wb") as file:
                file.write(json.dumps(values).encode())
            self._files.rename(_NEW, _FILE)
        except OSError:
            self._clear()
            raise
        self.values = values
        return True

    def _clear(self) -> None:
        """Leave no half of a file where there is no room."""
        with suppress(OSError):
            self._files.remove(_NEW)

    def shown(self) -> dict[str, Any]:
        """Return what may be shown: of a secret only that there is one."""
        found = {name: value for name, value in self.values.items() if name not in SECRETS}
        found["set"] = sorted([name for name in SECRETS if self.values.get(name)])
        return found

    def forget(self, kept: tuple[str, ...] = ("device_key", "page_password", "access_point_key")) -> None:
        """Go back to what the label says: everything but the device's own credentials is gone."""
        self.change({name: None for name in self.values if name not in kept})
