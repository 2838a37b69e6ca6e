"""aiomqtt's client, mended: a connection that was given up ends, however far it had come.

aiomqtt connects in a thread that nobody can stop, and lets the event loop look at the socket a moment after it was opened or
has something to write. Given up in between, the connection came about all the same and stayed for ever, under our client
id; and the loop looked at a socket that was closed, or at whatever had been given its number since.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import aiomqtt
import paho.mqtt.client as paho

__all__ = ["Client"]


class Client(aiomqtt.Client):
    """A client for one connection."""

    _given_up = False

    def hang_up(self) -> None:
        """Close the socket, also one that is opened only later; once more does no harm.

        After a greeting that did not come aiomqtt leaves the socket open. After bytes that are no MQTT it also goes on
        looking at it, which takes all of a processor, for ever, once for each connection.
        """
        self._given_up = True
        for over in (self._connected, self._disconnected):
            if over.done() and not over.cancelled():
                over.exception()  # told by whoever waits; asyncio need not
        self._client._sock_close()  # noqa: SLF001

    def _on_socket_open(self, client: paho.Client, userdata: Any, sock: Any) -> None:  # noqa: ARG002
        """Called in the thread that connects."""
        self._loop.call_soon_threadsafe(self._look_at, client, sock)

    def _look_at(self, client: paho.Client, sock: socket.socket) -> None:
        if client.socket() is not sock:
            return  # closed again
        if self._given_up:
            client._sock_close()  # noqa: SLF001
            return
        self._loop.add_reader(sock.fileno(), self._read, client)
        self._misc_task = self._loop.create_task(self._misc_loop())

    def _on_socket_register_write(self, client: paho.Client, userdata: Any, sock: Any) -> None:  # noqa: ARG002
        """Called in the thread that connects, and in ours."""
        self._loop.call_soon_threadsafe(self._look_at_writing, client, sock)

    def _look_at_writing(self, client: paho.Client, sock: socket.socket) -> None:
        if client.socket() is sock and client.want_write():
            self._loop.add_writer(sock.fileno(), self._write, client)

    def _read(self, client: paho.Client) -> None:
        with self._end_by_any_error():
            client.loop_read()
            # One call does not always take all that TLS has decoded (paho.mqtt.python, issue 131).
            while (sock := client.socket()) is not None and hasattr(sock, "pending") and sock.pending() > 0:
                client.loop_read()

    def _write(self, client: paho.Client) -> None:
        with self._end_by_any_error():
            client.loop_write()

    @contextlib.contextmanager
    def _end_by_any_error(self) -> Iterator[None]:
        """Take whatever paho raises over a broken connection, or over bytes that are no MQTT, for the connection's end."""
        try:
            yield
        except Exception as error:  # noqa: BLE001
            self._broken(error)

    def _broken(self, error: Exception) -> None:
        if not self._disconnected.done():
            self._disconnected.set_exception(error)
