"""Commands that show what is connected to the meter: M-Bus devices behind it, clients at its MEP ports.

This package does not know how a meter is opened or read.
"""
