"""The program on the ESP32 module in the meter. Written once, for MicroPython by way of :mod:`nesmodule_build`.

Rooms, each of which knows only those below it:

* ``app``: starts the tasks and keeps them running;
* ``updates``: which program is started, and how another one comes; stands outside of the slots and does not know ``app``;
* ``outputs``: MQTT, the page;
* ``meter``: from the line to values that may be believed;
* ``board``: pins, clock, network, settings: what the chip has.

Every number is whole: times are milliseconds, values are in the meter's raw units, a decimal point is put in when text is
made. Floating point numbers on an ESP32 have 24 bits, and would show another energy than the meter does.

What is shared with the gateway (``osgp``, the guard) is imported by its own name. This package does not know how it
is rewritten.
"""
