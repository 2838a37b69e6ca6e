"""Changes single tokens of AL files (deleted, repeated, swapped with the next) and counts how many the gate notices.

Run inside the environment of the gate: ``python mutate.py FOLDER NUMBER SEED``; prints ``{"tried", "noticed", "missed"}``.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from al_check.__main__ import findings
from al_check.model import App
from al_check.tree import parse, walk


def tokens(app: App) -> list[tuple[str, list[tuple[int, int]]]]:
    """Return the places of all tokens, by file."""
    found = []
    for source in app.sources:
        leaves = [each for each in walk(source.root) if not each.children and "comment" not in each.type]
        found.append(
            (source.name, [(each.start_byte, each.end_byte) for each in leaves if each.end_byte > each.start_byte])
        )
    return found


def change(content: bytes, places: list[tuple[int, int]], choice: random.Random) -> tuple[bytes, str]:
    """Change one token; return the new content and what was done."""
    index = choice.randrange(len(places) - 1)
    (start, end), (after, last) = places[index], places[index + 1]
    token, other = content[start:end], content[after:last]
    where = f"line {content[:start].count(10) + 1}: "
    match choice.choice(("delete", "repeat", "swap")):
        case "delete":
            return content[:start] + content[end:], f"{where}delete {token.decode()!r}"
        case "repeat":
            return content[:end] + b" " + token + content[end:], f"{where}repeat {token.decode()!r}"
        case _:
            swapped = content[:start] + other + content[end:after] + token + content[last:]
            return swapped, f"{where}swap {token.decode()!r} and {other.decode()!r}"


def main() -> None:
    folder, number, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    choice = random.Random(seed)
    files = tokens(App.read(folder))
    weights = [len(places) for _, places in files]
    missed, tried = [], 0
    while tried < number:
        name, places = choice.choices(files, weights)[0]
        before = (folder / name).read_bytes()
        after, what = change(before, places, choice)
        if after.split() == before.split():
            continue
        tried += 1
        changed = {name: after}
        broken = any(parse(folder, folder / name, changed).syntax())
        if not broken and not findings(App.read(folder, changed)):
            missed.append(f"{name}, {what}")
    sys.stdout.write(json.dumps({"tried": tried, "noticed": tried - len(missed), "missed": missed}))


if __name__ == "__main__":
    main()
