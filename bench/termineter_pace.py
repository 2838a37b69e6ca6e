"""How often Termineter's library reads BT23 0/8 and BT28 0/40; runs in Termineter's environment, prints JSON.

Usage: termineter_pace.py PTY PASSWORD SAMPLES
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from c1218.connection import Connection
from termineter.utilities import get_default_serial_settings

WINDOWS = ((23, 0, 8), (28, 0, 40))


def opened(port: str, password: str) -> Any:
    """Open the port and log in, with the packets that its users set."""
    connection = Connection(
        port,
        c1218_settings={"pktsize": 64, "nbrpkts": 254},
        serial_settings=get_default_serial_settings(),
        enable_cache=False,
    )
    connection.start()
    if not connection.login("0000", 0, password.encode()):
        sys.exit("the meter refused the password")
    return connection


def session_per_table(port: str, password: str, samples: int) -> float:
    """Return samples a second, as its console reads: each table in a session of its own."""
    began = time.perf_counter()
    for _ in range(samples):
        for table, offset, count in WINDOWS:
            connection = opened(port, password)
            connection.get_table_data(table, octetcount=count, offset=offset)
            connection.stop()
    return samples / (time.perf_counter() - began)


def one_session(port: str, password: str, samples: int) -> float:
    """Return samples a second with its library, which can stay logged in."""
    connection = opened(port, password)
    began = time.perf_counter()
    for _ in range(samples):
        for table, offset, count in WINDOWS:
            connection.get_table_data(table, octetcount=count, offset=offset)
    spent = time.perf_counter() - began
    connection.stop()
    return samples / spent


if __name__ == "__main__":
    chosen, samples = (sys.argv[1], sys.argv[2]), int(sys.argv[3])
    print(json.dumps([session_per_table(*chosen, max(3, samples // 5)), one_session(*chosen, samples)]))
