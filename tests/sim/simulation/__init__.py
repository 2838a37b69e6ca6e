"""One deterministic world for the whole gateway: its clocks, threads, lines, broker and disk live by one seed.

``python -m simulation`` runs worlds; tests/sim/README.md says what they cover and how to read what they print.

From below:

==============  =====================================================================================
``loop``        the event loop: time jumps, sockets are in memory, nothing escapes
``fibers``      threads that run on the loop's own thread
``disk``        the disk below SQLite and below plain files: what a power cut may leave of it
``lines``       the lines to the meters
``meters``      the meters, whose every value is a formula of true time
``packets``     MQTT 3.1.1 and 5 as bytes
``broker``      a broker that speaks them, and refuses, limits, loses or keeps silent as told
``host``        the computer: its clock, its power, its program
``seams``       where the product is given all this
``faults``      what can go wrong, drawn by seed, in words
``sentences``   what has to hold, in words
``watch``       looks whether it does
``world``       one life of it all
``story``       a failing world, made smaller and told
==============  =====================================================================================
"""
