"""Errors of the API in plain words, as ``application/problem+json`` (RFC 9457).

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

__all__ = ["Problem", "ProblemError", "install", "problem_response", "responses"]

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


def problem_response(status: int, title: str, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Make the reply for a problem."""
    problem = Problem(title=title, status=status, detail=detail)
    return _ProblemResponse(problem.model_dump(), status, dict(headers) if headers else None)


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
    async def _problem(_request: Request, error: ProblemError) -> JSONResponse:
        return problem_response(error.status, error.title, error.detail, error.headers)

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        detail = "The list of pages is in /api/v1/openapi.json." if error.status_code == 404 else ""  # noqa: PLR2004
        return problem_response(error.status_code, str(error.detail), detail, error.headers)

    @app.exception_handler(RequestValidationError)
    async def _validation(_request: Request, error: RequestValidationError) -> JSONResponse:
        # The value itself is left out: it may be long, and it is what the caller sent anyway.
        found = "; ".join(f"{'.'.join(str(part) for part in e['loc'][1:])}: {e['msg']}" for e in error.errors())
        return problem_response(422, "A parameter is malformed", found)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("the page failed to answer %r", request.url.path, exc_info=error)
        return problem_response(500, "This gateway made a mistake", "Its log tells more; please report it.")
