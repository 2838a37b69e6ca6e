"""Cuts the power at every write and erase of a flash chip while something is done, starts again, and prints what is there.

The chip is a block device in memory with littlefs on it. At the cut only half of the block is written. A JSON line comes in, one goes out.
"""

import json
import sys

import vfs

from nesmodule.board.settings import Settings
from nesmodule.updates.package import Package, PackageRefused
from nesmodule.updates.slots import Slots

SIZE = 4096


class Cut(Exception):
    pass


class Chip:
    def __init__(self, blocks):
        self.blocks = blocks
        self.data = bytearray(b"\xff" * (SIZE * blocks))
        self.done = 0
        self.left = -1

    def change(self, at, data):
        self.done += 1
        if self.left == 0:
            half = len(data) // 2
            self.data[at : at + half] = data[:half]
            raise Cut
        self.left -= 1
        self.data[at : at + len(data)] = data

    def readblocks(self, number, into, offset=0):
        at = number * SIZE + offset
        into[:] = self.data[at : at + len(into)]

    def writeblocks(self, number, data, offset=None):
        if offset is None:
            self.ioctl(6, number)
        self.change(number * SIZE + (offset or 0), bytes(data))

    def ioctl(self, what, number):
        if what == 4:
            return self.blocks
        if what == 5:
            return SIZE
        if what == 6:
            self.change(number * SIZE, b"\xff" * SIZE)
        return 0


def fresh(given):
    chip = Chip(given["blocks"])
    vfs.VfsLfs2.mkfs(chip)
    files = vfs.VfsLfs2(chip)
    write_slot(files, "a", given["old"])
    Settings(files).change(given["before"])
    chip.done = 0
    return chip


def write_slot(files, slot, names):
    files.mkdir(slot)
    for name, text in names:
        at = name.find("/")
        if at > 0:
            files.mkdir(slot + "/" + name[:at])
        with files.open(slot + "/" + name, "wb") as file:
            file.write(bytes.fromhex(text))


def update(files, given):
    package = Package(files, Slots(files), bytes.fromhex(given["modulus"]), older=bool(given.get("older")))
    data = bytes.fromhex(given["package"])
    try:
        for at in range(0, len(data), 700):
            package.take(data[at : at + 700])
        package.finish()
    finally:
        package.close()


def starts(files, works):
    """Start some times; return the slots that ran and what they held."""
    ran = []
    for _ in range(6):
        slots = Slots(files())
        slot = slots.choose()
        ran.append(
            slot if slot == "safe" else slot + str(slots.number(slot)) + ("" if slots.complete(slot) else " incomplete")
        )
        if works and slot != "safe":
            slots.confirm(slot)
    return " ".join(ran)


def story(chip, given):
    """Do what is asked for, then start as often as it takes."""
    if given["what"] == "settings":
        Settings(vfs.VfsLfs2(chip)).change(given["after"])
        return ""
    update(vfs.VfsLfs2(chip), given)
    return starts(lambda: vfs.VfsLfs2(chip), given["works"])


def left(chip, given):
    """Return what a start after the cut finds."""
    if given["what"] == "settings":
        return json.dumps(sorted(Settings(vfs.VfsLfs2(chip)).values.items()))
    return starts(lambda: vfs.VfsLfs2(chip), given["works"])


def cuts(given):
    chip = fresh(given)
    whole = story(chip, given)
    found = {}
    for at in range(chip.done + 1):
        cut = fresh(given)
        cut.left = at
        try:  # noqa: SIM105 - MicroPython has no contextlib
            story(cut, given)
        except (Cut, OSError):
            pass
        cut.left = -1
        seen = left(cut, given)
        found[seen] = found.get(seen, 0) + 1
    return {"operations": chip.done, "whole": whole, "left": found}


def refusal(given):
    chip = fresh(given)
    files = vfs.VfsLfs2(chip)
    said = ""
    try:
        update(files, given)
    except PackageRefused as error:
        said = str(error)
    except OSError:
        said = "OSError"
    return {"said": said, "written": chip.done, "starts": starts(lambda: files, True)}


def full(given):
    chip = fresh(given)
    files = vfs.VfsLfs2(chip)
    try:
        for number in range(given["blocks"]):
            with files.open("filler" + str(number), "wb") as file:
                file.write(bytes(SIZE))
    except OSError:
        pass
    said = ""
    try:
        Settings(files).change({"name": "x" * 30000})
    except OSError:
        said = "full"
    return {"said": said, "values": sorted(Settings(vfs.VfsLfs2(chip)).values.items())}


for line in sys.stdin:
    if line.strip():
        given = json.loads(line)
        print(json.dumps({"cuts": cuts, "refusal": refusal, "full": full}[given["do"]](given)))
