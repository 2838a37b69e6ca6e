"""The world of the gateway: two meters, a broker, a page, on a computer with a clock and a disk.

==============  =====================================================================================
``lines``       the lines to the meters
``meters``      the meters, whose every value is a formula of true time
``packets``     MQTT 3.1.1 and 5 as bytes
``broker``      a broker that speaks them, and refuses, limits, loses or keeps silent as told
``seams``       where the product is given all this
``faults``      what can go wrong, drawn by seed, in words
``sentences``   what has to hold, in words
``watch``       looks whether it does
``world``       one life of it all
==============  =====================================================================================
"""
