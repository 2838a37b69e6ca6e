"""Starts the program with the settings of a file; prints how the level shifter's supply and ENABLE are switched."""

import asyncio
import gc
import json
import sys

import program

with open(sys.argv[1]) as file:  # noqa: PTH123 - MicroPython has no pathlib
    settings = json.load(file)
gc.threshold(4096)
host, port = settings["line"].split(":")


async def set_lines(supply, enable):
    print("supply", supply, "enable", enable)
    sys.stdout.flush() if hasattr(sys.stdout, "flush") else None


folder = sys.argv[1].rpartition("/")[0] + "/"
asyncio.run(program.run(settings, lambda: asyncio.open_connection(host, int(port)), set_lines, None, None, folder))
