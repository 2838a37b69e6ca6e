"""Begins as the chip does: in the folder that is the flash, with a port for safe mode."""

import sys

import begin

port = int(sys.argv.pop())
begin.begin("127.0.0.1", port)
