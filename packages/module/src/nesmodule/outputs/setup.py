"""The page of the settings: shows them, takes others, and asks for safe mode, where a new program can be sent. All of it is behind the door.

What was changed counts from the next start, so the module starts again after it.

This module does not know what the settings mean.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.access.request import Request
from nesmodule.board.clock import wait_for_ms
from nesmodule.board.files import opened
from nesmodule.board.flash import Flash
from nesmodule.board.form import FormRefused, shown, taken
from nesmodule.board.settings import Settings
from nesmodule.outputs.page import answer

__all__ = ["set_up"]

_PATIENCE = 5000
_LONGEST = 1024
_HTML = "settings.html"
_PIECE = 128


async def set_up(
    folder: str, ask_for_safe_mode: Callable[[], None] | None, request: Request, reader: Any, writer: Any
) -> bool:
    """Answer a request that the door let in; tell whether the module is to start again.

    What is said to the page is a word, or ``wrong`` and the name of a setting: the page has the sentences.
    """
    if request.method == b"GET":
        if request.path == b"/settings":
            await answer(writer, b"200 OK", b"text/html; charset=utf-8", _html)
        else:
            text = json.dumps(shown(Settings(Flash(), folder).values)).encode()
            await answer(writer, b"200 OK", b"application/json", lambda: iter((text,)))
        return False
    status, said = b"400 Bad Request", "long"
    if request.length <= _LONGEST:
        body = await wait_for_ms(reader.readexactly(request.length), _PATIENCE)
        try:
            if request.path == b"/safe-mode":
                status, said = _safe_mode(ask_for_safe_mode)
            else:
                said = "saved" if Settings(Flash(), folder).change(taken(body)) else "same"
                status = b"200 OK"
        except FormRefused as error:
            said = "wrong %s" % error
        except ValueError:
            said = "form"
        except OSError:
            status, said = b"507 Insufficient Storage", "full"
    await answer(writer, status, b"text/plain", lambda: iter((said.encode(),)))
    return said in ("saved", "safe")


def _safe_mode(ask: Callable[[], None] | None) -> tuple[bytes, str]:
    if ask is None:
        return b"409 Conflict", "none"
    ask()
    return b"200 OK", "safe"


def _html() -> Iterator[bytes]:
    with opened(_HTML) as file:
        piece = file.read(_PIECE)
        while piece:
            yield piece
            piece = file.read(_PIECE)
