"""Draw the terminal pictures in docs/images: the osgp command as it runs, on a simulated meter.

Each picture is a real run in tmux, whose screen is captured with its colours and written as SVG: text that stays
sharp and can be searched. The house lives through a June afternoon, sixty times faster than we do. What the meter has kept is
shown of another house, to which something happened in the weeks before, and behind whose meter are three M-Bus devices.
"""

from __future__ import annotations

import argparse
import asyncio
import html
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from zoneinfo import ZoneInfo

from osgp.simulator import DEMO_KEY_TEXT, History, House, SimulatedMeter
from osgp.simulator.history.happenings import (
    ClockSet,
    CoverOpened,
    MbusBatteryLow,
    NeutralLost,
    PhaseLost,
    PowerCut,
    VoltageChange,
)

ROOT = Path(__file__).resolve().parents[1]
IMAGES = ROOT / "docs" / "images"
_ZONE = "Europe/Copenhagen"


def _local(month: int, day: int, hour: int, minute: int) -> int:
    return int(datetime(2026, month, day, hour, minute, tzinfo=ZoneInfo(_ZONE)).timestamp())


_STARTS = _local(6, 20, 16, 40)
_HAPPENED = (
    PowerCut(_local(5, 28, 3, 12), 47 * 60),
    VoltageChange(_local(6, 2, 18, 5), 180, 2, 82),
    CoverOpened(_local(6, 9, 10, 31)),
    ClockSet(_local(6, 9, 10, 40), 4),
    PhaseLost(_local(6, 14, 7, 50), 20 * 60, 3),
    NeutralLost(_local(6, 17, 21, 15), 90),
    PowerCut(_local(6, 19, 13, 40), 95 * 60),
    MbusBatteryLow(_local(6, 18, 6, 0), "water"),
)
_FASTER = 60


@dataclass(frozen=True)
class Picture:
    """One picture: what is typed, when the screen is captured, and how large it is."""

    file: str
    typed: str
    wait: str
    """Text that must be on the screen first."""
    then: float
    """Seconds to wait after that."""
    columns: int
    lines: int
    eventful: bool = False
    """Of the house to which something happened."""


PICTURES = (
    Picture("osgp-watch.svg", "osgp watch --every 1", "Link:", 75.0, 84, 26),
    Picture("osgp-tables.svg", "osgp tables BT52 BT55 BT22", "Error counter", 0.5, 92, 34),
    Picture(
        "osgp-dump.svg", "timeout -s INT 4 osgp dump house.json; osgp dump house.json", "Going on with", 2.4, 84, 4
    ),
    Picture(
        "osgp-profile.svg", "osgp profile --since 2026-06-16 --format plot --burst", "this computer", 0.5, 100, 15, True
    ),
    Picture("osgp-events.svg", "osgp events --last 12", "power down", 2.0, 84, 16, True),
    Picture("osgp-outages.svg", f"osgp outages --zone {_ZONE} --last 6", "2026", 2.0, 100, 10, True),
    Picture("osgp-quality.svg", "osgp quality", "statistics", 1.0, 134, 12, True),
    Picture("osgp-tariffs.svg", "osgp tariffs", "Next", 1.0, 76, 8, True),
    Picture("osgp-mbus.svg", "osgp mbus", "water", 2.0, 84, 26, True),
)


class _Terminal:
    """A tmux session of its own, apart from any that the user has."""

    def __init__(self, picture: Picture, folder: Path, url: str) -> None:
        self._picture = picture
        self._socket = f"pictures-{os.getpid()}"
        self._environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TZ": _ZONE,
            "OSGP_PORT": url,
            "OSGP_KEY": DEMO_KEY_TEXT,
        }
        self._folder = folder

    async def __aenter__(self) -> Self:
        size = ("-x", str(self._picture.columns), "-y", str(self._picture.lines))
        # What was typed stands above the picture; the screen itself belongs to the command.
        command = f"sh -c '{self._picture.typed}; sleep 600'"
        await self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(self._folder), command)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._tmux("kill-server")

    async def screen(self) -> str:
        return await self._tmux("capture-pane", "-e", "-p")

    async def _tmux(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            "tmux", "-L", self._socket, *words, env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        out, _ = await process.communicate()
        return out.decode()


async def _take(picture: Picture, url: str, folder: Path) -> str:
    async with _Terminal(picture, folder, url) as terminal:
        until = time.monotonic() + 60
        while picture.wait not in (screen := await terminal.screen()):
            if time.monotonic() > until:
                sys.exit(f"{picture.file}: '{picture.wait}' never came:\n{screen}")
            await asyncio.sleep(0.05)
        await asyncio.sleep(picture.then)
        return await terminal.screen() if picture.then else screen


_SGR = re.compile(r"\x1b\[([0-9;]*)m")
_CLASSES = {"1": "b", "2": "d", "31": "r", "32": "g", "33": "y", "36": "c"}
_OFF = {"": "", "0": "", "22": "bd", "39": "rgyc"}
_WIDTH, _HEIGHT, _MARGIN, _BAR = 8.4, 18, 16, 30
_STYLE = """
text { font: 14px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #d8dee9; white-space: pre }
.b { font-weight: bold; fill: #ffffff } .d { fill: #7b8794 } .r { fill: #ff7b72 } .g { fill: #7ee787 }
.y { fill: #ffb454 } .c { fill: #79c0ff } .t { fill: #9aa4b2; font-size: 12px }
""".strip()


def _runs(screen: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield row, column, text and CSS classes of each stretch in one colour; colours go on from line to line."""
    styles = set[str]()
    for row, line in enumerate(screen.rstrip("\n").split("\n")):
        column = 0
        for number, piece in enumerate(_SGR.split(line)):
            if number % 2:
                for code in piece.split(";"):
                    if code in _OFF:
                        styles = {style for style in styles if _OFF[code] and style not in _OFF[code]}
                    elif code in _CLASSES:
                        styles.add(_CLASSES[code])
                continue
            if piece.strip():
                blank = len(piece) - len(piece.lstrip())
                yield row, column + blank, piece.strip(), " ".join(sorted(styles))
            column += len(piece)


def svg(screen: str, picture: Picture) -> str:
    """Return a screen as SVG; each stretch of text is given its width, so that columns stay columns in any font."""
    rows = screen.rstrip("\n").count("\n") + 1
    width = round(picture.columns * _WIDTH + 2 * _MARGIN)
    height = _BAR + rows * _HEIGHT + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}">',
        f"<style>{_STYLE}</style>",
        f'<rect width="{width}" height="{height}" rx="8" fill="#10151c"/>',
        f'<text class="t" x="{_MARGIN}" y="20">$ {html.escape(picture.typed)}</text>',
        f'<line x1="0" y1="{_BAR}" x2="{width}" y2="{_BAR}" stroke="#2a3340"/>',
    ]
    for row, column, text, styles in _runs(screen):
        x, y = round(_MARGIN + column * _WIDTH, 1), _BAR + (row + 1) * _HEIGHT
        look = f' class="{styles}"' if styles else ""
        length = f'textLength="{round(len(text) * _WIDTH, 1)}" lengthAdjust="spacingAndGlyphs"'
        parts.append(f'<text x="{x}" y="{y}"{look} {length}>{html.escape(text)}</text>')
    return "\n".join([*parts, "</svg>", ""])


async def draw(folder: Path, wanted: str) -> None:
    """Draw the pictures whose file name contains ``wanted``."""
    if shutil.which("tmux") is None:
        sys.exit("tmux is not installed: sudo apt install tmux")
    began = time.time()
    house = await asyncio.to_thread(House)
    other = await asyncio.to_thread(House, 3, history=History(_HAPPENED, devices=("gas", "water", "heat")))
    meter = SimulatedMeter(house, baud=9600, clock=lambda: _STARTS + _FASTER * (time.time() - began))
    eventful = SimulatedMeter(other, baud=9600, clock=lambda: _STARTS + time.time() - began)
    async with meter, eventful:
        # Months of the grid's frequency take longer, the first time, than a command waits.
        await asyncio.to_thread(eventful.read, "ET09")
        urls = {False: await meter.serve_tcp(), True: await eventful.serve_tcp()}
        for picture in PICTURES:
            if wanted in picture.file:
                with tempfile.TemporaryDirectory() as scratch:
                    screen = await _take(picture, urls[picture.eventful], Path(scratch))
                (folder / picture.file).write_text(svg(screen, picture), encoding="utf-8")
                print(f"  {picture.file}")


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("wanted", nargs="?", default="", help="part of a file name; all pictures without it")
    parser.add_argument("--folder", type=Path, default=IMAGES)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(draw(arguments.folder, arguments.wanted))


if __name__ == "__main__":
    main()
