"""What may be wrong with a job's document in Business Central, in words for people; both dialects say it so.

This module does not know how documents are read.
"""

from __future__ import annotations

from piprint.errors import DocumentError

__all__ = ["absent", "too_large"]


def absent(row_no: int) -> DocumentError:
    """Return the error of a job that has no document, or an empty one."""
    return DocumentError(f"Business Central has no document for job {row_no}. Print it again there.")


def too_large(most: int) -> DocumentError:
    """Return the error of a document that has more than ``most`` bytes."""
    return DocumentError(
        f"The document is larger than {most // 1_000_000} MB. Print it in parts, or raise limits.document_mb."
    )
