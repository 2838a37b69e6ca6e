"""Kill -9 at any moment: what was said to be saved is there once, and every sample is delivered."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.writing.recorder import Recorder
from osgp.sources import SOURCES

KILLS = int(os.environ.get("NES2MQTT_KILLS", "8"))
PROGRAM = Path(__file__).parent / "gateway_to_kill.py"
IMPORT = SOURCES["active_energy_import"]


def run_and_kill(path, number, lines):
    """Let the program print about ``lines`` lines, kill it, and return all it printed."""
    command = [sys.executable, str(PROGRAM), str(path), str(number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        seen = [process.stdout.readline() for _ in range(lines)]
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read()
        assert process.stderr.read() == b""
    text = b"".join(seen) + rest
    return [line.split() for line in text.decode().split("\n")[:-1]]  # the last line may be cut


def test_no_register_sample_is_lost_or_doubled_by_kill_9(tmp_path, clock):
    chance = random.Random(4)
    path = tmp_path / "history.db"
    saved, sent = [], []
    for _ in range(KILLS):
        number = saved[-1] + 100 if saved else 0
        for word, *numbers in run_and_kill(path, number, chance.randrange(1, 200)):
            if word == "saved":
                saved.append(int(numbers[0]))
            else:
                sent.append((int(numbers[0]), int(numbers[1])))
    recorder = Recorder(path, HistoryConfig(), clock.clocks)
    recorder.open(clock.instant)
    kept = recorder.after(0, 10**6)
    energies = [sample.values[IMPORT] for _, sample in kept]
    assert [seq for seq, _ in kept] == list(range(1, len(kept) + 1))
    assert len(set(energies)) == len(energies)
    assert set(saved) <= set(energies)
    assert len(saved) > KILLS
    # Delivered: all up to the last position, in order; again only what was delivered just before a kill.
    assert recorder.journal.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    by_seq = dict(sent)
    last = max(by_seq)
    assert set(by_seq) == set(range(1, last + 1))
    assert all(energies[seq - 1] == energy for seq, energy in sent)
    assert len(sent) - len(by_seq) <= 25 * KILLS
    recorder.work(clock.s(86_400), flush=True)
    rolled = recorder.journal.connection.execute("SELECT sum(active_energy_import) FROM minute_rollups").fetchone()[0]
    assert rolled == energies[-1] - energies[0]
    recorder.close()
