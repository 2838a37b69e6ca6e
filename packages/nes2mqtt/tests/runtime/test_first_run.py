"""The first run as part of a process: how it begins, how it ends, and what people are told."""

import asyncio
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from types import SimpleNamespace

import pytest

from nes2mqtt.runtime import first_run
from nes2mqtt.runtime.first_run import FirstRun, from_file, in_browser, in_terminal, stopped_when
from nes2mqtt.setup.words import Words

WORDS = Words("en")


def saved_with(address=None):
    """Return what a first run wrote: a page at an address, or none."""
    web = None
    if address is not None:
        web = SimpleNamespace(address=SimpleNamespace(port=8099, is_loopback=ip_address(address).is_loopback))
    return SimpleNamespace(config="/etc/nes2mqtt/nes2mqtt.toml", settings=SimpleNamespace(web=web))


@pytest.fixture
def wanted(tmp_path):
    return FirstRun(tmp_path / "nes2mqtt.toml", WORDS)


class TestTerminal:
    @pytest.fixture
    def terminal(self, monkeypatch):
        """Put something in the terminal's place; the port it was told is noted."""
        noted = SimpleNamespace(result=None, error=None, port=None)

        class Terminal:
            def __init__(self, wizard, *_):
                noted.port = wizard

            async def run(self):
                if noted.error is not None:
                    raise noted.error
                return noted.result

        @contextmanager
        def opened(port):
            yield SimpleNamespace(getsockname=lambda: ("0.0.0.0", port + 1))

        monkeypatch.setattr(first_run, "Terminal", Terminal)
        monkeypatch.setattr(first_run, "Wizard", lambda _place, port: port)
        monkeypatch.setattr(first_run, "open_port", opened)
        monkeypatch.setattr(first_run, "others_reach", lambda port, _: [f"http://10.0.0.4:{port}"])
        return noted

    @pytest.mark.parametrize("error", [KeyboardInterrupt(), EOFError()], ids=["Ctrl-C", "Ctrl-D"])
    def test_who_leaves_is_told_that_nothing_was_saved(self, wanted, terminal, capsys, error):
        terminal.error = error
        assert in_terminal(wanted, 8099) is None
        assert WORDS.text("nothing_saved") in capsys.readouterr().out

    def test_nothing_is_said_where_nothing_is_to_be_started(self, wanted, terminal, capsys):
        assert in_terminal(wanted, 8099) is None
        assert capsys.readouterr().out == ""

    @pytest.mark.parametrize(
        ("address", "url"),
        [("127.0.0.1", "http://127.0.0.1:8099"), ("0.0.0.0", "http://10.0.0.4:8099"), (None, None)],
        ids=["this computer alone", "the network", "no page"],
    )
    def test_the_end_says_where_the_page_will_be(self, wanted, terminal, capsys, address, url):
        terminal.result = saved_with(address)
        assert in_terminal(wanted, 8099) is terminal.result
        said = capsys.readouterr().out.splitlines()
        assert "/etc/nes2mqtt/nes2mqtt.toml" in said[0]
        assert said[1:] == ([] if url is None else [WORDS.text("terminal_page", {"url": url})])

    def test_a_page_that_nobody_else_reaches_is_on_this_computer(self, wanted, terminal, capsys, monkeypatch):
        monkeypatch.setattr(first_run, "others_reach", lambda *_: [])
        terminal.result = saved_with("0.0.0.0")
        in_terminal(wanted, 8099)
        assert "http://127.0.0.1:8099" in capsys.readouterr().out

    def test_the_free_port_is_offered_and_the_wanted_one_where_none_is(self, wanted, terminal, monkeypatch):
        in_terminal(wanted, 8099)
        assert terminal.port == 8100

        def none(_port):
            raise OSError("none")

        monkeypatch.setattr(first_run, "open_port", none)
        in_terminal(wanted, 8099)
        assert terminal.port == 8099


class TestFile:
    def test_a_file_that_cannot_be_read_is_told_and_nothing_is_written(self, wanted, tmp_path):
        saved, lines = from_file(wanted, tmp_path / "answers.toml", 8099)
        assert saved is None
        assert len(lines) == 1
        assert "answers.toml" in lines[0]
        assert not wanted.config.exists()


class TestBrowser:
    class Server:
        """A page that serves until it is cancelled, or ends by a mistake."""

        def __init__(self, error=None):
            self.finished, self.saved, self.error = asyncio.Event(), None, error
            self.serving, self.cancelled = asyncio.Event(), False

        async def serve(self):
            self.serving.set()
            if self.error is not None:
                raise self.error
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise

    def wanted(self, server):
        @asynccontextmanager
        async def opened(port):
            assert port == 8099
            yield server

        return SimpleNamespace(opened=opened, lines=lambda _: ["where", "code"])

    async def test_it_ends_once_the_configuration_is_written(self):
        server, said = self.Server(), []
        running = asyncio.ensure_future(in_browser(self.wanted(server), 8099, said.append, stop=asyncio.Event()))
        await server.serving.wait()
        assert said == ["where", "code"], "said before anybody waits"
        server.saved = saved = object()
        server.finished.set()
        assert await running is saved
        assert server.cancelled

    async def test_who_stops_it_gets_nothing(self):
        server, stop = self.Server(), asyncio.Event()
        running = asyncio.ensure_future(in_browser(self.wanted(server), 8099, lambda _: None, stop=stop))
        await server.serving.wait()
        stop.set()
        assert await running is None
        assert server.cancelled

    async def test_a_page_that_ends_by_a_mistake_does_not_look_stopped(self):
        server = self.Server(RuntimeError("a mistake"))
        with pytest.raises(RuntimeError, match="a mistake"):
            await in_browser(self.wanted(server), 8099, lambda _: None, stop=asyncio.Event())


class TestStopping:
    async def test_either_event_ends_it_and_no_task_stays(self):
        before = asyncio.all_tasks()
        for which in (0, 1):
            events = asyncio.Event(), asyncio.Event()
            with stopped_when(*events) as ended:
                events[which].set()
                await ended.wait()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
