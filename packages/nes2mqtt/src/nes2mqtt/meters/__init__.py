"""One meter each: when it is read, which of its values may be believed, how it is, how it is switched off and on.

The library ``osgp`` speaks with the meter; here it is asked. What passes the guard goes to the hub of ``readings``.
:mod:`~nes2mqtt.meters.production` counts what a solar inverter tells beside it.

This package does not know outputs or the history.
"""
