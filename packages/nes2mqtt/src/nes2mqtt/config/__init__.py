"""The configuration file: read, checked as a whole, explained.

The sections are models of the rooms they are for (``meters.config``, ``history.config``, ``outputs.mqtt.config``,
``alerts.config`` and others); here they become one model (``settings``), what is wrong becomes lines that a person can act on
(``problems``), what is right is told before the gateway starts (``summary``, ``preflight``), and each setting is explained (``described``).

This package does not know how any setting is carried out.
"""
