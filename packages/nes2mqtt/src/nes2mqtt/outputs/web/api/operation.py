"""What an operation of the REST API is: a path, a model of what is asked, a function, and what may be answered.

From this come the route that serves it and its part of the OpenAPI description (:mod:`~nes2mqtt.outputs.web.api.openapi`),
so that the one is never without the other.

This module does not know which operations there are.
"""

from __future__ import annotations

import zlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, TypeVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.problem import ProblemError

__all__ = ["BY_PURPOSE", "PREFIX", "Asked", "Operation", "context_of", "packed"]

PREFIX = "/api/v1"

BY_PURPOSE = "x-requested-with"
"""A request header that a page of another site cannot send: its browser would ask here first whether it may (Fetch
Standard, 4.8 CORS-preflight fetch), and gets no leave."""

_WORTH_PACKING = 2000
"""Bytes; less fits into two packets anyway."""
_EFFORT = 3
"""Of gzip, of 9: a day's power by the minute, 100 kB, takes a Raspberry Pi some milliseconds and becomes a tenth."""
_GZIP = 16 + zlib.MAX_WBITS
"""With the head and the sum of a gzip file (the module zlib, ``compressobj``)."""


class Asked(BaseModel):
    """The parameters of a request, a field each; this one has none.

    A field that is in the path of its operation is taken from there, others are of the query: lists may be named several
    times, of anything else the last one counts. What is not a field is not looked at.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    HEADERS: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that are HTTP headers."""


AskedT = TypeVar("AskedT", bound=Asked)


@dataclass(frozen=True, slots=True)
class Operation(Generic[AskedT]):
    """One operation, always a GET.

    Its name in OpenAPI is that of the function, its description the function's docstring.
    """

    path: str
    """Behind :data:`PREFIX`; ``{meter}`` stands for a parameter."""
    summary: str
    asked: type[AskedT]
    answer: Callable[[Request, AskedT], Awaitable[BaseModel | Sequence[BaseModel] | Response]]
    """Answers a request. Problems are raised (:class:`~nes2mqtt.outputs.web.problem.ProblemError`)."""
    model: type[BaseModel] | None = None
    """What is answered, as JSON; None where ``media_type`` is of something else."""
    several: bool = False
    """A list of ``model`` is answered."""
    media_type: str = "application/json"
    answered: str = "Successful Response"
    """What is answered, in words."""
    problems: tuple[int, ...] = ()
    """HTTP statuses of the problems that may be answered."""
    reads_meter: bool = False
    """Answering takes the meter's line. It is done only for who shows that no page of another site asked, with
    :data:`BY_PURPOSE` or a token: over plain http the browser does not tell for which page it asks, and a picture there may
    have any address."""

    def route(self) -> Route:
        """Return the route that serves it."""

        async def endpoint(request: Request) -> Response:
            if self.reads_meter and not _on_purpose(request):
                raise ProblemError(
                    403,
                    "This reads from the meter, and nothing shows who asks",
                    "Send the header X-Requested-With with your program's name, so that no other web page can ask for it.",
                )
            answer = await self.answer(request, self._read(request))
            if isinstance(answer, Response):
                return answer
            return packed(request, to_json(answer, inf_nan_mode="null"), self.media_type)

        route = Route(PREFIX + self.path, endpoint, methods=["GET"], name=self.answer.__name__)
        # Starlette adds HEAD, which would begin a live stream that nobody reads.
        route.methods = {"GET"}
        return route

    def _read(self, request: Request) -> AskedT:
        try:
            return self.asked.model_validate(self._told(request))
        except ValidationError as error:
            # The value itself is left out: it may be long, and it is what the caller sent anyway.
            found = "; ".join(f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors())
            raise ProblemError(422, "A parameter is malformed", found) from None

    def _told(self, request: Request) -> Mapping[str, object]:
        told: dict[str, object] = {}
        for field, about in self.asked.model_fields.items():
            name = about.alias or field
            if name in request.path_params:
                told[name] = request.path_params[name]
            elif name in self.asked.HEADERS:
                if name in request.headers:
                    told[name] = request.headers[name]
            elif name in request.query_params:
                several = _is_list(about.annotation)
                told[name] = request.query_params.getlist(name) if several else request.query_params[name]
        return told


def _on_purpose(request: Request) -> bool:
    """Tell whether a request has a header that no picture, link or form has; basic credentials a link can have."""
    headers = request.headers
    return bool(headers.get(BY_PURPOSE)) or headers.get("authorization", "").lower().startswith("bearer ")


def packed(request: Request, content: bytes, media_type: str) -> Response:
    """Return a reply, compressed where that is worth it and the caller takes it.

    Compressing tells by its length what is the same in a secret and in what the caller chose (BREACH); no answer of the API
    has a secret in it.
    """
    headers = {"vary": "accept-encoding"}
    if len(content) >= _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
        content = zlib.compress(content, _EFFORT, wbits=_GZIP)
        headers["content-encoding"] = "gzip"
    return Response(content, headers=headers, media_type=media_type)


def _is_list(annotation: object) -> bool:
    """Tell whether a type is a list, or a list or None."""
    return list in {get_origin(each) for each in (annotation, *get_args(annotation))}


def context_of(request: Request) -> WebContext:
    """Return what requests are answered from."""
    web: WebContext = request.app.state.web
    return web
