"""The gateway: polls meters, publishes readings, keeps history, shows a page."""

__version__ = "0.1.0"

__built__ = "2026-11-29"
"""The day this program was made (UTC); set with each release. No clock that is behind it can be right."""
