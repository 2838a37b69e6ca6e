"""A stand-in for Business Central, to try everything without one."""
