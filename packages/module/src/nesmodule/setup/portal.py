"""What the page of the access point may do: show what is set, take a form, have its network tried, keep it.

Every address leads to the one page, so the address by which a phone looks whether there is internet does too, and the phone shows the page.

Who has the access point's key may set up a module that has no network yet. One that has a network wants the device's key besides, and wrong ones are counted: the
access point may have come because of somebody who made the network go away.

This module does not know sockets or radios.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hmac import compare_digest
from typing import Any

from nesmodule.access.guesses import Guesses
from nesmodule.access.request import Request
from nesmodule.board.form import FormRefused, shown, taken

__all__ = ["FULL", "GIVEN_UP", "LEFT", "SAVED", "TRYING", "Portal"]

TRYING, SAVED, LEFT, FULL, GIVEN_UP = "trying", "saved", "left", "full", "failed"
_UNTRIED = b"untried=1&"
_DEVICE_KEY = b"device_key="
_PLAIN = b"text/plain"


class Portal:
    """Answers the page.

    Args:
        settings: of the module (:class:`nesmodule.board.settings.Settings`).
        address: of the access point, as text.
        now: gives milliseconds that only grow.
    """

    def __init__(self, settings: Any, address: str, now: Callable[[], int]) -> None:
        self._settings = settings
        self._address = address.encode()
        self._guesses = Guesses(now)
        self._wanted: dict[str, Any] = {}
        self.networks: list[str] = []
        """Names that were heard, the strongest first."""
        self.state = ""
        """:data:`TRYING`, :data:`SAVED`, :data:`LEFT`, :data:`FULL`, :data:`GIVEN_UP` and why, or nothing."""

    @property
    def usable(self) -> bool:
        """Tell whether the program can be started with the settings that there are."""
        return bool(self._settings.values.get("wifi_name"))

    @property
    def wanted(self) -> tuple[str, str]:
        """Return name and password of the network that is to be tried."""
        values = {**self._settings.values, **self._wanted}
        return values.get("wifi_name") or "", values.get("wifi_password") or ""

    def tried(self, why: str) -> None:
        """Note what came of the network: empty if it was joined."""
        if why:
            self.state = GIVEN_UP + " " + why
            self._wanted = {}
        else:
            self._keep()

    def _keep(self) -> None:
        try:
            self._settings.change(self._wanted)
        except OSError:
            # Flash is full or worn out. What was set before is still there.
            self.state = FULL
        else:
            self.state = SAVED
        self._wanted = {}

    def respond(self, request: Request, body: bytes) -> tuple[bytes, bytes, bytes]:
        """Return status, kind and text of an answer.

        The text of a redirect is its address; that of the page, which is read from flash, is empty.
        """
        ours = request.host == self._address
        if request.method == b"GET" and ours and request.path == b"/":
            return b"200 OK", b"text/html; charset=utf-8", b""
        if request.method == b"GET" and ours and request.path == b"/state":
            return b"200 OK", b"application/json", self._document()
        if request.method != b"POST":
            return b"302 Found", _PLAIN, b"http://" + self._address + b"/"
        # Here every name leads to this module, so a page of any name could ask for something.
        if not ours or not request.own:
            return b"403 Forbidden", _PLAIN, b"foreign"
        if request.path == b"/leave" and self.usable:
            self.state = LEFT
            return b"200 OK", _PLAIN, b"left"
        if request.path != b"/settings":
            return b"404 Not Found", _PLAIN, b"none"
        return self._take(body)

    def _take(self, body: bytes) -> tuple[bytes, bytes, bytes]:
        """Take a form; what is said to the page is a word, or ``wrong`` and the name of a setting: the page has the sentences."""
        if self.state in (TRYING, SAVED):
            return b"409 Conflict", _PLAIN, self.state.encode()
        untried = body.startswith(_UNTRIED)
        if untried:
            body = body[len(_UNTRIED) :]
        given = b""
        if body.startswith(_DEVICE_KEY):
            given, _, body = body[len(_DEVICE_KEY) :].partition(b"&")
        if not self._lets_in(given):
            wait = (self._guesses.wait() + 999) // 1000
            return b"403 Forbidden", _PLAIN, b"wait %d" % wait if wait else b"wrong device_key"
        try:
            wanted = taken(body)
        except FormRefused as error:
            return b"400 Bad Request", _PLAIN, b"wrong " + str(error).encode()
        except ValueError:
            return b"400 Bad Request", _PLAIN, b"form"
        if not wanted.get("wifi_name", self.usable):
            return b"400 Bad Request", _PLAIN, b"wrong wifi_name"
        if "wifi_name" in wanted and wanted["wifi_name"] != self._settings.values.get("wifi_name"):
            # The password of another network is not this one's; a network may have none.
            wanted.setdefault("wifi_password", None)
        self._wanted = wanted
        if untried:
            self._keep()
        else:
            self.state = TRYING
        return b"200 OK", _PLAIN, self.state.encode()

    def _lets_in(self, given: bytes) -> bool:
        key = self._settings.values.get("device_key") or ""
        if not self.usable:
            return True
        if self._guesses.wait():
            return False
        right = bool(key) and compare_digest(given, key.encode())
        if right:
            self._guesses.right()
        else:
            self._guesses.wrong()
        return right

    def _document(self) -> bytes:
        values = self._settings.values
        return json.dumps(
            {
                "state": self.state,
                "networks": self.networks,
                "settings": shown(values),
                "usable": self.usable,
                "broken": self._settings.broken,
            }
        ).encode()
