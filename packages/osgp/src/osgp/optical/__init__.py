"""The optical port (ANSI C12.18), both ends, sans-IO: no sockets, no clock, no sleep in here.

:mod:`~osgp.optical.session` asks, :mod:`~osgp.optical.server` answers; both speak through one end of the data link each
(:mod:`osgp.optical.datalink`). This package does not know how bytes travel, what time it is, or what stands in a table.
"""
