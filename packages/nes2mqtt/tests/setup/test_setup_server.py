"""The port of the first run: which one it is, and what whoever started it is told."""

import errno
from types import SimpleNamespace

import pytest

from nes2mqtt.setup.web import server
from nes2mqtt.setup.words import Words
from nes2mqtt.setup.writing import Place


def taken(*ports, error=errno.EADDRINUSE):
    """Return what opens ports, of which some cannot be had."""
    asked = []

    def listen(place):
        asked.append(place.port)
        if place.port in ports:
            raise OSError(error, "no")
        return place.port

    return listen, asked


class TestPort:
    def test_the_next_free_one_is_taken(self, monkeypatch):
        listen, asked = taken(8099, 8100)
        monkeypatch.setattr(server, "listen", listen)
        assert server.open_port(8099) == 8101
        assert asked == [8099, 8100, 8101]

    def test_ten_are_tried(self, monkeypatch):
        listen, asked = taken(*range(8099, 8200))
        monkeypatch.setattr(server, "listen", listen)
        with pytest.raises(OSError, match="no free port from 8099 to 8108"):
            server.open_port(8099)
        assert len(asked) == 10

    def test_there_is_none_above_the_last(self, monkeypatch):
        listen, asked = taken(65534, 65535)
        monkeypatch.setattr(server, "listen", listen)
        with pytest.raises(OSError, match="no free port"):
            server.open_port(65534)
        assert asked == [65534, 65535]

    def test_another_mistake_is_no_reason_to_go_on(self, monkeypatch):
        listen, asked = taken(80, error=errno.EACCES)
        monkeypatch.setattr(server, "listen", listen)
        with pytest.raises(PermissionError):
            server.open_port(80)
        assert asked == [80]


class TestServer:
    @pytest.fixture
    def made(self, tmp_path):
        listener = SimpleNamespace(getsockname=lambda: ("0.0.0.0", 8101))
        return server.SetupServer(Place.at(tmp_path / "nes2mqtt.toml", "cellar"), listener, None)

    @pytest.mark.parametrize("others", [[], ["http://cellar.local:8101", "http://10.0.0.4:8101"]])
    def test_who_started_it_is_told_where_it_is_and_what_opens_it(self, made, monkeypatch, others):
        monkeypatch.setattr(server, "others_reach", lambda port, _computer: others if port == 8101 else ["wrong"])
        words = Words("en")
        lines = made.lines(words, "nes2mqtt setup --config x.toml")
        assert any(f"http://127.0.0.1:8101/setup#{made.code.text}" in line for line in lines)
        assert [line.strip() for line in lines if line.strip().endswith("/setup")] == [f"{url}/setup" for url in others]
        assert (words.text("tell_others") in lines) is bool(others), "a heading with nothing below it"
        assert any(made.code.text in line and "8101" not in line for line in lines), "to be typed on another device"
        assert "nes2mqtt setup --config x.toml" in lines[-1]

    def test_it_has_ended_once_something_was_written(self, made):
        assert not made.finished.is_set()
        made._finish(saved := object())
        assert made.finished.is_set()
        assert made.saved is saved
