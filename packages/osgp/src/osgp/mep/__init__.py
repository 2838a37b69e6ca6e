"""The MEP port in RC4 mode, both ends, sans-IO: no sockets, no clock, no sleep in here.

:mod:`~osgp.mep.client` asks, :mod:`~osgp.mep.server` answers; frames, digest, cipher and times are shared by both. This package does not know how bytes travel, what time it is, or what stands in a table.
"""
