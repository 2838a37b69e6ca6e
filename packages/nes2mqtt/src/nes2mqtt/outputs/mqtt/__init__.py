"""Readings to MQTT brokers, in several dialects at once.

``output`` is one broker. ``client`` keeps the connection, ``dialects`` says which topics hold what, ``delivery``
brings register readings over in order, and ``ownership`` keeps two gateways off the same topics.

This package does not know where readings come from.
"""
