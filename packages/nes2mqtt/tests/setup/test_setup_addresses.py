"""Where others in the network reach a page of this computer."""

import fcntl
import socket

import pytest

from nes2mqtt.setup import addresses

ADDRESSES = {
    b"eth0": "192.168.1.7",
    b"wlan0": "10.0.0.4",
    b"ppp0": "8.8.8.8",
    b"docker0": "172.17.0.1",
    b"lo": "127.0.0.1",
}


@pytest.fixture
def interfaces(monkeypatch):
    def answer(_descriptor, request, asked):
        name = asked.rstrip(b"\0")
        assert request == 0x8915, "SIOCGIFADDR"
        if name not in ADDRESSES:
            raise OSError(99, "Cannot assign requested address")
        return asked[:16] + b"\x02\0\0\0" + socket.inet_aton(ADDRESSES[name]) + bytes(232)

    names = ["lo", "eth0", "docker0", "wlan1", "wlan0", "ppp0"]
    monkeypatch.setattr(socket, "if_nameindex", lambda: list(enumerate(names, 1)))
    monkeypatch.setattr(fcntl, "ioctl", answer)


def test_addresses_are_those_of_this_house_alone(interfaces):
    assert addresses.own_addresses() == ["192.168.1.7", "10.0.0.4"]


def test_the_name_comes_first_where_it_is_announced():
    found = addresses.others_reach(8099, "Cellar.example.org", addresses=lambda: ["10.0.0.4"], announces=lambda: True)
    assert list(found) == ["http://cellar.local:8099", "http://10.0.0.4:8099"]


@pytest.mark.parametrize(
    ("numbers", "announced", "told"),
    [(["10.0.0.4"], False, ["http://10.0.0.4:80"]), ([], True, [])],
    ids=["nobody announces it", "there is no network"],
)
def test_no_name_is_told_that_nobody_would_find(numbers, announced, told):
    found = addresses.others_reach(80, "cellar", addresses=lambda: numbers, announces=lambda: announced)
    assert list(found) == told
