"""The gateway: polls meters, publishes readings, keeps history, shows a page."""

__version__ = "0.1.0"
