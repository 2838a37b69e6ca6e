"""``nes2mqtt import`` reads the database that Home Assistant's own code makes: its tables, its rows, its units."""

from __future__ import annotations

import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from nes2mqtt.history.errors import HistoryError
from nes2mqtt.history.importing.csv_file import Wanted
from nes2mqtt.history.importing.homeassistant import HomeAssistant, is_database
from nes2mqtt.history.importing.lines import Line
from osgp.sources import SOURCES

pytestmark = [
    pytest.mark.xdist_group("homeassistant"),
    pytest.mark.timeout(900),  # the first run may have to install Home Assistant
]

PROGRAM = """
import json, sys
from datetime import UTC, datetime, timedelta
from homeassistant.components.recorder.db_schema import Base, Statistics, StatisticsMeta
from homeassistant.components.recorder.models import StatisticMeanType
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

path, sensors = json.loads(sys.argv[1])
engine = create_engine(f"sqlite:///{path}")
Base.metadata.create_all(engine)
with Session(engine) as session:
    for name, unit, states in sensors:
        meta = StatisticsMeta.from_meta({
            "has_mean": False, "mean_type": StatisticMeanType.NONE, "has_sum": True, "name": None, "source": "recorder",
            "statistic_id": name, "unit_of_measurement": unit,
        })
        session.add(meta)
        session.flush()
        for number, state in enumerate(states):
            start = datetime(2025, 10, 25, 22, tzinfo=UTC) + number * timedelta(hours=1)
            row = {"start": start, "state": state, "sum": 5.0 + number}
            session.add(Statistics.from_stats(meta.id, row, start.timestamp() + 3700))
    session.commit()
"""


def made(environment: Any, path: Path, *sensors: tuple[str, str, list[float | None]]) -> Path:
    """Let Home Assistant's own code make a database."""
    subprocess.run([environment, "-c", PROGRAM, json.dumps([str(path), sensors])], check=True, capture_output=True)
    return path


def test_registers_are_those_at_the_end_of_each_hour(environment: Any, tmp_path: Path) -> None:
    sensors = (
        ("sensor.meter_import", "kWh", [12345.678, 12346.0, None, 12346.1]),
        ("sensor.meter_export", "Wh", [179.0, 180.0]),
        ("sensor.fridge", "kWh", [1.0]),
    )
    path = made(environment, tmp_path / "home-assistant_v2.db", *sensors)
    assert is_database(path)
    wanted = {"active_energy_import": "sensor.meter_import", "active_energy_export": "sensor.meter_export"}
    lines = [line for line in HomeAssistant(path, Wanted(columns=wanted)) if isinstance(line, Line)]
    told = {(source.key, line.time): value for line in lines for source, value in line.values.items()}
    first = datetime(2025, 10, 25, 23, tzinfo=UTC)
    assert told == {
        ("active_energy_import", first): 12_345_678,
        ("active_energy_import", first + timedelta(hours=1)): 12_346_000,
        ("active_energy_import", first + timedelta(hours=3)): 12_346_100,
        ("active_energy_export", first): 179,
        ("active_energy_export", first + timedelta(hours=1)): 180,
    }
    assert SOURCES["active_energy_import"] in HomeAssistant(path, Wanted(columns=wanted)).titled


def test_the_sensors_that_count_are_named_to_who_names_none(environment: Any, tmp_path: Path) -> None:
    path = made(environment, tmp_path / "ha.db", ("sensor.meter_import", "kWh", [1.0]), ("sensor.gas", "m³", [2.0]))
    with pytest.raises(HistoryError, match=r"say which statistic is which register.*sensor\.gas, sensor\.meter_import"):
        HomeAssistant(path, Wanted())
    with pytest.raises(HistoryError, match=r"no statistic sensor\.x"):
        HomeAssistant(path, Wanted(columns={"active_energy_import": "sensor.x"}))
    with pytest.raises(HistoryError, match="is in m³"):
        HomeAssistant(path, Wanted(columns={"active_energy_import": "sensor.gas"}))
