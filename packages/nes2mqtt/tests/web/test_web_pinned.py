"""What the page's server takes of uvicorn and pydantic that they do not promise. Both are pinned to the minor version.

Before a pin moves: run this. What fails names what would break, and ``outputs/web/server.py`` or ``lean.py`` is where to look.
"""

import importlib.metadata
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import uvicorn
from pydantic import BaseModel
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import ServerState

from nes2mqtt.outputs.web.lean import lean_framework

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.mark.parametrize(("name", "pin"), [("uvicorn", ">=0.54,<0.55"), ("pydantic", ">=2.14,<2.15")])
def test_what_was_looked_at_is_pinned_and_installed(name, pin):
    assert f"{name}{pin}" in tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    looked_at = pin.partition(",")[0].removeprefix(">=")
    assert importlib.metadata.version(name).startswith(f"{looked_at}.")


@pytest.mark.parametrize(
    ("owner", "name", "parameters", "breaks"),
    [
        (uvicorn.Server, "startup", "self sockets", "connections have no limit, a TLS handshake may take a minute"),
        (
            uvicorn.Server,
            "main_loop",
            "self",
            "nobody learns that the page is open; the server wakes ten times a second",
        ),
        (uvicorn.Server, "capture_signals", "self", "SIGTERM ends the page and not the gateway"),
        (H11Protocol, "__init__", "self config server_state app_state _loop", "no connection is made"),
        (H11Protocol, "connection_made", "self transport", "connections have no limit, silent ones stay"),
        (H11Protocol, "connection_lost", "self exc", "timers of closed connections stay"),
        (H11Protocol, "send_400_response", "self msg", "what is no request is answered without our headers"),
        (H11Protocol, "shutdown", "self", "a page that is open holds up the end"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)
def test_uvicorn_still_has(owner, name, parameters, breaks):
    method = getattr(owner, name, None)
    assert method is not None, breaks
    assert list(inspect.signature(method).parameters) == parameters.split(), breaks


@pytest.mark.parametrize(
    ("caller", "call", "breaks"),
    [
        (uvicorn.Server, "self.startup(sockets=sockets)", "our limits are never set up"),
        (uvicorn.Server, "self.main_loop()", "nobody learns that the page is open"),
        (uvicorn.Server, "with self.capture_signals():", "SIGTERM ends the page and not the gateway"),
        (H11Protocol, "self.send_400_response(", "what is no request is answered without our headers"),
        (RequestResponseCycle, "self.response_complete = True", "connections that wait for a request are not closed"),
    ],
)
def test_uvicorn_still_calls(caller, call, breaks):
    assert call in inspect.getsource(caller), breaks


async def test_a_connection_still_holds_what_is_looked_at():
    config = uvicorn.Config(lambda: None, log_config=None)
    config.load()
    state = ServerState()
    connection = H11Protocol(config, state, {})
    assert connection.connections is state.connections, "connections of one address are not counted"
    assert {"cycle", "conn", "client", "loop", "transport"} <= vars(connection).keys()
    assert connection.cycle is None


def test_pydantic_builds_models_at_their_first_use():
    with lean_framework():

        class Late(BaseModel):
            value: int

    class Soon(BaseModel):
        value: int

    assert (Late.__pydantic_complete__, Soon.__pydantic_complete__) == (False, True), "the page takes 4 MB more"
    assert Late(value="7").value == 7
    assert Late.__pydantic_complete__


def test_the_framework_does_without_pydantics_first_version():
    code = (
        "import sys\n"
        "from nes2mqtt.outputs.web.lean import lean_framework\n"
        "with lean_framework():\n"
        "    import nes2mqtt.outputs.web.app\n"
        "print([name for name in sys.modules if name.startswith('pydantic.v1') and sys.modules[name]])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", "the page takes 2 MB more"
