"""The optical port (ANSI C12.18), both ends, sans-IO: no sockets, no clock, no sleep in here."""
