"""Errors of the API in plain words, as ``application/problem+json`` (RFC 9457).

One place answers in plain text instead: the document of the ESP32 firmware (:data:`PLAIN_PATH`). Its Home Assistant
integration does not look at the status of a reply and takes any JSON for the meter's values.

This module does not know which errors there are.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response

__all__ = ["PLAIN_PATH", "Problem", "ProblemError", "install", "problem_response", "responses"]

PLAIN_PATH = "/getDashDataWS"

_log = logging.getLogger(__name__)
_MEDIA_TYPE = "application/problem+json"


class Problem(BaseModel):
    """What went wrong and what to do next."""

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


class _ProblemResponse(JSONResponse):
    media_type = _MEDIA_TYPE


def problem_response(
    path: str, status: int, title: str, detail: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Make the reply for a problem of a request for ``path``."""
    more = dict(headers) if headers else None
    if path.rstrip("/").lower() == PLAIN_PATH.lower():
        return PlainTextResponse(f"{title}. {detail}".strip() + "\n", status, more)
    return _ProblemResponse(Problem(title=title, status=status, detail=detail).model_dump(), status, more)


def responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems an endpoint may answer with, for OpenAPI."""
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {"model": Problem, "description": _DESCRIPTIONS[status], "content": {_MEDIA_TYPE: {"schema": schema}}}
        for status in statuses
    }


_DESCRIPTIONS = {
    400: "The request asks for too much or makes no sense",
    401: "Login needed",
    404: "There is no such meter or page",
    422: "A parameter is malformed",
    503: "Not available now",
}


def install(app: FastAPI) -> None:
    """Make every error of an app a problem."""

    @app.exception_handler(ProblemError)
    async def _problem(request: Request, error: ProblemError) -> Response:
        return problem_response(request.scope["path"], error.status, error.title, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        detail = "The list of pages is in /api/v1/openapi.json." if error.status_code == 404 else ""  # noqa: PLR2004
        return problem_response(request.scope["path"], error.status_code, str(error.detail), detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> Response:
        # The value itself is left out: it may be long, and it is what the caller sent anyway.
        found = "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors())
        return problem_response(request.scope["path"], 422, "A parameter is malformed", found)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> Response:
        _log.error("the page failed to answer %r", request.scope["path"], exc_info=error)
        return problem_response(
            request.scope["path"], 500, "This gateway made a mistake", "Its log tells more; please report it."
        )
