"""What stands in on the module for what cannot be rewritten; goes there by the same rules as everything else.

* :mod:`~nesmodule_build.device.micropython_lacks`: parts of Python's library;
* :mod:`~nesmodule_build.device.key_text`: in the place of :mod:`osgp.key_text`, whose patterns MicroPython's ``re`` cannot hold.

This room does not know the meter or the network.
"""
