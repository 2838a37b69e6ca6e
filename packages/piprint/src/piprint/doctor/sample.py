"""Lets the helper process look at a PDF that is known to be good, the way it looks at every job's.

This module does not know what a job is.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

from piprint.documents.inspect import Inspector
from piprint.documents.pdf_file import pdf_file

__all__ = ["check_sample"]

_PDF = pdf_file(
    b"<</Type/Catalog/Pages 2 0 R>>",
    b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>",
)
"""An empty page of A4."""


async def check_sample() -> str:
    """Have a PDF checked; return what to tell.

    Raises:
        DocumentError: the helper does not work.
    """
    inspector = Inspector(timeout=30)
    with tempfile.TemporaryDirectory() as folder:
        sample = Path(folder) / "sample.pdf"
        await asyncio.to_thread(sample.write_bytes, _PDF)
        try:
            facts = await inspector.check(sample, limit_bytes=1_000_000)
        finally:
            await inspector.close()
    return f"the helper process reads a PDF ({facts.pages} page)"
