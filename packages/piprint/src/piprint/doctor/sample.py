"""Lets the helper process look at a PDF that is known to be good, the way it looks at every job's.

This module does not know what a job is.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from piprint.document import Inspector

__all__ = ["check_sample"]

_OBJECTS = (
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
)
"""An empty page of A4 (ISO 32000-1, 7.5)."""


def _pdf() -> bytes:
    text, places = b"%PDF-1.4\n", []
    for number, content in enumerate(_OBJECTS, 1):
        places.append(len(text))
        text += b"%d 0 obj%sendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(_OBJECTS) + 1
    return text + b"xref\n0 %d\n0000000000 65535 f \n%strailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (
        count,
        table,
        count,
        len(text),
    )


async def check_sample() -> str:
    """Have a PDF checked; return what to tell.

    Raises:
        DocumentError: the helper does not work.
    """
    inspector = Inspector(timeout=30)
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.pdf"
        await asyncio.to_thread(sample.write_bytes, _pdf())
        try:
            facts = await inspector.check(sample, limit_bytes=1_000_000)
        finally:
            await inspector.close()
    return f"the helper process reads a PDF ({facts.pages} page)"
