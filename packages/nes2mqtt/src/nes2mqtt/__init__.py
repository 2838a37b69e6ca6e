"""The gateway: polls meters, publishes readings, keeps history, shows a page.

``meters`` reads, ``readings`` is what is read, ``history`` keeps it, ``outputs`` brings it to brokers and to the page.
``config`` is the file that says so, ``runtime`` the running program, ``cli`` its commands. Below all of them are
``host`` and ``timing`` (this computer and its clocks) and ``codes``.

This package does not know the meters' protocols; the library ``osgp`` does.
"""

__version__ = "0.1.0"

__built__ = "2026-11-29"
"""The day this program was made (UTC); set with each release. No clock that is behind it can be right."""
