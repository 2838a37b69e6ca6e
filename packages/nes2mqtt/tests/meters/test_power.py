"""From the section power_cycle to what switches."""

from pathlib import Path

import pytest

from nes2mqtt.config.settings import parse
from nes2mqtt.meters.power_cycle import power_cycle_for
from osgp.errors import TransportError
from osgp.ports import recovery

METER = '[meters.house]\nport = "/dev/ttyUSB0"\nkey = "ABCDEFGHIJKLMNOPQRST"\n'


class Port:
    def __init__(self):
        self.lines = []

    async def set_lines(self, *, dtr=None, rts=None):
        self.lines.append((dtr, rts))


def built(section):
    text = f"{METER}[meters.house.power_cycle]\n{section}" if section else METER
    return power_cycle_for(parse(text, Path("x")).meters["house"].power_cycle)


def test_without_the_section_nothing_is_switched():
    assert built("") is None


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    ("line", "switched"), [("dtr", [(False, None), (True, None)]), ("rts", [(None, False), (None, True)])]
)
async def test_a_line_goes_off_and_on(line, switched):
    port = Port()
    await built(f'kind = "{line}"\noff_seconds = 2').run(port)
    assert port.lines == switched


def test_a_gpio_line_is_taken_only_when_it_is_needed():
    assert isinstance(built('kind = "gpio"\nline = 17'), recovery.GpioPowerCycle)


async def test_a_command_is_run(tmp_path):
    await built(f'kind = "command"\ncommand = ["/usr/bin/touch", "{tmp_path}/done"]').run(Port())
    assert (tmp_path / "done").exists()
    with pytest.raises(TransportError, match="cannot be run"):
        await built('kind = "command"\ncommand = ["/nonexistent"]').run(Port())
