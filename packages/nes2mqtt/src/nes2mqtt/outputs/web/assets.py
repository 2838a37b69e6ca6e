"""The page's own files, read once and kept compressed, as nearly every browser gets them; scripts without their comments.

Only files that were in the folder when the program started can be served, so there is
no path to escape from. This module does not know what is in them.
"""

from __future__ import annotations

import hashlib
import json
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from servicekit.page import STATIC

__all__ = ["WORKER", "Asset", "load", "worker"]

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


WORKER = "install/worker.js"
"""What opens the page where the gateway does not answer; served beside the page, for a worker is for what is below it."""
_SHELL_MARK = b'{ version: "", files: [] }'
"""Where the worker takes what it keeps."""
_NOT_KEPT = ("login.", "install/icon-", WORKER)
"""Parts of the names of files that the open page does not load."""
_COMMENT = re.compile(rb"^[ \t]*(?://.*|/\*\*(?s:.*?)\*/[ \t]*)$", re.MULTILINE)
"""Comments that have lines of their own, in a script: a fifth of what goes over the wire, and of no use there."""
_GZIP = 16 + zlib.MAX_WBITS
"""Compressed with the head and the sum of a gzip file (the module zlib, ``compressobj``); no time in it."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file."""

    compressed: bytes
    media_type: str
    etag: str

    @classmethod
    def of(cls, content: bytes, media_type: str) -> Self:
        """Make one of its content."""
        etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        return cls(zlib.compress(content, 9, wbits=_GZIP), media_type, etag)

    @property
    def content(self) -> bytes:
        """Return what stands in the file, unpacked each time."""
        return zlib.decompress(self.compressed, wbits=_GZIP)


@cache
def load(folder: Path = Path(__file__).parent / "static") -> Mapping[str, Asset]:
    """Read the folder, and what the pages of all services share; keys are paths such as ``vendor/uPlot.min.js``."""
    assets = {}
    for place in (STATIC, folder):
        for path in sorted(place.rglob("*")):
            media_type = _TYPES.get(path.suffix)
            if media_type is not None and path.is_file():
                content = path.read_bytes()
                if path.suffix == ".js":
                    content = _COMMENT.sub(_empty_lines, content)
                assets[path.relative_to(place).as_posix()] = Asset.of(content, media_type)
    return assets


def _empty_lines(comment: re.Match[bytes]) -> bytes:
    """Return the lines of a comment without what they say: the numbers of all lines stay, for who reads of a mistake."""
    return b"\n" * comment[0].count(b"\n")


def worker(files: Mapping[str, Asset]) -> Asset:
    """Return the worker with the names of the page's files, and what they all are together: another page, another worker."""
    kept = [path for path in files if path != "index.html" and not any(part in path for part in _NOT_KEPT)]
    version = hashlib.sha256("".join(asset.etag for asset in files.values()).encode()).hexdigest()[:20]
    shell = json.dumps({"version": version, "files": [f"static/{path}" for path in kept]}).encode()
    script = files[WORKER]
    return Asset.of(script.content.replace(_SHELL_MARK, shell), script.media_type)
