"""Errors of the API in plain words, as ``application/problem+json`` (RFC 9457).

One place answers in plain text instead: the document of the ESP32 firmware (:data:`PLAIN_PATH`). Its Home Assistant
integration does not look at the status of a reply and takes any JSON for the meter's values.

This module does not know which errors there are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

__all__ = ["DESCRIPTIONS", "HANDLERS", "MEDIA_TYPE", "PLAIN_PATH", "Problem", "ProblemError", "problem_response"]

PLAIN_PATH = "/getDashDataWS"

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do next."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    type: str = "about:blank"
    title: str
    """What happened."""
    status: int
    detail: str
    """What to do next."""


class ProblemError(Exception):
    """Raised by an endpoint to answer with a problem."""

    def __init__(self, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers


def problem_response(
    path: str, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the reply for a problem of a request for ``path``."""
    more = dict(headers) if headers else None
    if path.rstrip("/").lower() == PLAIN_PATH.lower():
        return PlainTextResponse(f"{title}. {detail}".strip() + "\n", status, more)
    text = Problem(title=title, status=status, detail=detail).model_dump_json()
    return Response(text, status, more, MEDIA_TYPE)


DESCRIPTIONS: Mapping[int, str] = {
    400: "The request asks for too much or makes no sense",
    401: "Login needed",
    403: "The meter does not allow it",
    404: "There is no such meter or page",
    422: "A parameter is malformed",
    503: "Not available now",
}
"""What a problem of each HTTP status means, for OpenAPI."""


async def _problem(request: Request, error: ProblemError) -> Response:
    return problem_response(request.scope["path"], error.status, error.title, error.detail, error.headers)


async def _http(request: Request, error: HTTPException) -> Response:
    detail = "The list of pages is in /api/v1/openapi.json." if error.status_code == 404 else ""  # noqa: PLR2004
    return problem_response(request.scope["path"], error.status_code, str(error.detail), detail, error.headers)


async def _unexpected(request: Request, error: Exception) -> Response:
    _log.error("the page failed to answer %r", request.scope["path"], exc_info=error)
    return problem_response(
        request.scope["path"], 500, "This gateway made a mistake", "Its log tells more; please report it."
    )


HANDLERS: Mapping[Any, Any] = {ProblemError: _problem, HTTPException: _http, Exception: _unexpected}
"""What makes a problem of every error of an app, as Starlette takes it."""
