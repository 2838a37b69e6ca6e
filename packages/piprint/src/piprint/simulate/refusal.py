"""How Business Central says no: an error code, its HTTP status and a message.

Codes and wordings follow Microsoft's "Troubleshooting REST API/OData calls" (``webservices/dynamics-error-codes``), read
in August 2026; where it names no status, the one that servers of version 24 to 28 answer with.

This module does not know why a request is refused.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from piprint.errors import PiprintError

__all__ = ["STATUS", "Refusal"]

STATUS: Mapping[str, int] = {
    "Application_DialogException": 400,
    "Application_FieldValidationException": 400,
    "Application_FilterErrorException": 400,
    "Application_StringExceededLength": 400,
    "Authentication_InvalidCredentials": 401,
    "Authorization_RequestDenied": 403,
    "BadRequest": 400,
    "BadRequest_InvalidOperation": 400,
    "BadRequest_InvalidRequestUrl": 400,
    "BadRequest_InvalidToken": 400,
    "BadRequest_MethodNotAllowed": 405,
    "BadRequest_MethodNotImplemented": 501,
    "BadRequest_NotFound": 404,
    "BadRequest_ResourceNotFound": 404,
    "Internal_CompanyNotFound": 404,
    "Internal_EntityWithSameKeyExists": 400,
    "Internal_RecordNotFound": 404,
    "Request_EntityChanged": 409,
    "Unknown": 500,
}
"""The status each code comes with."""


class Refusal(PiprintError):
    """A request is refused.

    Args:
        code: ``error.code`` of the answer; its status is in :data:`STATUS`.
        message: ``error.message``; a correlation id is put behind it.
        status: another status than the table's.
        headers: more headers of the answer, such as ``Retry-After``.
    """

    def __init__(
        self, code: str, message: str, *, status: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = STATUS.get(code, 400) if status is None else status
        self.headers = dict(headers or {})

    def body(self) -> dict[str, dict[str, str]]:
        """Return the answer's JSON, with a new correlation id."""
        return {"error": {"code": self.code, "message": f"{self}  CorrelationId:  {uuid.uuid4()}."}}
