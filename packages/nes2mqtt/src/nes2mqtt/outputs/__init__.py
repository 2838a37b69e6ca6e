"""Where readings go: brokers, the page, the history. A new output is one folder or file here.

All have the form of :class:`nes2mqtt.readings.hub.Output`, and ``supervise`` keeps each of them going. ``dabbler``
holds the names of another program, which two outputs speak.

This package does not know how meters are read.
"""
