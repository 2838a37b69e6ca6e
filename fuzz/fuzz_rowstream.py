"""Any bytes in any chunks are the row and the document that json and base64 make of them at once, or BcUnreachable or DocumentError.

python fuzz/fuzz_rowstream.py -max_total_time=600
"""

from __future__ import annotations

import binascii
import gc
import json
import sys
from types import FunctionType
from typing import Any

from piprint.bc.dialects.rowstream import MOST_REST, RowReader
from piprint.errors import BcUnreachable, DocumentError

_MEMBER = "PDFPrintJobBASE64"
_MOST = 100
_PIECES = (
    b'{"PDFPrintJobBASE64":"',
    b'"PDFPrintJobBASE64"',
    b'"\\u0050DFPrintJobBASE64":',
    b'{"RowNo":7,',
    b'"a":',
    b"null",
    b"[",
    b"]",
    b"{",
    b"}",
    b",",
    b":",
    b'"',
    b"\\",
    b"\\u002B",
    b"\\u00",
    b"\\/",
    b"\\r\\n",
    b'\\"',
    b"JVBERi0=",
    b"QUJD",
    b"QQ==",
    b"=",
    b" ",
    b"\xef\xbb\xbf",
    b"\xc3\xb8",
)


def _text(data: bytes) -> bytes:
    """Make bytes that often look like a row: a low byte stands for a piece of one."""
    return b"".join(_PIECES[byte] if byte < len(_PIECES) else bytes([byte]) for byte in data)


def _at_once(text: bytes) -> dict[str, Any] | None:
    try:
        row = json.loads(text.removeprefix(b"\xef\xbb\xbf").decode())
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _document(row: dict[str, Any]) -> bytes | None:
    """Return the document of a row; None when it is no base64 or too large."""
    plain = "".join(character for character in row[_MEMBER] if character not in " \r\n\t")
    try:
        document = binascii.a2b_base64(plain.encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return document if len(document) <= _MOST else None


def _read(text: bytes, size: int) -> tuple[dict[str, Any], bytes | None]:
    document = bytearray()
    reader = RowReader(_MEMBER, document.extend, most=_MOST)
    for start in range(0, len(text), size):
        reader.feed(text[start : start + size])
    row = reader.finish()
    assert reader.size in {None, len(document)}
    return row, None if reader.size is None else bytes(document)


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but the two errors, if the invariant does not hold for ``data``."""
    size, text = (data[0] % 40 + 1 if data else 1), _text(data[1:])
    row = _at_once(text)
    try:
        told, document = _read(text, size)
    except BcUnreachable:
        names = (
            json.loads(text.removeprefix(b"\xef\xbb\xbf").decode(), object_pairs_hook=list) if row is not None else []
        )
        twice = sum(name == _MEMBER for name, _ in names) > 1
        assert row is None or twice or len(text) > MOST_REST
        return
    except DocumentError:
        assert row is None or not isinstance(row.get(_MEMBER), str) or _document(row) is None
        return
    assert row is not None
    if document is not None:
        assert document == _document(row)
        row[_MEMBER] = ""
    assert json.dumps(told) == json.dumps(row)  # NaN is not equal to itself


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # type: ignore[import-untyped]  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("piprint"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
