"""What the page's server takes of uvicorn that it does not promise. It is pinned to the minor version.

Before the pin moves: run this. What fails names what would break, and ``outputs/web/server.py`` or ``host/lean.py`` is where to look.
"""

import importlib.metadata
import inspect
import subprocess
import sys
import tomllib
from email.utils import formatdate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from uvicorn.config import Config
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.server import Server, ServerState

from nes2mqtt.host.lean import http_date
from nes2mqtt.outputs.web.api import models

PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_what_was_looked_at_is_pinned_and_installed():
    assert "uvicorn>=0.54,<0.55" in tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]["dependencies"]
    assert importlib.metadata.version("uvicorn").startswith("0.54.")


@pytest.mark.parametrize(
    ("owner", "name", "parameters", "breaks"),
    [
        (Server, "startup", "self sockets", "connections have no limit, a TLS handshake may take a minute"),
        (
            Server,
            "main_loop",
            "self",
            "nobody learns that the page is open; the server wakes ten times a second",
        ),
        (Server, "capture_signals", "self", "SIGTERM ends the page and not the gateway"),
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
        (Server, "self.startup(sockets=sockets)", "our limits are never set up"),
        (Server, "self.main_loop()", "nobody learns that the page is open"),
        (Server, "with self.capture_signals():", "SIGTERM ends the page and not the gateway"),
        (H11Protocol, "self.send_400_response(", "what is no request is answered without our headers"),
        (RequestResponseCycle, "self.response_complete = True", "connections that wait for a request are not closed"),
    ],
)
def test_uvicorn_still_calls(caller, call, breaks):
    assert call in inspect.getsource(caller), breaks


async def test_a_connection_still_holds_what_is_looked_at():
    config = Config(lambda: None, log_config=None)
    config.load()
    state = ServerState()
    connection = H11Protocol(config, state, {})
    assert connection.connections is state.connections, "connections of one address are not counted"
    assert {"cycle", "conn", "client", "loop", "transport"} <= vars(connection).keys()
    assert connection.cycle is None


def _in_a_fresh_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_models_of_the_api_are_built_at_their_first_use():
    code = (
        "from nes2mqtt.outputs.web.api import models\n"
        "print(*(name for name in models.__all__ if getattr(models, name).__pydantic_complete__))"
    )
    assert _in_a_fresh_python(code) == [], "the page takes more memory"
    assert {issubclass(getattr(models, name), BaseModel) for name in models.__all__} == {True}


def test_the_page_comes_without_what_nobody_here_uses():
    code = (
        "import sys\n"
        "from nes2mqtt.host import lean\n"
        "lean.load_models()\n"
        "lean.load_server()\n"
        "import nes2mqtt.outputs.web.app, nes2mqtt.outputs.web.server\n"
        "unused = {'uvicorn.main', 'uvicorn.supervisors', 'click', 'multiprocessing', 'pickle', 'logging.config', 'configparser', 'html', 'tempfile', "
        "'email.utils', 'mimetypes', 'uuid', 'fractions', 'gzip', 'uvicorn._types', 'osgp.dissector.table_parts'}\n"
        "print(*sorted(unused & sys.modules.keys()))"
    )
    assert _in_a_fresh_python(code) == [], "the page takes 3 MB more"


@given(st.floats(0, 253_402_300_799))
def test_a_date_is_written_as_python_writes_it(instant):
    assert http_date(instant, usegmt=True) == formatdate(instant, usegmt=True)


def test_who_has_the_server_already_keeps_its_command_line():
    code = (
        "import sys, uvicorn\n"
        "from nes2mqtt.host import lean\n"
        "lean.load_server()\n"
        "import nes2mqtt.outputs.web.server\n"
        "print('uvicorn.main' in sys.modules, callable(uvicorn.run))"
    )
    assert _in_a_fresh_python(code) == ["True", "True"]


def test_a_status_has_its_words_without_what_else_python_has_them_from():
    code = (
        "import sys\n"
        "from nes2mqtt.host import lean\n"
        "lean.load_models()\n"
        "lean.load_server()\n"
        "from starlette.exceptions import HTTPException\n"
        "said = {status: HTTPException(status).detail for status in range(100, 600)}\n"
        "print('http.client' in sys.modules)\n"
        "from http.client import HTTPConnection, responses\n"
        "print(said == {status: responses.get(status, '') for status in range(100, 600)}, HTTPConnection('127.0.0.1', 9).port)"
    )
    assert _in_a_fresh_python(code) == ["False", "True", "9"]


def test_models_come_without_a_search_for_plugins():
    code = (
        "import sys\n"
        "from nes2mqtt.host import lean\n"
        "lean.load_models()\n"
        "import nes2mqtt.config.settings\n"
        "print(*sorted({'importlib.metadata', 'zipfile', 'csv', 'tempfile'} & sys.modules.keys()))\n"
        "from importlib.metadata import version\n"
        "print(version('pydantic') > '2')"
    )
    assert _in_a_fresh_python(code) == ["True"], "the gateway takes 1 MB more, or has lost how to ask what is installed"
