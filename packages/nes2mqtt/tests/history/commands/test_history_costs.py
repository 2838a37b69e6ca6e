"""``nes2mqtt costs`` on the history of a gateway that is running."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from nes2mqtt.cli import app
from nes2mqtt.prices.spot_price import SpotPrice
from nes2mqtt.prices.store import PriceStore

CONFIG = """
timezone = "Europe/Copenhagen"
data_dir = "{folder}"

[history]
path = "{history}"

[meters.house]
port = "/dev/ttyUSB0"
key = "0123456789ABCDEF0123"

[prices]
source = "energi-data-service"

[[contracts]]
name = "Example"
meter = "house"
from = 2026-01-01
currency = "DKK"
spot_area = "DK1"
vat = "25 %"
[[contracts.lines]]
name = "Spot"
price = "spot"
[[contracts.lines]]
name = "Grid"
price = "30 øre per kWh"
[[contracts.lines]]
name = "Subscription"
price = "31 DKK per month"
"""


@pytest.fixture
def config(open_recorder, registers, clock, tmp_path):
    """Four hours from one in the afternoon on, 3.6 kWh in each; the gateway goes on."""
    recorder = open_recorder()
    for second in range(0, 4 * 3600 + 1, 10):
        recorder.take([registers(second, 65_845_342 + second)], clock.s(second))
    recorder.work(clock.s(4 * 3600 + 60), flush=True)
    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    prices = [SpotPrice(noon + timedelta(minutes=15 * number), 15, Decimal("0.5"), "DKK") for number in range(12)]
    PriceStore(tmp_path / "prices.db").keep("DK1", prices, "test", noon)
    file = tmp_path / "nes2mqtt.toml"
    file.write_text(CONFIG.format(folder=tmp_path, history=recorder.path))
    return file


def run(config, *arguments):
    return CliRunner().invoke(app, ["costs", "--config", str(config), *arguments])


def test_the_bill_of_a_day(config):
    result = run(config, "--from", "2026-01-15", "--to", "2026-01-16", "--days")
    assert result.exit_code == 0, result.output
    lines = [line.split() for line in result.output.splitlines()]
    # Three of four hours have a price: 10.8 kWh. 5.40 + 3.24 + 1.00 = 9.64; 25 % of it 2.41.
    assert ["Spot", "5.40", "DKK"] in lines
    assert ["Grid", "3.24", "DKK"] in lines
    assert ["Subscription", "1.00", "DKK"] in lines
    assert ["without", "VAT", "9.64", "DKK"] in lines
    assert ["VAT", "2.41", "DKK"] in lines
    assert ["sum", "12.05", "DKK"] in lines
    assert "for 10.8 kWh" in result.output
    assert "4 quarter hours with 3.6 kWh wait for their price" in result.output
    assert "80 quarter hours were not measured" in result.output
    assert "2026-01-15" in result.output
    assert "not complete" in result.output


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (("--from", "yesterday"), "is no day", 1),
        (("--from", "2026-01-16", "--to", "2026-01-15"), "swap them", 1),
        (("--from", "2026-01-15", "--meter", "barn"), "no [[contracts]] section for meter 'barn'", 2),
        (("--from", "2020-01", "--to", "2020-02"), "no contract holds", 0),
    ],
)
def test_what_it_says_otherwise(config, arguments, said, code):
    result = run(config, *arguments)
    assert result.exit_code == code
    assert said in result.output


def test_days_between_two_contracts_are_told_by_check_config(config):
    text = config.read_text()
    ended = text.replace("from = 2026-01-01", "from = 2026-01-01\nto = 2026-03-31")
    config.write_text(ended + text[text.index("[[contracts]]") :].replace("from = 2026-01-01", "from = 2026-04-01"))
    result = CliRunner().invoke(app, ["check-config", "--config", str(config)])
    assert result.exit_code == 0, result.output
    assert "until 'Example' begins on 2026-04-01: what was used then is in no bill" in result.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('meter = "house"', 'meter = "barn"', "which is not configured; there are: house"),
        ('[prices]\nsource = "energi-data-service"', "", "nothing says where they come from"),
        ('"energi-data-service"', '"energy-charts"', "in EUR; take a source that has DKK"),
        ('"energi-data-service"', '"entsoe"', "token goes with"),
        ('spot_area = "DK1"', 'spot_area = "AT"', "take another source"),
        ('price = "spot"', 'price = "spot + 8"', "line 'Spot'"),
    ],
)
def test_what_is_wrong_in_the_file_is_told_with_its_line(config, old, new, said):
    text = config.read_text()
    assert old in text
    config.write_text(text.replace(old, new, 1))
    result = run(config, "--from", "2026-01-15")
    assert result.exit_code == 2
    assert said in result.output
    assert "nes2mqtt.toml" in result.output
