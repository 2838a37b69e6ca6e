"""Reads labels as a label printer does, by the words of the programming guide; written apart from the encoder."""

from __future__ import annotations

import re

from piprint.documents.inspect import Bitmap


def read_graphic_field(text: str) -> Bitmap:
    """Read ``^GFA``."""
    match = re.fullmatch(r"\^GFA,(\d+),(\d+),(\d+),(.*)", text)
    assert match is not None
    sent, total, row_bytes = (int(match[place]) for place in (1, 2, 3))
    assert sent == total
    rows: list[str] = []
    row, count = "", 0
    for sign in match[4]:
        if sign in "0123456789ABCDEF":
            row += sign * (count or 1)
            count = 0
        elif "G" <= sign <= "Y":
            count += ord(sign) - ord("F")
        elif "g" <= sign <= "z":
            count += (ord(sign) - ord("f")) * 20
        elif sign in ",!":
            row = row.ljust(row_bytes * 2, "0" if sign == "," else "F")
        else:
            assert sign == ":"
            assert row == ""
            row = rows[-1]
        assert len(row) <= row_bytes * 2
        if len(row) == row_bytes * 2 and not count:
            rows.append(row)
            row = ""
    assert row == ""
    data = bytes.fromhex("".join(rows))
    assert len(data) == total
    return Bitmap(row_bytes * 8, len(rows), data)
