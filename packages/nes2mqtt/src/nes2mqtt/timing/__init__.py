"""Time: which clock is believed, in which time zone this computer is, how long to wait before trying again.

This package does not know what happens at any time.
"""
