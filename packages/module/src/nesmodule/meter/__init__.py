"""From the line to values that may be believed: requests and replies, which tables are read when, where values stand in them.

This room does not know outputs, pins or settings.
"""
