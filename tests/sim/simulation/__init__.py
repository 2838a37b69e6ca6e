"""One deterministic world for the whole gateway: its clocks, threads, lines, broker and disk live by one seed.

``python -m simulation`` runs worlds; tests/sim/README.md says what they cover and how to read what they print.

From below:

==============  =====================================================================================
``plan``        what goes wrong, as a list
``loop``        the event loop: time jumps, sockets are in memory, nothing escapes
``fibers``      threads that run on the loop's own thread
``disk``        the disk below SQLite: what a power cut may leave of it
``files``       the same of plain files and renames
``host``        the computer: its clock, its power, its program
``conditions``  what is wrong at the moment
``story``       a failing world, made smaller and told
``cuts``        power cuts of the databases alone
``gateway``     the gateway's world
``printing``    the print processor's
==============  =====================================================================================
"""
