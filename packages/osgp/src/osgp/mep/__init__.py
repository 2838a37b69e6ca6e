"""The MEP port in RC4 mode, both ends, sans-IO: no sockets, no clock, no sleep in here."""
