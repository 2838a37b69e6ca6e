"""The gateway: polls meters, publishes readings, keeps history, shows a page."""

from typing import TYPE_CHECKING

from servicekit.version import version_attribute

if TYPE_CHECKING:
    __version__: str
else:
    __getattr__ = version_attribute("nes2mqtt")

__built__ = "2026-11-29"
"""The day this program was made (UTC); set with each release. No clock that is behind it can be right."""
