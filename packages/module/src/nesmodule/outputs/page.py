"""A small web server: the page, and the JSON it shows. Reads only; whoever reaches it may look.

This module does not know MQTT.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

from nesmodule.board.clock import wait_for_ms
from nesmodule.meter.poller import Poller
from nesmodule.outputs.documents import Snapshot, live

__all__ = ["PAGE", "Page"]

_PATIENCE = 5000
_MOST_LINES = 40
_LONGEST = 512
_MOST_AT_ONCE = 4

PAGE = b"""<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
<title>Meter</title><style>body{font:1.1em system-ui;margin:1em auto;max-width:36em;padding:0 1em;color-scheme:light dark}
h1{font-size:3em;margin:.2em 0}td{padding:.1em .6em}td+td{text-align:right}#m{color:#b00}</style>
<h1 id=p>-</h1><p id=m></p><p id=a></p><table id=t></table><script>
const $=i=>document.getElementById(i);async function look(){try{
const d=await(await fetch("/api/live")).json(),p=d.present;
$("p").textContent=p.net_power===undefined?"-":p.net_power+" W";
$("m").textContent=d.link.message||"";
$("a").textContent=d.present_age===undefined?"":d.present_age+" s ago";
const rows=[];for(const part of[p,d.registers])for(const k in part){const r=document.createElement("tr");
for(const x of[k.replaceAll("_"," "),part[k]]){const c=document.createElement("td");c.textContent=x;r.append(c)}rows.push(r)}
$("t").replaceChildren(...rows)}catch(e){$("m").textContent="The module does not answer."}setTimeout(look,2000)}look()</script>
"""


class Page:
    """Serves one meter.

    Args:
        poller: has the values.
        now: gives milliseconds that only grow.
    """

    def __init__(self, poller: Poller, now: Callable[[], int]) -> None:
        self._poller = poller
        self._now = now
        self._open = 0

    async def start(self, host: str, port: int) -> Any:
        """Begin to listen; return the server."""
        return await asyncio.start_server(self._serve, host, port, backlog=2)

    async def _serve(self, reader: Any, writer: Any) -> None:
        self._open += 1
        try:
            if self._open > _MOST_AT_ONCE:
                await _answer(writer, b"503 Service Unavailable", b"text/plain", lambda: iter((b"Try again.",)))
                return
            path = await wait_for_ms(_path(reader), _PATIENCE)
            if path == b"/":
                await _answer(writer, b"200 OK", b"text/html; charset=utf-8", lambda: iter((PAGE,)))
            elif path == b"/api/live":
                snapshot = Snapshot(self._poller, self._now())
                await _answer(writer, b"200 OK", b"application/json", lambda: live(snapshot))
            else:
                await _answer(writer, b"404 Not Found", b"text/plain", lambda: iter((b"Not here.",)))
        except (OSError, EOFError, ValueError, MemoryError, asyncio.TimeoutError):
            pass
        finally:
            self._open -= 1
            writer.close()


async def _path(reader: Any) -> bytes:
    """Return the path of a GET; empty for anything else. Raises ValueError for what is no request."""
    words = (await reader.readline()).split()
    for _ in range(_MOST_LINES):
        line = await reader.readline()
        if len(line) > _LONGEST:
            break
        if line in (b"\r\n", b"\n", b""):
            if len(words) < 2:
                break
            return words[1].split(b"?")[0] if words[0] == b"GET" else b""
    raise ValueError("no request")


async def _answer(writer: Any, status: bytes, kind: bytes, pieces: Callable[[], Iterator[bytes]]) -> None:
    size = sum([len(piece) for piece in pieces()])
    writer.write(b"HTTP/1.0 " + status + b"\r\nContent-Type: " + kind + b"\r\nContent-Length: %d\r\n" % size)
    writer.write(b"Cache-Control: no-store\r\nContent-Security-Policy: default-src 'self' 'unsafe-inline'\r\n")
    writer.write(b"X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n")
    for piece in pieces():
        writer.write(piece)
        await wait_for_ms(writer.drain(), _PATIENCE)
