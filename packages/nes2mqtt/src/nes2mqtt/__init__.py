"""The gateway: polls meters, publishes readings, keeps history, shows a page.

``meters`` reads, ``readings`` is what is read, ``history`` keeps it, ``outputs`` brings it to brokers and to the page.
``backfill`` fills gaps in it, ``alerts`` tells of what needs attention, ``bills`` puts it through ``costs`` at ``prices``.
``config`` is the file that says so, ``setup`` writes and changes it, ``runtime`` is the running program, ``cli`` its commands. Below all of them are
``host`` and ``timing`` (this computer and its clocks) and ``codes``.

This package does not know the meters' protocols; the library ``osgp`` does.
"""

from typing import TYPE_CHECKING

from servicekit.version import version_attribute

if TYPE_CHECKING:
    __version__: str
else:
    __getattr__ = version_attribute("nes2mqtt")

__built__ = "2026-11-29"
"""The day this program was made (UTC); set with each release. No clock that is behind it can be right."""
