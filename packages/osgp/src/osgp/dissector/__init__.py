"""Bytes taken apart for people to look at: tables, frames and captures, in words, without the secrets among them.

:mod:`~osgp.dissector.table_parts` takes a table apart, :mod:`~osgp.dissector.frames` what passes on the wire, and
:mod:`~osgp.dissector.captures` what somebody else captured; :mod:`~osgp.dissector.values` and :mod:`~osgp.dissector.pasted_hex` turn values
and pasted hex into bytes and back; :mod:`~osgp.dissector.privacy` names the bytes that must not be shown. This package does not
know where the bytes come from, and it talks to no meter.
"""
