"""The port of the first run: open to the network behind its one-time code, until the configuration is written.

Who started it is told where the page is and which code opens it. Where another page is to be served beside it (the
demonstration), that one is reached at the same port.

This module does not know the steps.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable

from starlette.types import ASGIApp

from nes2mqtt.outputs.web.config import Listen, WebConfig
from nes2mqtt.outputs.web.output import listen
from nes2mqtt.setup.addresses import others_reach
from nes2mqtt.setup.code import Code, CodeFile
from nes2mqtt.setup.web.door import Door
from nes2mqtt.setup.wizard import Surroundings, Wizard
from nes2mqtt.setup.words import Words
from nes2mqtt.setup.writing import Place, Saved
from nes2mqtt.timing.clock import Clock

__all__ = ["SetupServer", "open_port"]

PORTS_TRIED = 10


def open_port(first: int, host: str = "0.0.0.0") -> socket.socket:  # noqa: S104 - behind the code
    """Open the first port from ``first`` on that is free.

    Raises:
        OSError: none of ten is.
    """
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            return listen(Listen(f"{host}:{port}"))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
    raise OSError(errno.EADDRINUSE, f"no free port from {first} to {first + PORTS_TRIED - 1}")


class SetupServer:
    """One first run in the browser.

    Args:
        place: where the configuration goes.
        listener: the open port.
        code_file: where the one-time code stands besides; None for nowhere.
        clock: the clocks of this program.
        world: what the steps ask; tests put something else there.
    """

    def __init__(
        self,
        place: Place,
        listener: socket.socket,
        code_file: CodeFile | None,
        *,
        clock: Clock | None = None,
        world: Surroundings | None = None,
    ) -> None:
        self._listener = listener
        self._clock = clock if clock is not None else Clock()
        self.port: int = listener.getsockname()[1]
        """Of the page."""
        self.code = Code(code_file, self._clock.monotonic)
        self.wizard = Wizard(place, self.port, world)
        self.door = Door(self.code, self._clock.monotonic)
        self.finished = asyncio.Event()
        """Set once the configuration is written and the browser has been told."""
        self.saved: Saved | None = None
        """What was written; None as long as nothing was."""

    def lines(self, words: Words, program: str) -> list[str]:
        """Return what to tell whoever started this: where the page is, and the code.

        Args:
            words: the language.
            program: how this program is called here, with the configuration it writes: ``nes2mqtt setup``.
        """
        computer = socket.gethostname()
        others = [f"{url}/setup" for url in others_reach(self.port, computer)]
        return [
            words.text("tell_ready"),
            words.text("tell_here", {"url": f"http://127.0.0.1:{self.port}/setup#{self.code.text}"}),
            *([words.text("tell_others")] if others else []),
            *(f"      {url}" for url in others),
            words.text("tell_code", {"code": self.code.text, "program": program.partition(" ")[0]}),
            words.text("tell_terminal", {"command": program}),
        ]

    async def serve(self, behind: ASGIApp | None = None, opened: Callable[[], None] | None = None) -> None:
        """Serve until cancelled.

        Args:
            behind: what answers all that is not the first run's.
            opened: called once the page can be asked.
        """
        from nes2mqtt.outputs.web.server import serve  # noqa: PLC0415 - loads the web server
        from nes2mqtt.setup.web.app import build_setup_app  # noqa: PLC0415

        app = build_setup_app(self.wizard, self.door, self._clock, self._finish, behind)
        config = WebConfig.model_construct(listen=f"0.0.0.0:{self.port}")  # for limits and headers; the door guards it
        await serve(app, self._listener, config, opened or (lambda: None))

    def _finish(self, saved: Saved) -> None:
        self.saved = saved
        self.finished.set()
