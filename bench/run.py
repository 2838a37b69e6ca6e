"""Run all benches, print one table and write it as JSON. ``make bench``; name some to run only those.

The file is ``build/bench.json``, or ``bench/results/VERSION.json`` with ``--release VERSION``: those are kept, one of each release.
"""

from __future__ import annotations

import argparse
import compileall
import importlib
import json
import subprocess
import sys
import traceback
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import machine
from table import print_rows

ROOT = Path(__file__).resolve().parent.parent

BENCHES = {
    "codec": "Digests, encryption and tables",
    "line": "The line at 9600 baud",
    "load_profile": "The load profile",
    "optical": "The optical port at 9600 baud, 20 ms latency",
    "history_bytes": "Bytes written to disk",
    "start": "Start",
    "idle": "One meter",
    "fleet": "A town",
    "module_heap": "The module in the meter, 32 bits",
    "module_hour": "The module in the meter while it runs",
    "printing": "Printing from Business Central",
}


def _commit() -> str:
    done = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def main() -> int:
    """Run the benches named, or all; return 1 if one could not be measured. A goal that is not met is told, no more."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("benches", nargs="*", help=", ".join(BENCHES))
    parser.add_argument("--release", metavar="VERSION", help="keep the figures as those of this release")
    options = parser.parse_args()
    unknown = [name for name in options.benches if name not in BENCHES]
    if unknown:
        parser.error(f"no bench {unknown[0]}; there are {', '.join(BENCHES)}")
    if options.release and options.benches:
        parser.error("figures of a release are of all benches")
    about, speed = machine.describe(), machine.calibrate()
    print(f"{about['processor']}, {about['cores']} cores, Python {about['python']}, {about['machine']}")
    print(
        f"calibration: {speed['python_ms']} ms for a fixed loop of Python, {speed['sha256_ms']} ms for SHA-256 of 8 MB"
    )
    # As pip compiles what it installs: else memory and start would be those of the compiler, where Python writes no byte code.
    for package in ROOT.glob("packages/*/src"):
        compileall.compile_dir(package, quiet=1)
    rows: list[dict[str, object]] = []
    failed = 0
    for name in options.benches or list(BENCHES):
        print(f"\n{BENCHES[name]}")
        try:
            for row in importlib.import_module(name).rows():
                print_rows([row])
                rows.append({"bench": name, **asdict(row)})
        except Exception:  # noqa: BLE001 - one bench that cannot run must not take the others' figures away
            failed += 1
            traceback.print_exc()
            print(f"  {name} could not be measured; the reason stands above", flush=True)
            rows.append({"bench": name, "what": "could not be measured"})
    after = machine.calibrate()
    print(f"\ncalibration at the end: {after['python_ms']} and {after['sha256_ms']} ms")
    path = ROOT / "bench" / "results" / f"{options.release}.json" if options.release else ROOT / "build" / "bench.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "version": options.release or (ROOT / "VERSION").read_text(encoding="utf-8").strip(),
        "commit": _commit(),
        "at": f"{datetime.now(UTC):%Y-%m-%dT%H:%MZ}",
        **about,
        "calibration": {"before": speed, "after": after},
        "rows": rows,
    }
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(ROOT)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
