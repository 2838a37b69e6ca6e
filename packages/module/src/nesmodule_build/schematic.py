"""The schematic of a board from a list of its nets: checked by electrical rules, and drawn as SVG with its parts list.

Parts are boxes; what has the same net's name is connected. ``make reference`` writes it anew.

This module does not know the module's program.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

__all__ = ["PICTURE", "SCHEMATIC", "Schematic", "drawn", "faults", "from_data", "parts_list", "read"]

_MODULE = Path(__file__).resolve().parents[2]
SCHEMATIC = _MODULE / "schematics/dabblerdk.toml"
PICTURE = _MODULE.parents[1] / "docs/images/module-dabblerdk.svg"
_TWO_ENDS = {"1": "1 passive", "2": "2 passive"}
"""The pins of a part that lists none: resistor, capacitor, diode."""
_FLASH_PINS = range(6, 12)
"""GPIOs of an ESP32-WROOM that its own flash is at."""
_STRAPPING = {"GPIO0": "pull-up", "GPIO5": "out", "GPIO2": "", "GPIO12": "", "GPIO15": ""}
"""GPIOs whose level at reset decides how the chip starts, and what may be at them; nothing at GPIO12, which must be low."""
_DRIVERS = ("out", "supply")
_ROW, _BOX, _LABEL = 20, 150, 105


@dataclass(frozen=True, slots=True)
class Schematic:
    """Parts, and by ``PART.PIN`` the name, kind and net of each pin."""

    data: dict[str, Any]
    pins: dict[str, tuple[str, str]]
    net_of: dict[str, str]

    def passive(self, part: str) -> bool:
        """Tell whether a part joins two nets without driving either."""
        return "pins" not in self.data["parts"][part] and not part.startswith("C")


def read(path: Path) -> Schematic:
    """Read the list of a board's nets."""
    return from_data(tomllib.loads(path.read_text()))


def from_data(data: dict[str, Any]) -> Schematic:
    """Return the list of a board's nets from what stands in its file."""
    pins = {
        f"{name}.{number}": (text.rpartition(" ")[0], text.rpartition(" ")[2])
        for name, part in data["parts"].items()
        for number, text in part.get("pins", _TWO_ENDS).items()
    }
    return Schematic(data, pins, {pin: net for net, found in data["nets"].items() for pin in found})


def faults(of: Schematic) -> list[str]:
    """Return what the electrical rules say against it; empty: nothing."""
    nets: dict[str, list[str]] = of.data["nets"]
    listed = [pin for found in nets.values() for pin in found]
    found = [f"{pin} is in more than one net" for pin in sorted({pin for pin in listed if listed.count(pin) > 1})]
    found += [f"{pin} is no pin" for pin in listed if pin not in of.pins]
    found += [f"{pin} is not connected" for pin, (_, kind) in of.pins.items() if (pin in of.net_of) == (kind == "none")]
    if found:
        return found
    for net, pins in nets.items():
        drivers = [pin for pin in pins if of.pins[pin][1] in _DRIVERS]
        if len(drivers) > 1:
            found.append(f"{net} has more than one driver: {', '.join(drivers)}")
        takers = [pin for pin in pins if of.pins[pin][1] in ("in", "power")]
        if takers and not _driven(of, net, set()):
            found.append(f"{net} has no driver for {', '.join(takers)}")
    return found + _chip_faults(of)


def _driven(of: Schematic, net: str, seen: set[str]) -> bool:
    """Tell whether something drives a net, perhaps through resistors, diodes or a jumper."""
    seen.add(net)
    for pin in of.data["nets"][net]:
        if of.pins[pin][1] in _DRIVERS:
            return True
        part = pin.partition(".")[0]
        if not of.data["parts"][part].get("fitted", True):
            continue
        ends = [f"{part}.{end}" for end in ("1", "2")] if of.passive(part) else of.data["jumpers"].get(pin, [])
        if any(of.net_of[end] not in seen and _driven(of, of.net_of[end], seen) for end in ends):
            return True
    return False


def _chip_faults(of: Schematic) -> list[str]:
    """Return what is wrong at the ESP32's pins and at the supply of the level shifter."""
    found: list[str] = []
    parts = of.data["parts"]
    for pin, (name, _) in of.pins.items():
        part = pin.partition(".")[0]
        if not name.startswith("GPIO") or not parts[part]["value"].startswith("ESP32-WROOM"):
            continue
        if int(name[4:]) in _FLASH_PINS:
            found.append(f"{name} belongs to the chip's own flash")
        if name in ("GPIO16", "GPIO17") and parts[part].get("psram", True):
            found.append(f"{name} is taken by PSRAM")
        if name in _STRAPPING and not _strapped(of, pin, _STRAPPING[name]):
            found.append(f"{name} decides how the chip starts, and its level at reset is not sure")
    return found + _shorts(of)


def _shorts(of: Schematic) -> list[str]:
    """Return which fitted parts of 0 Ohm join an output of the chip with a supply."""
    zero = [name for name, part in of.data["parts"].items() if part["value"] == "0 Ohm" and part.get("fitted", True)]
    found = []
    for pin, (name, kind) in of.pins.items():
        if kind != "out":
            continue
        reached, grown = {of.net_of[pin]}, True
        while grown:
            ends = [{of.net_of[f"{part}.1"], of.net_of[f"{part}.2"]} for part in zero]
            more = set().union(reached, *(two for two in ends if two & reached))
            grown, reached = more != reached, more
        if reached & set(of.data["supplies"]):
            found.append(f"{name} is shorted to a supply")
    return found


def _strapped(of: Schematic, pin: str, wanted: str) -> bool:
    others = [other for other in of.data["nets"][of.net_of[pin]] if other != pin]
    if wanted == "out":
        return all(of.pins[other][1] == "in" for other in others)
    if wanted == "pull-up":
        return any(
            of.passive(other.partition(".")[0])
            and of.data["supplies"][0] in {of.net_of[f"{other.partition('.')[0]}.{end}"] for end in "12"}
            for other in others
        )
    return False


def parts_list(of: Schematic) -> list[tuple[str, str, str]]:
    """Return name, value and a word about each part."""
    return [
        (name, part["value"] + ("" if part.get("fitted", True) else ", not fitted"), part.get("note", ""))
        for name, part in of.data["parts"].items()
    ]


def drawn(of: Schematic) -> str:
    """Return it as SVG: boxes with a name at each pin, in columns; below them the parts with two ends, then the list."""
    large = [name for name, part in of.data["parts"].items() if "pins" in part]
    small = [name for name in of.data["parts"] if name not in large]
    pieces: list[str] = []
    tops = [20, 20, 20]
    for name in large:
        column = tops.index(min(tops))
        tops[column] += _box(of, name, 20 + column * (_BOX + 2 * _LABEL + 20), tops[column], pieces)
    y = max(tops) + 10
    for number, name in enumerate(small):
        _two_ends(of, name, 20 + number % 3 * (_BOX + 2 * _LABEL + 20), y + number // 3 * 34, pieces)
    y += (len(small) + 2) // 3 * 34 + 20
    for name, value, note in parts_list(of):
        pieces.append(f'<text x="20" y="{y}"><tspan font-weight="bold">{name}</tspan>'
                      f'<tspan x="70">{escape(value)}</tspan><tspan x="240">{escape(note)}</tspan></text>')  # fmt: skip
        y += 18
    width = 3 * (_BOX + 2 * _LABEL + 20) + 20
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y}" width="{width}" height="{y}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{width}" height="{y}" fill="#fff"/>\n' + "\n".join(pieces) + "\n</svg>\n"
    )


def _box(of: Schematic, name: str, x: int, y: int, pieces: list[str]) -> int:
    """Draw a part with many pins; return the height that it takes."""
    part = of.data["parts"][name]
    numbers = list(part["pins"])
    half = (len(numbers) + 1) // 2
    left, height = x + _LABEL, half * _ROW + 14
    pieces.append(f'<text x="{left}" y="{y + 10}" font-weight="bold">{name} {escape(part["value"])}</text>')
    y += 16
    pieces.append(f'<rect x="{left}" y="{y}" width="{_BOX}" height="{height}" fill="#f4f4f4" stroke="#000"/>')
    for place, number in enumerate(numbers):
        right = place >= half
        row = y + 20 + (place - half if right else place) * _ROW
        edge, way, anchor = (left + _BOX, 1, "end") if right else (left, -1, "start")
        pin = of.pins[f"{name}.{number}"][0]
        pieces.append(
            f'<text x="{edge - 5 * way}" y="{row}" text-anchor="{anchor}">{escape(f"{pin} {number}" if right else f"{number} {pin}")}</text>'
        )
        _net(of.net_of.get(f"{name}.{number}"), edge, row, way, pieces)
    return height + 40


def _two_ends(of: Schematic, name: str, x: int, y: int, pieces: list[str]) -> None:
    part = of.data["parts"][name]
    dashed = "" if part.get("fitted", True) else ' stroke-dasharray="4 3"'
    left = x + _LABEL
    pieces.append(f'<rect x="{left}" y="{y}" width="{_BOX}" height="24" fill="#f4f4f4" stroke="#000"{dashed}/>')
    pieces.append(
        f'<text x="{left + _BOX // 2}" y="{y + 17}" text-anchor="middle">{name} {escape(part["value"])}</text>'
    )
    _net(of.net_of[f"{name}.1"], left, y + 17, -1, pieces)
    _net(of.net_of[f"{name}.2"], left + _BOX, y + 17, 1, pieces)


def _net(net: str | None, x: int, y: int, way: int, pieces: list[str]) -> None:
    """Draw a line and the name of the net that it belongs to."""
    pieces.append(f'<path d="M{x} {y - 4}h{14 * way}" stroke="#000"/>')
    anchor = "start" if way > 0 else "end"
    text, colour = (net, "#05a") if net else ("x", "#888")
    pieces.append(f'<text x="{x + 17 * way}" y="{y}" text-anchor="{anchor}" fill="{colour}">{escape(text)}</text>')
