"""The board's schematic obeys the electrical rules, says what the data of the pins says, and its picture is that of the list of nets."""

import copy
import tomllib

import pytest

from nesmodule_build.schematic import PICTURE, SCHEMATIC, drawn, faults, from_data, parts_list, read


@pytest.fixture
def board():
    """Return a function that reads the board after a change of its data."""
    data = tomllib.loads(SCHEMATIC.read_text())

    def changed(change):
        mine = copy.deepcopy(data)
        change(mine)
        return from_data(mine)

    return changed


def test_the_board_obeys_all_rules():
    assert faults(read(SCHEMATIC)) == []


def test_the_picture_is_that_of_the_list():
    assert PICTURE.read_text() == drawn(read(SCHEMATIC)), "write it anew: make reference"


def both(data):
    data["parts"]["R3"]["fitted"] = True


def psram(data):
    data["parts"]["U1"]["psram"] = True


def flash_pin(data):
    data["parts"]["U1"]["pins"]["28"] = "GPIO9 out"


def jumper_at_12(data):
    data["parts"]["U1"]["pins"]["14"] = "GPIO12 in"
    data["nets"]["RX"].append("U1.14")


def no_pull_up(data):
    data["nets"]["3.3 V"].remove("R2.1")
    data["nets"]["BOOT 2"] = ["R2.1"]


def enable_pulled(data):
    data["nets"]["ENABLE IN"].append("C1.1")
    data["nets"]["C1+"].remove("C1.1")


def two_drivers(data):
    data["nets"]["RX"].append("U1.28")
    data["nets"]["TX"].remove("U1.28")


def no_supply(data):
    data["parts"]["R4"]["fitted"] = False


def twice(data):
    data["nets"]["TX"].append("R1.1")


def forgotten(data):
    data["nets"]["GND"].remove("U2.15")


def unknown(data):
    data["nets"]["GND"].append("U9.1")


def no_jumper(data):
    data["jumpers"] = {}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (both, "GPIO32 is shorted to a supply"), (psram, "GPIO16 is taken by PSRAM"), (flash_pin, "GPIO9 belongs to the chip's own flash"),
        (jumper_at_12, "GPIO12 decides how the chip starts"), (no_pull_up, "GPIO0 decides how the chip starts"),
        (enable_pulled, "GPIO5 decides how the chip starts"), (two_drivers, "RX has more than one driver: U2.9, U1.28"),
        (no_supply, "VCC has no driver for U2.16"), (twice, "R1.1 is in more than one net"), (forgotten, "U2.15 is not connected"),
        (unknown, "U9.1 is no pin"), (no_jumper, "3.3 V has no driver"),
    ],
)  # fmt: skip
def test_a_board_that_breaks_a_rule_is_told(board, change, said):
    assert any(said in fault for fault in faults(board(change)))


def test_the_schematic_has_the_pins_of_the_boards_data():
    of = read(SCHEMATIC)
    board = tomllib.loads((SCHEMATIC.parents[1] / "boards" / f"{of.data['board']}.toml").read_text())
    nets = {name: net for pin, net in of.net_of.items() if pin.startswith("U1.") for name in [of.pins[pin][0]]}
    wanted = {"rx": "RX", "tx": "TX", "enable": "ENABLE IN", "supply": "POWER", "reset_button": "BOOT"}
    assert {name: nets[f"GPIO{number}"] for name, number in board["pins"].items()} == wanted


def test_every_part_is_drawn_and_listed():
    of = read(SCHEMATIC)
    picture = drawn(of)
    assert len(parts_list(of)) == len(of.data["parts"])
    for name, value, _ in parts_list(of):
        assert f">{name} {value.removesuffix(', not fitted')}<" in picture
        assert f">{name}</tspan>" in picture
        assert f">{value}</tspan>" in picture
    for net in of.data["nets"]:
        assert picture.count(f">{net}<") == len(of.data["nets"][net])
