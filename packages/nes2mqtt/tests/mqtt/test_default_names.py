"""A new installation gets names of its own (R4)."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("computer", "name"),
    [("raspberrypi", "raspberrypi"), ("RPi-2.local", "rpi_2_local"), ("4711", "gateway_4711"), ("häuschen", "huschen")],
)
def test_r4_names_are_made_of_the_computers(tmp_path, computer, name):
    file = tmp_path / "nes2mqtt.toml"
    shutil.copy(ROOT / "deploy" / "nes2mqtt.toml", file)
    subprocess.run(["sh", ROOT / "tools" / "name_gateway.sh", file, computer], check=True)
    configuration = tomllib.loads(file.read_text())
    assert configuration["name"] == name
    assert [broker["base_topic"] for broker in configuration["mqtt"]] == [name]
    assert configuration["meters"].keys() == {"house"}
