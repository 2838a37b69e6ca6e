"""Any bytes are a file of old readings of which every line is a register with a time or refused in words, or a HistoryError.

python fuzz/fuzz_import.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
import tempfile
from pathlib import Path
from types import FunctionType
from zoneinfo import ZoneInfo

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.csv_file import CsvFile, Wanted
from nes2mqtt.history.importing.homeassistant import HomeAssistant, is_database
from nes2mqtt.history.importing.lines import Refused
from nes2mqtt.history.importing.times import descending, settled

ZONE = ZoneInfo("Europe/Copenhagen")
HEADS = (b"", b"time,tPI\n", b"entity_id,state,last_changed\nsensor.x,1.5,2024-10-27T00:00:00Z\n")
WANTED = (Wanted(), Wanted(columns={"active_energy_import": "1"}, times=("2",), unit="kWh"))
STATES = Wanted(columns={"active_energy_import": "sensor.x"}, unit="kWh")


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but HistoryError, if the invariant does not hold for ``data`` as a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "old.csv"
        for head in HEADS:
            path.write_bytes(head + data)
            for wanted in (*WANTED, STATES):
                try:
                    source = HomeAssistant(path, wanted) if is_database(path) else CsvFile(path, wanted)
                    back = descending(line.time for line in source if not isinstance(line, Refused))
                    for line in settled(source, ZONE, back=back):
                        if isinstance(line, Refused):
                            assert line.reason
                        else:
                            assert line.time.utcoffset() is not None
                            assert line.values
                            assert all(0 <= value <= 4 * 10**12 for value in line.values.values())
                except HistoryError:
                    continue


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("nes2mqtt.history.importing"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
