"""No address takes all connections, and none holds a place without taking what it asked for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from servicekit import connections
from servicekit.connections import ConnectionLimit


class Transport:
    def __init__(self, address):
        self.address = address
        self.open = True
        self.unread = 0

    def get_extra_info(self, _):
        return (self.address, 1)

    def is_closing(self):
        return not self.open

    def get_write_buffer_size(self):
        return self.unread

    def write(self, data):
        self.unread += len(data)

    def abort(self):
        self.open = False

    def set_protocol(self, protocol):
        pass


def connect(entry, address):
    transport = Transport(address)
    entry().connection_made(transport)
    return transport


async def test_p8_no_address_takes_all_connections():
    entry = ConnectionLimit(lambda: SimpleNamespace(connection_made=lambda _: None), ["10.0.0.5"], most=20)
    first = [connect(entry, "203.0.113.1") for _ in range(30)]
    assert sum(each.open for each in first) == 10
    assert connect(entry, "203.0.113.2").open
    assert not connect(entry, "203.0.113.1").open
    first[0].open = False
    assert connect(entry, "203.0.113.1").open, "a place given back is free again"
    assert sum(connect(entry, "10.0.0.5").open for _ in range(30)) == 9, "a proxy speaks for many"
    assert connections.MOST_CONNECTIONS == 200


async def test_p8_a_buffer_that_is_read_and_filled_again_is_no_place_held(monkeypatch):
    looks, given = [], []
    monkeypatch.setattr(asyncio.get_running_loop(), "call_later", lambda _, look: looks.append(look))
    transport = connect(ConnectionLimit(lambda: SimpleNamespace(connection_made=given.append)), "203.0.113.1")
    given[0].write(bytes(100_000))
    looks.pop()()
    for _ in range(9):
        transport.unread -= connections.LEAST_TAKEN
        given[0].writelines([bytes(connections.LEAST_TAKEN - 1), b"x"])
        looks.pop()()
        assert transport.open
    transport.unread = 10
    looks.pop()()
    assert transport.open
    transport.unread = 0
    looks.pop()()
    given[0].write(bytes(10))
    looks.pop()()
    looks.pop()()
    assert not transport.open, "ten bytes that nobody takes hold a place as well"


async def test_p8_this_computer_finds_a_place_when_others_hold_all_they_may():
    entry = ConnectionLimit(lambda: SimpleNamespace(connection_made=lambda _: None), most=20)
    others = [connect(entry, f"203.0.113.{number % 2}") for number in range(40)]
    assert sum(each.open for each in others) == 19
    assert connect(entry, "127.0.0.1").open
