"""M-Bus: what gas, water and heat meters behind the electricity meter say, decoded from the bytes its tables keep.

* :mod:`~osgp.mbus.telegram`: the device's header (serial number, kind, battery) and its records.
* :mod:`~osgp.mbus.fixed`: the older form with two counters.
* :mod:`~osgp.mbus.records`: one record after the other, and single values from load profile channels.
* :mod:`~osgp.mbus.measured`: the values among them, under names that stay.
* :mod:`~osgp.mbus.codes`: what the codes mean, as tables.

This package does not know the electricity meter's tables, how they are read, and what anything is called in MQTT.
"""
