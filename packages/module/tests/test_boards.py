"""The boards' pins are those their sources name, and none that keeps a chip from starting."""

import re
import tomllib
from pathlib import Path

import pytest

from nesmodule.board.form import BOARDS as KNOWN
from nesmodule.board.form import FormRefused, taken

ROOT = Path(__file__).resolve().parents[3]
BOARDS = sorted((ROOT / "packages/module/boards").glob("*.toml"))
USABLE = {"esp32": {*range(34)} - {0, 1, 3, *range(6, 12), 12}, "esp32c3": {*range(22)} - {9, *range(11, 18), 18, 19}}
"""Of each chip the pins that are free: not the flash's, the console's, nor such that a level at reset keeps it from starting
(GPIO0 begins programming, GPIO12 chooses the flash's voltage; on the C3 GPIO9)."""
PINS = {"rx", "tx", "enable", "supply", "led", "reset_button"}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_names_its_source_and_usable_pins(path):
    board = tomllib.loads(path.read_text())
    assert board.keys() == {"name", "chip", "source", "pins", "notes"}
    pins = board["pins"]
    assert {"rx", "tx", "enable"} <= pins.keys() <= PINS
    assert len({*pins.values()}) == len(pins)
    # What only is read, and only after the start, may be the pin that begins programming.
    assert {pin for name, pin in pins.items() if name != "reset_button"} <= USABLE[board["chip"]]
    assert pins.get("reset_button", 0) in USABLE[board["chip"]] | {0}
    assert board["source"]
    assert "supply" in board["notes"]


def test_the_page_shows_every_board_with_its_pins():
    text = (ROOT / "docs/module.md").read_text()
    rows = {
        cells[0].strip(): cells[1:]
        for cells in (line.strip("|").split("|") for line in text.splitlines() if "GPIO" in line)
    }
    for path in BOARDS:
        board = tomllib.loads(path.read_text())
        shown = [int(number) for cell in rows[board["name"]][:4] for number in re.findall(r"GPIO(\d+)", cell)]
        assert shown == [board["pins"][name] for name in ("rx", "tx", "enable", "supply") if name in board["pins"]]


def test_the_forms_take_and_name_every_board_and_no_other():
    names = [path.stem for path in BOARDS]
    assert sorted(KNOWN) == sorted(names)
    page = (ROOT / "packages/module/src/nesmodule/setup/setup.html").read_text()
    # One that is set and not in the list is none that was chosen: the browser asks for another.
    assert "<select name=board required>" in page
    assert sorted(re.findall(r"<option value=([a-z][^>]*)>", page)) == sorted(names)
    texts = re.findall(
        r'[,{]board:\["[^"]*","([^;]*);', (ROOT / "packages/module/src/nesmodule/outputs/settings.html").read_text()
    )
    assert [sorted(text.split(", ")) for text in texts] == [sorted(names)] * 3
    for name in names:
        assert taken(f"board={name}".encode()) == {"board": name}
    with pytest.raises(FormRefused, match=r"^board$"):
        taken(b"board=dabbler")
