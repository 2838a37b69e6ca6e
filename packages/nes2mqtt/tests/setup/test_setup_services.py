"""Brokers that announce themselves: what is believed of answers, made by zeroconf, another program's encoder; and asking for them."""

from __future__ import annotations

import asyncio
import importlib.util
import random
import socket
import struct
from pathlib import Path

import pytest
from zeroconf import DNSAddress, DNSIncoming, DNSOutgoing, DNSPointer, DNSQuestion, DNSService

from nes2mqtt.setup import brokers
from nes2mqtt.setup.announced import announced
from nes2mqtt.setup.brokers import NearBroker, near_brokers
from nes2mqtt.setup.services import Heard, Service, question

MQTT = "_mqtt._tcp"
KINDS = (MQTT, "_secure-mqtt._tcp")
NUMBER = 4711


def answer(*records, number=NUMBER, asked=KINDS):
    """Return an answer as RFC 6762, section 6.7, has it: with the question's number and the question; records as additional ones."""
    made = DNSOutgoing(0x8400, multicast=True, id_=number)
    for kind in asked:
        made.add_question(DNSQuestion(f"{kind}.local.", 12, 1))
    for record in records:
        made.add_answer_at_time(record, 0) if isinstance(record, DNSPointer) else made.add_additional_answer(record)
    (message,) = made.packets()
    return struct.pack("!H", number) + message[2:]  # zeroconf writes no number into multicast messages


def pointer(kind=MQTT, instance="Mosquitto"):
    return DNSPointer(f"{kind}.local.", 12, 1, 10, f"{instance}.{kind}.local.")


def place(kind=MQTT, instance="Mosquitto", host="RaspberryPi.local.", port=1883):
    return DNSService(f"{instance}.{kind}.local.", 33, 0x8001, 10, 0, 0, port, host)


def address(text="192.168.1.5", host="RaspberryPi.local."):
    return DNSAddress(host, 1, 0x8001, 10, socket.inet_aton(text))


def heard(*messages):
    found = Heard(KINDS, NUMBER)
    for message in messages:
        found.take(message)
    return found.services()


def test_the_question_is_one_that_another_program_reads():
    read = DNSIncoming(question(KINDS, NUMBER))
    assert read.valid
    assert read.is_query()
    assert [(each.name, each.type, each.class_, each.unique) for each in read.questions] == [
        ("_mqtt._tcp.local.", 12, 1, False),
        ("_secure-mqtt._tcp.local.", 12, 1, False),
    ]


def test_a_broker_with_name_port_and_address():
    assert heard(answer(pointer(), place(), address())) == [Service(MQTT, "raspberrypi.local", 1883, ("192.168.1.5",))]


def test_what_is_told_in_several_messages_belongs_together():
    parts = [answer(address("10.0.0.2")), answer(place()), answer(pointer()), answer(address())]
    assert heard(*parts) == [Service(MQTT, "raspberrypi.local", 1883, ("10.0.0.2", "192.168.1.5"))]


def test_names_of_services_may_have_dots_and_letters_of_all_languages():
    name = "Målerens broker nr. 2 i kælderen"
    assert heard(answer(pointer(instance=name), place(instance=name))) == [Service(MQTT, "raspberrypi.local", 1883)]


def test_plain_brokers_come_before_those_with_encryption_and_each_once():
    secure = KINDS[1]
    message = answer(
        pointer(secure),
        place(secure, port=8883),
        pointer(),
        place(),
        pointer(instance="Other"),
        place(instance="Other"),
    )
    assert [(one.kind, one.port) for one in heard(message)] == [(MQTT, 1883), (secure, 8883)]


@pytest.mark.parametrize("text", ["127.0.0.1", "8.8.8.8", "0.0.0.0", "224.0.0.251"])
def test_addresses_that_are_none_of_a_home_network_are_not_believed(text):
    assert heard(answer(pointer(), place(), address(text))) == [Service(MQTT, "raspberrypi.local", 1883)]


@pytest.mark.parametrize("host", ["evil.example.com.", "a b.local.", "<b>.local.", "a.b.local.", "local.", "é.local."])
def test_names_that_are_none_of_a_home_network_are_not_believed(host):
    assert heard(answer(pointer(), place(host=host))) == []


def test_port_0_is_no_port():
    assert heard(answer(pointer(), place(port=0))) == []


def test_services_that_nobody_asked_for_count_for_nothing():
    assert heard(answer(pointer("_ipp._tcp"), place("_ipp._tcp"))) == []


def test_another_questions_answer_and_a_question_count_for_nothing():
    assert heard(answer(pointer(), place(), number=NUMBER + 1)) == []
    asked = bytearray(answer(pointer(), place()))
    asked[2] &= 0x7F
    assert heard(bytes(asked)) == []


def test_a_flood_ends_at_sixteen():
    names = [f"n{number}" for number in range(100)]
    found = heard(*(answer(pointer(instance=name), place(instance=name, host=f"{name}.local.")) for name in names))
    assert len(found) == 16


@pytest.mark.parametrize(
    "name",
    [
        b"\xc0\x0c",  # to itself
        b"\xc0\xff",  # forward, behind the end
        b"\x01a\xc0\x0c",  # to itself, growing
        b"\x40" + bytes(64),  # a length of no kind
        b"\x3f" + b"a" * 62,  # cut off
        (b"\x3f" + b"a" * 63) * 5 + b"\0",  # too long a name
    ],
)
def test_names_that_never_end_are_refused(name):
    assert heard(struct.pack("!6H", NUMBER, 0x8400, 0, 1, 0, 0) + name) == []


def test_a_message_cut_anywhere_is_no_error():
    whole = answer(pointer(), place(), address())
    for end in range(len(whole)):
        assert heard(whole[:end]) == []


def test_the_fuzz_targets_invariant_holds():
    file = Path(__file__).parents[4] / "fuzz" / "fuzz_announced.py"
    spec = importlib.util.spec_from_file_location("fuzz_announced_under_test", file)
    target = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(target)
    chance = random.Random(7048)
    whole = answer(pointer(), place(), address(), pointer(KINDS[1]), place(KINDS[1], port=8883))
    for _ in range(1000):
        changed = bytearray(whole)
        for _ in range(chance.randrange(6)):
            changed[chance.randrange(2, len(changed))] = chance.randrange(256)
        target.check(bytes(changed[: chance.randrange(len(changed) + 1)]))


class Responder(asyncio.DatagramProtocol):
    """Answers the first question wrongly and the next one rightly."""

    def connection_made(self, transport):
        self.transport, self.asked = transport, 0

    def datagram_received(self, data, source):
        self.asked += 1
        (number,) = struct.unpack_from("!H", data)
        assert DNSIncoming(data).is_query()
        told = b"\0" if self.asked == 1 else answer(pointer(), place(), address(), number=number)
        self.transport.sendto(told, source)


async def test_asked_twice_and_heard_once(monkeypatch):
    taken = asyncio.Semaphore(0)

    class Watched(Heard):
        def take(self, message):
            super().take(message)
            taken.release()

    async def until_heard(_seconds):
        await taken.acquire()

    monkeypatch.setattr("nes2mqtt.setup.announced.Heard", Watched)
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(Responder, local_addr=("127.0.0.1", 0))
    try:
        there = transport.get_extra_info("sockname")
        found = await announced(KINDS, addresses=lambda: ["127.0.0.1"], everybody=there, pause=until_heard)
    finally:
        transport.close()
    assert found == [Service(MQTT, "raspberrypi.local", 1883, ("192.168.1.5",))]
    assert responder.asked == 2


async def test_without_a_network_nothing_is_announced():
    assert await announced(KINDS, addresses=list) == []
    assert await announced(KINDS, addresses=lambda: ["203.0.113.7"]) == []  # an address of somebody else


@pytest.fixture(autouse=True)
def busy_computer(monkeypatch):
    """A computer that runs tests may take more than a second for a connection."""
    monkeypatch.setattr(brokers, "_KNOCK", 60.0)


async def test_a_host_that_breaks_the_connection_off_is_no_broker_and_no_error(monkeypatch):
    class Gone:
        def get_extra_info(self, name):
            return None if name == "peername" else ("127.0.0.1", 40000)  # as asyncio does after a reset

        def close(self):
            pass

    async def reset(*_):
        return None, Gone()

    monkeypatch.setattr(asyncio, "open_connection", reset)
    assert await near_brokers(["127.0.0.1"], 1883, announcing()) == []


async def listening():
    async def hang_up(_reader, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    return server, server.sockets[0].getsockname()[1]


def announcing(*services):
    async def ask(kinds):
        assert tuple(kinds) == (*KINDS, "_home-assistant._tcp")
        return services

    return ask


async def test_an_announced_broker_is_offered_by_its_name_else_by_its_address():
    server, port = await listening()
    async with server:
        by_name = Service(MQTT, "localhost", port, ("127.0.0.1",))
        by_address = Service(KINDS[1], "no-such-host.invalid", port, ("127.0.0.1",))
        assert await near_brokers((), port, announcing(by_name)) == [NearBroker("localhost", port)]
        assert await near_brokers((), port, announcing(by_address)) == [NearBroker("127.0.0.1", port, tls=True)]


async def test_the_same_broker_under_two_names_is_offered_once():
    server, port = await listening()
    async with server:
        found = await near_brokers(["127.0.0.1"], port, announcing(Service(MQTT, "localhost", port, ("127.0.0.1",))))
    assert found == [NearBroker("127.0.0.1", port)]


async def test_a_broker_may_be_where_home_assistant_is():
    server, port = await listening()
    async with server:
        hint = Service("_home-assistant._tcp", "0a1b2c.local", 8123, ("127.0.0.1",))
        assert await near_brokers((), port, announcing(hint)) == [NearBroker("127.0.0.1", port)]
    assert await near_brokers((), port, announcing(hint)) == []


def test_a_broker_as_answers_and_as_shown():
    assert NearBroker("a.local", 1883).answers == {"host": "a.local", "broker_port": "", "tls": "no"}
    assert NearBroker("a.local", 8883, tls=True).answers == {"host": "a.local", "broker_port": "", "tls": "yes"}
    assert NearBroker("a.local", 8884, tls=True).answers == {"host": "a.local", "broker_port": "8884", "tls": "yes"}
    assert [
        NearBroker("a.local", port, tls=tls).title for port, tls in ((1883, False), (1884, False), (8883, True))
    ] == [
        "a.local",
        "a.local:1884",
        "a.local (TLS)",
    ]
