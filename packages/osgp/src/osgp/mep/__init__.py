"""The MEP port, both ends, sans-IO: no sockets, no clock, no sleep in here.

It has two modes. In RC4 mode :mod:`~osgp.mep.client` asks; in TLS mode :mod:`~osgp.mep.tls_client` does, with the messages of
:mod:`osgp.mep.tls`. :mod:`~osgp.mep.server` answers in both. Frames and times are shared by all. This package does not know how bytes travel, what time it is, or what stands in a table.
"""
