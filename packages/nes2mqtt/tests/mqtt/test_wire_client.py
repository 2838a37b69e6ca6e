"""The client on a connection in memory, under a clock that jumps: what it writes, when it waits, how it ends."""

from __future__ import annotations

import asyncio
import socket

import pytest

from nes2mqtt.outputs.mqtt.client import wire_client
from nes2mqtt.outputs.mqtt.client.answered import ANSWER
from nes2mqtt.outputs.mqtt.client.broker import Broker
from nes2mqtt.outputs.mqtt.client.connection import Disconnected, Limits, NoGreeting, NoMqtt, Refused, Version
from nes2mqtt.outputs.mqtt.client.message import Message, Will
from nes2mqtt.outputs.mqtt.client.refusals import describe
from nes2mqtt.outputs.mqtt.client.wire.fields import Property, properties
from nes2mqtt.outputs.mqtt.client.wire_client import KNOCK, WireClient
from nes2mqtt.outputs.mqtt.config import MqttConfig

pytestmark = pytest.mark.virtual_clock

WILL = Message("status", "offline", 1, retain=True)
ONE = Message("house", "1", 1)


class Wire(asyncio.Transport):
    """A connection in memory whose other side says what a test tells it to."""

    def __init__(self):
        super().__init__()
        self.writes = []
        self.closed = False

    def write(self, data):
        self.writes.append(bytes(data))

    def is_closing(self):
        return self.closed

    def close(self):
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, None)  # type: ignore[attr-defined]

    abort = close

    def says(self, *packets):
        self.protocol.data_received(b"".join(packets))  # type: ignore[attr-defined]


def greeting(**limits):
    names = {
        "receive": Property.RECEIVE_MAXIMUM,
        "packet": Property.MAXIMUM_PACKET_SIZE,
        "keep_alive": Property.SERVER_KEEP_ALIVE,
    }
    said = properties({names[name]: value for name, value in limits.items()})
    return bytes((0x20, 2 + len(said))) + b"\0\0" + said


def puback(number):
    return b"\x40\x02" + number.to_bytes(2)


@pytest.fixture
def wire(monkeypatch):
    wire = Wire()

    async def opened(_config, _tls, protocol):
        wire.protocol = protocol()  # type: ignore[attr-defined]
        wire.protocol.connection_made(wire)  # type: ignore[attr-defined]

    monkeypatch.setattr(wire_client, "open_connection", opened)
    return wire


def client(**settings):
    return WireClient(MqttConfig.model_validate({"host": "b", **settings}), "us", WILL, Version.V5)


async def connected(wire, said=None, **settings):
    made = client(**settings)
    task = asyncio.create_task(made.connect())
    await turns()
    wire.says(said or greeting())
    limits = await task
    wire.writes.clear()
    return made, limits


async def turns(count=5):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_the_limits_of_the_broker_are_told(wire):
    _, limits = await connected(wire, greeting(receive=7, packet=900))
    assert limits == Limits(Version.V5, packet=900, in_flight=7)


async def test_what_is_published_in_one_turn_is_one_write(wire):
    made, _ = await connected(wire)
    tasks = [asyncio.create_task(made.publish(ONE)) for _ in range(20)]
    await turns()
    assert len(wire.writes) == 1
    wire.says(*(puback(number) for number in range(1, 21)))
    await asyncio.gather(*tasks)


async def test_no_more_is_unconfirmed_than_the_broker_allows_and_the_order_stays(wire):
    made, _ = await connected(wire, greeting(receive=2))
    tasks = [asyncio.create_task(made.publish(Message("house", str(number), 1))) for number in range(5)]
    for number in range(1, 6):
        await turns()
        assert b"".join(wire.writes).count(b"house") == min(number + 1, 5)
        wire.says(puback(number))
    await asyncio.gather(*tasks)
    # House, the number of the packet, no properties, the payload.
    assert [part[3:4] for part in b"".join(wire.writes).split(b"house")[1:]] == [b"0", b"1", b"2", b"3", b"4"]


async def test_a_place_that_nobody_waits_for_any_more_goes_to_the_next(wire):
    made, _ = await connected(wire, greeting(receive=1))
    first, second, third = (asyncio.create_task(made.publish(ONE)) for _ in range(3))
    await turns()
    second.cancel()
    wire.says(puback(1))
    await turns()
    wire.says(puback(2))
    await asyncio.gather(first, third)
    assert second.cancelled()


async def test_a_message_given_up_keeps_its_number_until_it_is_confirmed(wire):
    made, _ = await connected(wire)
    given_up = asyncio.create_task(made.publish(ONE))
    await turns()
    given_up.cancel()
    await turns()
    next_one = asyncio.create_task(made.publish(ONE))
    await turns()
    wire.says(puback(1))
    await turns()
    assert not next_one.done()
    wire.says(puback(2))
    await next_one


async def test_live_values_wait_while_the_system_takes_no_more(wire):
    made, _ = await connected(wire)
    made.pause_writing()
    task = asyncio.create_task(made.publish(Message("house", "1")))
    await turns()
    assert not wire.writes
    made.resume_writing()
    await task
    await turns()
    assert len(wire.writes) == 1


async def test_whoever_waits_is_told_when_the_connection_goes(wire):
    made, _ = await connected(wire, greeting(receive=1))
    tasks = [asyncio.create_task(made.publish(ONE)) for _ in range(2)]
    tasks.append(asyncio.create_task(made.subscribe(["a"])))
    await turns()
    made.pause_writing()
    tasks.append(asyncio.create_task(made.publish(Message("house", "1"))))
    await turns()
    wire.says(b"\xe0\x01\x8b")
    for error in await asyncio.gather(*tasks, return_exceptions=True):
        assert isinstance(error, Disconnected)
        assert error.__cause__.code == 0x8B
    with pytest.raises(Disconnected) as after:
        await made.publish(ONE)
    assert isinstance(after.value.__cause__, Refused)
    with pytest.raises(Disconnected):
        await anext(made.messages())


async def test_a_message_too_large_is_refused_and_the_connection_goes_on(wire):
    made, _ = await connected(wire, greeting(packet=50))
    with pytest.raises(Refused) as error:
        await made.publish(Message("house", "1" * 100))
    assert error.value.code == 0x95
    await made.publish(Message("house", "1"))


async def test_a_silent_connection_is_kept_and_a_dead_one_noticed(wire):
    made, _ = await connected(wire, keepalive=30)
    await asyncio.sleep(16)
    assert wire.writes == [b"\xc0\0"]
    wire.says(b"\xd0\0")
    await asyncio.sleep(16)
    assert wire.writes == [b"\xc0\0", b"\xc0\0"]
    begun = asyncio.get_running_loop().time()
    with pytest.raises(Disconnected) as error:
        await anext(made.messages())
    assert isinstance(error.value.__cause__, TimeoutError)
    assert asyncio.get_running_loop().time() - begun <= 45
    assert wire.closed


async def test_a_broker_that_answers_no_question_and_confirms_is_alive(wire):
    made, _ = await connected(wire, keepalive=30)
    for number in range(1, 20):
        task = asyncio.create_task(made.publish(ONE))
        await asyncio.sleep(10)
        wire.says(puback(number))
        await task


@pytest.mark.parametrize("label", ["a" * 70, "ä" * 70])
async def test_a_name_that_cannot_be_one_is_told_like_one_that_is_not_found(label):
    """Plain letters go to the system's resolver, others may be refused by Python's IDNA before; none takes a label so long."""
    with pytest.raises(Disconnected) as error:
        await client(host=f"{label}.example").connect()
    assert isinstance(error.value.__cause__, OSError | UnicodeError)


async def test_hearing_nothing_while_speaking_is_noticed_too(wire):
    """Live values need no answer: a broker that is gone without a word would be spoken to for ever."""
    made, _ = await connected(wire, keepalive=30)

    async def speak():
        while True:
            await made.publish(Message("house", "1"))
            await asyncio.sleep(1)

    with pytest.raises(Disconnected):
        await asyncio.wait_for(speak(), 90)


async def test_the_broker_decides_how_long_silence_may_be(wire):
    await connected(wire, greeting(keep_alive=4), keepalive=3600)
    await asyncio.sleep(2.5)
    assert wire.writes == [b"\xc0\0"]


@pytest.mark.parametrize("said", [0, 3600])
async def test_a_broker_that_wants_few_signs_of_life_or_none_is_looked_after_all_the_same(wire, said):
    await connected(wire, greeting(keep_alive=said), keepalive=5)
    await asyncio.sleep(3)
    assert wire.writes == [b"\xc0\0"]
    await asyncio.sleep(10)
    assert wire.closed


@pytest.mark.parametrize(("name", "value"), [("username", "a\0b"), ("username", "a" * 65_536)])
async def test_a_name_that_no_packet_can_hold_is_told_in_a_sentence(wire, name, value):
    with pytest.raises(Disconnected) as error:
        await client(**{name: value}).connect()
    config = MqttConfig(host="b")
    assert describe(error.value, config, "us").startswith("broker b:1883 cannot be used: client_id, username, ")


async def test_a_broker_that_greets_in_the_form_of_the_older_version_is_greeted_in_it(wire):
    versions = []

    def make(config, name, will, version):
        versions.append(version)
        return WireClient(config, name, will, version)

    task = asyncio.create_task(Broker(MqttConfig(host="b"), "us", Will("status"), None, None, client=make).run())
    await turns()
    wire.says(b"\x20\x02\0\0")
    await turns()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert versions[:2] == [Version.V5, Version.V311]


async def test_what_comes_before_the_greeting_is_no_greeting(wire):
    task = asyncio.create_task(client().connect())
    await turns()
    wire.says(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(Disconnected) as error:
        await task
    assert isinstance(error.value.__cause__, NoGreeting)
    assert isinstance(error.value.__cause__.__cause__, NoMqtt)
    assert wire.closed


async def test_taking_leave_sends_what_was_said_before_and_the_farewell_last(wire):
    made, _ = await connected(wire)
    await made.publish(Message("house", "1"))
    await made.disconnect()
    assert b"".join(wire.writes).endswith(b"1\xe0\0")
    assert wire.closed
    made.hang_up()


async def test_n4_a_connection_given_up_before_it_was_made_is_closed(wire):
    made = client()
    made._loop = asyncio.get_running_loop()
    made.hang_up()
    wire.protocol = made
    made.connection_made(wire)
    assert wire.closed


class Network:
    """Addresses, and what becomes of who connects to them."""

    def __init__(self, monkeypatch, *fates):
        loop = asyncio.get_running_loop()
        self.tried, self.made = [], None
        monkeypatch.setattr(loop, "getaddrinfo", self.look_up)
        monkeypatch.setattr(loop, "sock_connect", self.connect)
        monkeypatch.setattr(loop, "create_connection", self.create)
        self.fates = fates

    async def look_up(self, _host, port, **_):
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (f"192.0.2.{n}", port)) for n in range(len(self.fates))]

    async def connect(self, _sock, address):
        self.tried.append(address[0])
        fate = self.fates[len(self.tried) - 1]
        if isinstance(fate, Exception):
            raise fate
        if fate == "silence":
            await asyncio.sleep(3600)

    async def create(self, _protocol, *, sock, **_):
        self.made = self.tried[-1]
        sock.close()


async def open_it():
    await wire_client.open_connection(MqttConfig(host="b"), None, asyncio.Protocol)


async def test_the_next_address_is_tried_when_one_refuses_or_says_nothing(monkeypatch):
    network = Network(monkeypatch, ConnectionRefusedError(111, "refused"), "silence", "fine", "never")
    begun = asyncio.get_running_loop().time()
    await open_it()
    assert network.made == "192.0.2.2"
    assert asyncio.get_running_loop().time() - begun == pytest.approx(KNOCK)


async def test_what_the_first_address_said_is_told_when_none_works(monkeypatch):
    Network(monkeypatch, ConnectionRefusedError(111, "refused"), OSError(113, "no route"))
    with pytest.raises(ConnectionRefusedError):
        await open_it()


async def test_an_address_of_a_kind_that_this_computer_does_not_have_is_passed_over(monkeypatch):
    network = Network(monkeypatch, "fine")

    async def look_up(*_, **__):
        return [(99, socket.SOCK_STREAM, 0, "", ("::1", 1883)), *await network.look_up("b", 1883)]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    await open_it()
    assert network.made == "192.0.2.0"


async def test_many_silent_addresses_leave_time_for_the_one_that_answers_and_say_nothing_of_the_version(monkeypatch):
    network = Network(monkeypatch, *["silence"] * 4, "fine")
    versions = []

    def make(config, name, will, version):
        versions.append(version)
        return WireClient(config, name, will, version)

    task = asyncio.create_task(Broker(MqttConfig(host="b"), "us", Will("status"), None, None, client=make).run())
    await asyncio.sleep(4 * KNOCK + 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert network.made == "192.0.2.4"
    assert versions == [Version.V5]


async def test_addresses_that_all_say_nothing_are_no_missing_greeting(monkeypatch):
    Network(monkeypatch, *["silence"] * 4)
    with pytest.raises(Disconnected) as error:
        await client().connect()
    assert isinstance(error.value.__cause__, TimeoutError)


async def test_a_broker_that_took_the_connection_has_its_time_to_greet(wire):
    with pytest.raises(Disconnected) as error:
        await client().connect()
    assert isinstance(error.value.__cause__, NoGreeting)
    assert asyncio.get_running_loop().time() >= ANSWER


async def test_a_name_service_that_does_not_answer_is_told_as_such(monkeypatch):
    async def never(*_, **__):
        await asyncio.Event().wait()

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", never)
    with pytest.raises(Disconnected) as error:
        await client().connect()
    assert isinstance(error.value.__cause__, socket.gaierror)
