"""Safe mode: a page with what happened and a way to send a program, and nothing else. No meter is read and nothing is published.

Only here is memory for an update, so the running program asks for safe mode when it is to be replaced. After ten minutes without an
update the module starts its program again.

This module does not know slots or what a package is made of.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from nesmodule.access.guesses import Guesses
from nesmodule.board.clock import closed, listen, sleep_ms, wait_for_ms
from nesmodule.board.lines import Lines
from nesmodule.updates.package import PackageRefused

__all__ = ["SafeMode"]

_PATIENCE = 10_000
_STAYS = 600_000
_MOST_LINES = 40
_CHUNK = 1024

_PAGE = b"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Module: safe mode</title><style>:root{color-scheme:light dark}body{font:1.1em system-ui;margin:1em auto;max-width:36em;padding:0 1em}
label,input,button{display:block;margin:.6em 0;font:inherit;max-width:100%}</style>
<h1>Safe mode</h1><p>WHY</p><p>The meter is not read and nothing is published. The module starts its program again after ten minutes.</p>
<label>Key of this module, from its label <input id=p type=password autocomplete=current-password></label>
<label>Program <input id=f type=file></label><label><input id=o type=checkbox style="display:inline"> even if it is older</label>
<button id=u>Send the program</button><button id=s>Start the program that is there</button><p id=m role=status></p><script>
const $=i=>document.getElementById(i);async function ask(path,body){$("m").textContent="Please wait.";
try{const a=await fetch(path,{method:"POST",body,headers:{"X-Key":encodeURIComponent($("p").value.trim()),"X-Older":$("o").checked?"1":"0"}});
$("m").textContent=await a.text()}catch(e){$("m").textContent="The module does not answer. Wait a minute, then load this page again."}}
$("u").onclick=()=>$("f").files[0]?ask("/update",$("f").files[0]):$("m").textContent="Choose the program's file first.";
$("s").onclick=()=>ask("/start","")</script>
"""


def _encoded(text: str) -> bytes:
    """Return a text as JavaScript's ``encodeURIComponent`` writes it: a header takes no other letters."""
    plain = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()"
    return b"".join([bytes((byte,)) if byte in plain else b"%%%02X" % byte for byte in text.encode()])


class SafeMode:
    """Serves the page of safe mode.

    Args:
        why: what happened, as a sentence for people.
        key: of the device; without one nothing is taken.
        package: makes what takes a package; True where an older program is wanted.
        now: gives milliseconds that only grow.
    """

    def __init__(self, why: str, key: str, package: Callable[[bool], Any], now: Callable[[], int]) -> None:
        self._why = why
        self._key = _encoded(key.strip())
        self._package = package
        self._guesses = Guesses(now)
        self._now = now
        self._since = now()
        self._busy = False
        self._left = False

    async def run(self, host: str, port: int) -> None:
        """Serve until the module is to start again."""
        task = asyncio.create_task(listen(self._serve, host, port))
        while self._busy or not (self._left or self._now() - self._since > _STAYS):
            await sleep_ms(500)
        task.cancel()

    async def _serve(self, reader: Any, writer: Any) -> None:
        try:
            lines = Lines(reader)
            words, headers = await wait_for_ms(_head(lines), _PATIENCE)
            method, path = words[0], words[1]
            if method == b"GET" and path == b"/":
                status, text, kind = b"200 OK", _PAGE.replace(b"WHY", self._why.encode()), b"text/html; charset=utf-8"
            else:
                status, said = await self._asked(method + b" " + path, headers, lines)
                text, kind = said.encode(), b"text/plain; charset=utf-8"
            writer.write(
                b"HTTP/1.0 " + status + b"\r\nContent-Type: " + kind + b"\r\nContent-Length: %d\r\n" % len(text)
            )
            writer.write(
                b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nX-Frame-Options: DENY\r\nConnection: close\r\n\r\n"
            )
            writer.write(text)
            await wait_for_ms(writer.drain(), _PATIENCE)
        except (OSError, EOFError, ValueError, IndexError, MemoryError, asyncio.TimeoutError):
            pass
        finally:
            await closed(writer)

    async def _asked(self, what: bytes, headers: dict[bytes, bytes], reader: Any) -> tuple[bytes, str]:
        """Do what is asked for; return a status and a sentence."""
        if what not in (b"POST /update", b"POST /start"):
            return b"404 Not Found", "Not here."
        wait = self._guesses.wait()
        if wait:
            return b"429 Too Many Requests", "Too many wrong keys. Wait %d s." % ((wait + 999) // 1000)
        # A page of somebody else cannot send this header.
        if not self._key or not compare_digest(headers.get(b"x-key", b""), self._key):
            self._guesses.wrong()
            return b"403 Forbidden", "This is not the key of this module. It stands on its label."
        self._guesses.right()
        if what == b"POST /start":
            self._left = True
            return b"200 OK", "The module starts its program now."
        if self._busy:
            return b"409 Conflict", "Somebody else is sending a program. Wait until that is done."
        self._busy = True
        try:
            return await self._update(headers, reader)
        finally:
            self._busy = False

    async def _update(self, headers: dict[bytes, bytes], reader: Any) -> tuple[bytes, str]:
        size = int(headers.get(b"content-length", b"0"))
        package = self._package(headers.get(b"x-older") == b"1")
        try:
            while size > 0:
                data = await wait_for_ms(reader.read(min(_CHUNK, size)), _PATIENCE)
                if not data:
                    break
                size -= len(data)
                package.take(data)
            package.finish()
        except PackageRefused as error:
            return b"409 Conflict", "Not taken: %s. The program that was there stays." % error
        except OSError as error:
            return b"507 Insufficient Storage", "Flash cannot take it (%s). The program that was there stays." % error
        finally:
            package.close()
        self._left = True
        return b"200 OK", "The module starts the new program now. If it does not prove itself, the old one comes back."


async def _head(lines: Lines) -> tuple[list[bytes], dict[bytes, bytes]]:
    """Return the words of a request's first line, and its headers. Raises ValueError for what is no request."""
    words = (await lines.readline()).split()
    found: dict[bytes, bytes] = {}
    for _ in range(_MOST_LINES):
        name, colon, value = (await lines.readline()).partition(b":")
        if not colon:
            return words, found
        found[name.strip().lower()] = value.strip()
    raise ValueError("too many headers")
