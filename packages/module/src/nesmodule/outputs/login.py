"""Logging in at the module's page with the device's own key, and out again.

This module does not know what is behind the door.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nesmodule.access.door import COOKIE, Door
from nesmodule.access.request import Request
from nesmodule.board.clock import wait_for_ms
from nesmodule.board.fields import fields
from nesmodule.outputs.pieces import send

__all__ = ["log_in"]

_PATIENCE = 5000
_LONGEST = 256
_HEAD = b"<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'><title>Log in</title>"
_STYLE = (
    b"<style>body{font:1.1em system-ui;margin:2em auto;max-width:24em;padding:0 1em;color-scheme:light dark}"
    b"label,input,button{display:block;font:inherit;width:100%;box-sizing:border-box;margin:.6em 0;padding:.5em}"
    b"label{padding:0}p{color:#b00}@media(prefers-color-scheme:dark){p{color:#f88}}</style>"
)
_FORM = (
    b"<form method=post action=/login><label for=key>Key of this module, from its label</label>"
    b"<input id=key name=key type=password autocomplete=current-password required autofocus><button>Log in</button></form>"
)


async def log_in(door: Door, request: Request | None, reader: Any, writer: Any) -> None:
    """Answer a request for ``/login`` or ``/logout``; None: send who is not logged in there."""
    if request is None:
        await _redirect(writer, b"/login", b"")
        return
    if request.path == b"/logout" and request.method == b"POST" and request.own:
        door.log_out(request)
        await _redirect(writer, b"/", b"gone; Max-Age=0")
        return
    trouble = b""
    if request.path == b"/login" and request.method == b"POST":
        body = await wait_for_ms(reader.readexactly(min(request.length, _LONGEST)), _PATIENCE)
        if not request.own or request.length > _LONGEST:
            await _show(
                writer,
                b"403 Forbidden",
                b"This did not come from the page of this module. Open its page, and log in there.",
            )
            return
        wait = door.wait()
        token = door.log_in(_given(body))
        if token:
            await _redirect(writer, b"/", token + b"; Max-Age=43200")
            return
        trouble = b"That is not the key of this module. It stands on its label."
        if wait:
            trouble = b"Too many wrong keys. Wait %d s, then try again." % ((wait + 999) // 1000)
    await _show(writer, b"403 Forbidden" if trouble else b"200 OK", trouble)


async def _show(writer: Any, status: bytes, trouble: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.0 " + status + b"\r\nContent-Type: text/html; charset=utf-8\r\nCache-Control: no-store\r\n"
        yield b"Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'\r\n"
        yield b"X-Content-Type-Options: nosniff\r\nReferrer-Policy: same-origin\r\nConnection: close\r\n\r\n"
        yield _HEAD
        yield _STYLE
        if trouble:
            yield b"<p role=alert>" + trouble + b"</p>"
        yield _FORM

    await send(writer, pieces, _PATIENCE)


async def _redirect(writer: Any, path: bytes, token: bytes) -> None:
    def pieces() -> Iterator[bytes]:
        yield b"HTTP/1.0 303 See Other\r\nLocation: " + path + b"\r\nContent-Length: 0\r\nCache-Control: no-store\r\n"
        if token:
            yield b"Set-Cookie: " + COOKIE + b"=" + token + b"; Path=/; HttpOnly; SameSite=Strict\r\n"
        yield b"Connection: close\r\n\r\n"

    await send(writer, pieces, _PATIENCE)


def _given(body: bytes) -> bytes:
    """Return the field ``key`` of a form."""
    for name, value in fields(body):
        if name == "key":
            return value.encode()
    return b""
