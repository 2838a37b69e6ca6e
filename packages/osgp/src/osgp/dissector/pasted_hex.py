"""Hex as people paste it: from a hex dump, a log, a C array, a CSV, our own trace.

This module does not know what the bytes mean.
"""

from __future__ import annotations

import ast
import re
from itertools import pairwise

from osgp.errors import MisuseError

__all__ = ["hex_bytes", "posted_bytes"]

_LONGEST = 1 << 22
"""Characters; a table has a megabyte at most, and no meter has one so long."""
_BETWEEN = re.compile(r"0[xX]|\\x|[\s,;:_|\-\[\]{}()\"'`\ufeff\u200b]+")
_HEX = re.compile(r"[0-9A-Fa-f]*")


def hex_bytes(text: str) -> bytes:
    r"""Return the bytes that a text of hex digits means.

    Blanks, line ends, commas, colons, dashes, brackets, quotes, ``0x`` and ``\x`` between the digits are
    passed over. Groups must have whole bytes, so that ``1 23`` is an error and not a guess.

    Raises:
        MisuseError: something else is among them, or half a byte; says where.
    """
    if len(text) > _LONGEST:
        raise MisuseError(f"more than {_LONGEST} characters of hex; no table is so long")
    found = bytearray()
    for group in _BETWEEN.split(text):
        wrong = _HEX.match(group)
        end = wrong.end() if wrong else 0
        if end < len(group):
            raise MisuseError(f"{group[end]!r} in '{group[:20]}' is no hex digit; paste bytes such as 5e b8 ec 03")
        if len(group) % 2:
            raise MisuseError(f"'{group[:20]}' has half a byte; write two hex digits for each, such as 05")
        found += bytes.fromhex(group)
    return bytes(found)


_DIGEST = "00" * 8
"""Stands for a digest that a trace has masked: it is not looked at, only its place counts."""
_MASKED = re.compile(r"\|\s*\*{8}\s*$")
_TRACED = re.compile(r"\s*\d+\.\d{3}\s+(?:->|<-)\s(.*)")
_LABEL = re.compile(
    r"\s*(?:\[?\d{1,2}:\d\d:\d\d(?:[.,]\d+)?\]?\s*(?=->|<-|>|<|\[|\]|rx|tx))?"
    r"(?:\[?\b(?:rx|tx|recv|received|send|sending|sent|request|response|reply|answer|mep|in|out)\b\]?)?"
    r"\s*(?:->|<-|>>|<<|[:=><])?\s*",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(r".*[g-wyz].*[:=>\])]\s*(?:(?:rx|tx)\b[:>]?\s*)?(?=[0-9A-Fa-f{\\\"'(\[])", re.IGNORECASE)
"""What a log writes before the bytes: words, and at their end a colon, an arrow or a bracket."""
_LONGEST_PREAMBLE = 200
"""Characters; more would take long to look through."""
_COUNT = re.compile(r"\s*\(\d+(?:\s*bytes?)?\)\s*$", re.IGNORECASE)
"""How many bytes that were, behind them."""
_LITERAL = re.compile(r"""\bb(['"])(?:\\.|(?!\1).)*\1""")
_DOTS = re.compile(r"(?<=[0-9A-Fa-f]{2})\.(?=[0-9A-Fa-f]{2})")
_COLUMNS = re.compile(r"\s*([0-9A-Fa-f]{4,8})(:|\s)\s*(\S.*)")
_PAIRS = re.compile(r"(?:[0-9A-Fa-f]{2}){1,4}")
_LAST_OFFSET = re.compile(r"\s*[0-9A-Fa-f]{4,8}\s*")
_ROW = 16
"""Bytes in a row of most hex dumps."""


def posted_bytes(text: str) -> bytes:
    """Return the bytes of what people post: hex of any kind, a hex dump with columns, a log, a trace of this program.

    Beside what :func:`hex_bytes` passes over, times, arrows and words such as ``RX:`` at the beginning of a line are
    passed over, the lines of a trace that only say what the next one means, and the columns of a hex dump.

    Raises:
        MisuseError: it is no hex; says where.
    """
    if len(text) > _LONGEST:
        raise MisuseError(f"more than {_LONGEST} characters of hex; no table is so long")
    lines = [line for line in text.splitlines() if line.strip()]
    dumped = _without_columns(lines)
    if dumped is not None:
        return hex_bytes(" ".join(dumped))
    kept = []
    for line in lines:
        traced = _TRACED.fullmatch(line)
        if traced and not _is_hex(traced[1]):
            continue
        bare = _MASKED.sub(_DIGEST, traced[1] if traced else _unlabelled(line))
        if bare.strip("* "):
            kept.append(bare)
    return hex_bytes("\n".join(kept))


def _is_hex(text: str) -> bool:
    return all(_HEX.fullmatch(group) for group in _BETWEEN.split(_MASKED.sub("", text)))


def _unlabelled(line: str) -> str:
    literal = _LITERAL.search(line)
    if literal:
        return _literal(literal[0])
    line = _COUNT.sub("", line)
    preamble = _PREAMBLE.match(line[:_LONGEST_PREAMBLE])
    line = line[preamble.end() :] if preamble else line
    label = _LABEL.match(line)
    return _DOTS.sub(" ", line[label.end() :] if label else line)


def _literal(text: str) -> str:
    """Return the hex of bytes as Python shows them, in which printable bytes stand as characters."""
    try:
        data = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
    return data.hex() if isinstance(data, bytes) else text


def _without_columns(lines: list[str]) -> list[str] | None:
    """Return the hex of a dump without its offsets and characters; None if these lines are no such dump.

    They are one if the offsets count the bytes of the lines between them.

    Raises:
        MisuseError: it is a dump of words in the byte order of the computer.
    """
    found = [_COLUMNS.fullmatch(line) for line in lines]
    rows = [(int(match[1], 16), match[2] == ":", match[3]) for match in found if match]
    ended = bool(lines) and _LAST_OFFSET.fullmatch(lines[-1]) is not None
    if not rows or len(rows) < len(lines) - ended:
        return None
    starts = [row[0] for row in rows] + ([int(lines[-1], 16)] if ended else [])
    counts: list[int | None] = [end - start for start, end in pairwise(starts)]
    counts += [None] * (len(rows) - len(counts))
    sure = counts[0] is not None or rows[0][1] or "|" in rows[0][2]
    if not sure or starts[0] % _ROW or not all(count is None or 0 < count <= 4 * _ROW for count in counts):
        return None
    taken = []
    for count, (_, colon, text) in zip(counts, rows, strict=True):
        groups = re.split(r"\||\s{2,}" if colon else r"\||\s{3,}", text, maxsplit=1)[0].split()
        pairs = "".join(groups)
        if (
            not groups
            or not all(_PAIRS.fullmatch(group) for group in groups)
            or (count is not None and len(pairs) != 2 * count)
        ):
            return None
        if not colon and max(map(len, groups)) > len("00"):
            raise MisuseError(
                "this is a hex dump of words, whose bytes stand in the order of that computer; make it of bytes, with "
                "hexdump -C or xxd"
            )
        taken.append(pairs)
    return taken
