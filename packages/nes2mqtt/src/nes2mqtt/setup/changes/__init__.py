"""Settings changed afterwards, by their owner in the browser: what would change, whether it may, and writing it.

The text of the file is changed at the places that are meant and nowhere else (``toml_edit``), what comes of it is checked by
the code that reads it at the start (``proposal``), and it is put in place of the file that was looked at, and of no other
(``desk``). No secret comes back out of here.

This package does not know HTTP, nor how the gateway begins anew.
"""
