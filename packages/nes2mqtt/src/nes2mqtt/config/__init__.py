"""The configuration file: read, checked as a whole, explained.

The sections are models of the rooms they are for (``meters.config``, ``history.config``, ``outputs.mqtt.config``,
``outputs.web.config``); here they become one model, what is wrong becomes lines that a person can act on, and what
is right is told before the gateway starts.

This package does not know how any setting is carried out.
"""
