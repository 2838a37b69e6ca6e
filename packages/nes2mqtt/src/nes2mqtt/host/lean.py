"""Imports libraries without what they bring and nobody here uses: 5 MB of a gateway that stays for years.

While a library is imported, empty modules stand in those places, and what is taken from them is None. No module of ours is
imported meanwhile, and no other thread runs yet: they may need the real ones.

This module does not know what the libraries are used for.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from importlib import import_module
from types import ModuleType, SimpleNamespace

__all__ = ["load_models", "load_server"]

_SERVER = (
    "uvicorn.config",
    "uvicorn.protocols.http.h11_impl",
    "uvicorn.server",
    "starlette.applications",
    "starlette.requests",
    "starlette.responses",
    "starlette.routing",
)
_TYPES = (
    "ASGI2Application",
    "ASGI3Application",
    "ASGIApplication",
    "ASGIReceiveCallable",
    "ASGIReceiveEvent",
    "ASGISendCallable",
    "ASGISendEvent",
    "Environ",
    "ExcInfo",
    "HTTPRequestEvent",
    "HTTPResponseBodyEvent",
    "HTTPResponseStartEvent",
    "HTTPScope",
    "LifespanScope",
    "LifespanShutdownCompleteEvent",
    "LifespanShutdownEvent",
    "LifespanShutdownFailedEvent",
    "LifespanStartupCompleteEvent",
    "LifespanStartupEvent",
    "LifespanStartupFailedEvent",
    "Scope",
    "StartResponse",
    "WSGIApp",
    "WWWScope",
    "WebSocketScope",
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class _NeverAsked:
    """Stands for a type that no value has; None would not do, because that is a type to pydantic."""


def http_date(instant: float, *, usegmt: bool = True) -> str:  # noqa: ARG001 - uvicorn asks for it
    """Return a time in seconds since 1970 as HTTP writes it (RFC 9110, 5.6.7), as ``email.utils.formatdate`` does.

    Args:
        instant: the time, UTC; parts of a second are cut off.
        usegmt: whether it ends in ``GMT``, which is the only form there is.
    """
    at = datetime.fromtimestamp(int(instant), UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02d} {_MONTHS[at.month - 1]} {at.year:04d} {at:%H:%M:%S} GMT"


_UNUSED_BY_SERVER: Mapping[str, Mapping[str, object]] = {
    # Its command line with click, and what restarts programs.
    "uvicorn.main": dict.fromkeys(("Server", "main", "run")),
    # Settings of logs from a file, which bring pickle and a socket server.
    "logging.config": {},
    "configparser": {"RawConfigParser": None},
    # Pages about mistakes, for who writes the program, with the names of all characters.
    "html": {},
    # Files that a form brings, kept on the disk; with it come readers of archives.
    "tempfile": {"SpooledTemporaryFile": None},
    # Only its words for statuses are used; with it come readers of mail.
    "http.client": {},
    # Only how a date is written is used; with it come readers and writers of mail.
    "email.utils": {"formatdate": http_date, "format_datetime": None},
    # Which type a file has by its name: for files served from the disk.
    "mimetypes": {"guess_type": None},
    # Identifiers of 128 bits, in paths; with them comes what finds out about the machine.
    "uuid": {"UUID": _NeverAsked},
    # Words for the types that a program may be checked with.
    "uvicorn._types": dict.fromkeys(_TYPES),
}


def _no_plugins(**_of: object) -> tuple[()]:
    return ()


_UNUSED_BY_MODELS: Mapping[str, Mapping[str, object]] = {
    # Types that a value may have; none of ours has.
    "fractions": {"Fraction": _NeverAsked},
    "uuid": {"UUID": _NeverAsked},
    # Plugins are looked for among all that is installed; that brings readers of mail, tables and archives.
    "importlib.metadata": {"entry_points": _no_plugins},
}


def load_models() -> None:
    """Import pydantic without its plugins. Where somebody has imported it before, nothing is changed."""
    if "pydantic" in sys.modules:
        return
    with _empty(_UNUSED_BY_MODELS):
        pydantic = import_module("pydantic")
        pydantic.create_model("First")  # plugins are looked for with the first model
        pydantic.TypeAdapter(str).dump_json("")  # and the types that values may have with the first of them


def load_server() -> None:
    """Import uvicorn and Starlette without what they offer besides. Where somebody has imported one before, nothing is changed."""
    if {"uvicorn", "starlette"} & sys.modules.keys():
        return
    with _empty(_UNUSED_BY_SERVER):
        for name in _SERVER:
            import_module(name)
    words = {status.value: status.phrase for status in HTTPStatus}  # as http.client has them
    vars(import_module("starlette.exceptions"))["http"] = SimpleNamespace(client=SimpleNamespace(responses=words))


@contextmanager
def _empty(unused: Mapping[str, Mapping[str, object]]) -> Iterator[None]:
    """Put empty modules in the places of those that nobody has imported yet, as long as this lasts."""
    missing = [name for name in unused if name not in sys.modules]
    for name in missing:
        empty = ModuleType(name)
        vars(empty).update(unused[name])
        sys.modules[name] = empty
    try:
        yield
    finally:
        for name in missing:
            del sys.modules[name]
