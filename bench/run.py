"""Run all benches and print one table. ``make bench``; name some to run only those."""

from __future__ import annotations

import importlib
import os
import platform
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from table import print_rows

BENCHES = {
    "codec": "Digests, encryption and tables",
    "line": "The line at 9600 baud",
    "optical": "The optical port at 9600 baud, 20 ms latency",
    "history_bytes": "Bytes written to disk",
    "idle": "One meter",
    "fleet": "A town",
    "printing": "Printing from Business Central",
}


def main() -> None:
    """Run the benches named, or all."""
    chosen = sys.argv[1:] or list(BENCHES)
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    for name in chosen:
        if name not in BENCHES:
            sys.exit(f"no bench {name}; there are {', '.join(BENCHES)}")
        print(f"\n{BENCHES[name]}")
        for row in importlib.import_module(name).rows():
            print_rows([row])


if __name__ == "__main__":
    main()
