"""The package's README tells the truth."""

import re
import shlex
from pathlib import Path

import pytest

from osgp.cli.commands.simulate import _check_town, _Endpoint
from osgp.image import image_names
from osgp.meter import open_meter
from osgp.simulator import FAULTS, SCENARIOS, House, SimulatedMeter
from osgp.simulator.household import Household
from osgp.simulator.ledger import Ledger

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)


def test_every_fault_stands_there_as_it_is():
    faults = README.split("### Faults")[1].split("### ")[0]
    told = re.findall(r"^\| `([^=]+)=([^`]+)` \| (.+) \|$", faults, re.MULTILINE)
    assert told == [(name, fault.form, fault.does) for name, fault in FAULTS.items()]


def test_every_scenario_stands_there_as_it_is():
    told = re.findall(
        r"^\| `([a-z-]+)(\[?=.*?|\[,.*?|)` \| (.+) \|$", README.split("### What may happen")[1], re.MULTILINE
    )
    assert [
        (name, usage.replace("\\|", "|") + ("[,at=WHEN]" if name != "mbus" else ""), does) for name, usage, does in told
    ] == [(name, scenario.usage, scenario.does) for name, scenario in SCENARIOS.items()]


@pytest.mark.parametrize("line", [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()])
def test_every_command_is_one(line):
    words = shlex.split(line, comments=True)
    assert words[:2] == ["osgp", "simulate"]
    options = dict(zip(words[-2::-1], words[::-1], strict=False))
    endpoint = _Endpoint.parse("--mep", options["--mep"])
    _check_town(int(options.get("--meters", 1)), [endpoint])
    assert words[2].startswith("--") or words[2] in image_names()


@pytest.mark.parametrize("text", [text for kind, text in BLOCKS if kind == "python"])
async def test_every_program_runs(virtual_clock, text, capsys, monkeypatch):
    program = text.replace("asyncio.run(main())", "")
    names = {}
    exec(compile(program, "README.md", "exec"), names)
    if "main" not in names:
        await names["test_my_program"]()
        return
    house = House(ledger=Ledger(Household(1)))
    async with SimulatedMeter(house, clock=lambda: house.installed + 5000.0) as simulated:
        urls = {"tcp": await simulated.serve_tcp(), "optical+tcp": await simulated.serve_optical_tcp()}
        names["open_meter"] = lambda url, **kwargs: open_meter(urls[url.partition(":")[0]], **kwargs)
        await names["main"]()  # type: ignore[call-arg, misc]
    said = capsys.readouterr().out
    assert "SIM0000001" in said
    assert "Import energy" in said
    assert " kWh" in said
