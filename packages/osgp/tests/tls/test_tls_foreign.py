"""TLS of other people at the other end: a meter whose TLS is not ours, and a client whose TLS is not ours at our simulated meter."""

import asyncio
import itertools
from contextlib import asynccontextmanager

import pytest
from tls_peers import PEERS, Flights, PeerError

from osgp.errors import KeyRejected
from osgp.key import MeterKey
from osgp.mep.events import TlsSessionOpened
from osgp.mep.frame import (
    Frame,
    FrameReader,
    decode_request,
    decode_response,
    encode_frame,
    encode_request,
    encode_response,
)
from osgp.mep.security import Security
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_server import TlsRule
from osgp.meter import open_meter
from osgp.psem import PartialRead, Read, Response, ResponseCode
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter

KEY = MeterKey.parse(DEMO_KEY_TEXT)
WRONG = MeterKey(b"somebody's key..")
BASIC, ADVANCED = bytes.fromhex("640000"), bytes.fromhex("640001")
OK, TLS_ERROR, KEY_ERROR, NO_SESSION = b"\0", b"\x01", b"\x03", b"\x0a"
ENDS, HELLO, GOES_ON, TABLE = 0x57, 0x58, 0x59, 0x80


def answer(simulated, body):
    """Answer a bare read from a simulated meter's tables, without its links."""
    request = decode_request(body)
    data = simulated.read(request.table)
    if data is None:
        response = Response(ResponseCode.INAPPROPRIATE_ACTION)
    elif isinstance(request, Read):
        response = Response(0, data)
    else:
        response = Response(0, data[request.offset : request.offset + request.count].ljust(request.count, b"\0"))
    return encode_response(request, response)


class ForeignMeter:
    """The MEP frames of a meter around somebody else's TLS (MEP guide v1.1 p. 8-9)."""

    def __init__(self, stack, keys, simulated):
        self._stack, self._keys, self._simulated = stack, keys, simulated
        self._peer = None
        self._open = False
        self.codes = []

    def take(self, frame):
        code, records = frame[0], frame[1:]
        self.codes.append(code)
        try:
            return self._take(code, records)
        except PeerError:
            self._peer, self._open = None, False
            return KEY_ERROR if code == GOES_ON else TLS_ERROR

    def _take(self, code, records):
        if code == ENDS:
            self._peer, self._open = None, False
            return OK
        if code == TABLE:
            if not self._open:
                return NO_SESSION
            return OK + self._peer.seal(answer(self._simulated, self._peer.open(records)))
        if code == HELLO:
            self._peer, self._open = self._stack(self._keys, server=True), False
        flights = Flights().feed(self._peer.exchange(records))
        (flight,) = flights
        if flight[0] == 21:
            raise PeerError("an alert")
        self._open = code == GOES_ON
        return OK + flight


@asynccontextmanager
async def served(meter):
    """Serve a foreign meter over TCP and give its URL."""

    async def talk(reader, writer):
        frames = FrameReader(2)
        while data := await reader.read(4096):
            for item in frames.feed(data):
                assert isinstance(item, Frame)
                writer.write(encode_frame(meter.take(item.content)))
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with server:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def house():
    return House(7)


@pytest.mark.parametrize("security", [Security.TLS, Security.AUTO])
@pytest.mark.parametrize("identity", [BASIC, ADVANCED], ids=["MBK", "MAK"])
@pytest.mark.parametrize("stack", PEERS)
async def test_our_client_reads_a_meter_with_foreign_tls(stack, identity, security, house):
    async with SimulatedMeter(house) as simulated:
        meter = ForeignMeter(PEERS[stack], {identity: KEY.secret}, simulated)
        events = []
        async with served(meter) as url, open_meter(url, key=KEY, security=security, on_event=events.append) as read:
            assert (await read.identity()).serial == "SIM0000007"
            assert await read.registers()
            assert await read.present()
            assert read.security is Security.TLS
    opened = [event for event in events if isinstance(event, TlsSessionOpened)]
    assert opened == [TlsSessionOpened(KeyId(identity[2]))]
    assert meter.codes.count(TABLE) > 10
    assert meter.codes[-1] == ENDS


@pytest.mark.parametrize("stack", PEERS)
async def test_a_foreign_meter_refuses_a_wrong_key(stack, house):
    async with SimulatedMeter(house) as simulated:
        meter = ForeignMeter(PEERS[stack], {BASIC: WRONG.secret, ADVANCED: WRONG.secret[::-1]}, simulated)
        async with served(meter) as url, open_meter(url, key=KEY, security="tls") as read:
            with pytest.raises(KeyRejected):
                await read.read("BT23", 0, 4)
    assert TABLE not in meter.codes


class ForeignClient:
    """Somebody else's TLS, in MEP frames to a simulated meter."""

    def __init__(self, peer, reader, writer):
        self._peer, self._reader, self._writer = peer, reader, writer
        self.sizes = []

    async def ask(self, code, data):
        self._writer.write(encode_frame(bytes((code,)), data))
        size = int.from_bytes(await self._reader.readexactly(2), "big")
        content = await self._reader.readexactly(size)
        self.sizes += [3 + len(data), 2 + size]
        return content[:1], content[1:]

    async def handshake(self):
        flights, out = Flights(), self._peer.exchange()
        for code in (HELLO, GOES_ON):
            (flight,) = flights.feed(out)
            status, answered = await self.ask(code, flight)
            if status != OK:
                return status
            out = self._peer.exchange(answered)
        assert not out
        return OK

    async def read(self, request):
        status, answered = await self.ask(TABLE, self._peer.seal(encode_request(request)))
        assert status == OK
        return decode_response(self._peer.open(answered), request)


@asynccontextmanager
async def foreign(stack, url, identity, key=KEY):
    host, _, port = url.removeprefix("tcp://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield ForeignClient(PEERS[stack]({identity: key.secret}, server=False), reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize("stack", PEERS)
async def test_a_foreign_client_reads_our_simulated_meter(stack, house):
    async with SimulatedMeter(house, mak=WRONG, tls=TlsRule.REQUIRED) as simulated:
        url = await simulated.serve_tcp()
        for identity, key in ((BASIC, KEY), (ADVANCED, WRONG)):
            async with foreign(stack, url, identity, key) as client:
                assert await client.handshake() == OK
                assert max(client.sizes) <= 478
                for table, size in ((2051, 30), (1, 20)):
                    found = await client.read(PartialRead(table, 0, size))
                    assert found == Response(0, simulated.read(table)[:size].ljust(size, b"\0"))
                assert (await client.read(PartialRead(2000, 0, 4))).code == ResponseCode.INAPPROPRIATE_ACTION
                assert await client.ask(ENDS, b"\0") == (OK, b"")
        assert simulated.traffic.answered == 6


@pytest.mark.parametrize(("identity", "key"), [(BASIC, WRONG), (ADVANCED, KEY)], ids=["wrong key", "no such key"])
@pytest.mark.parametrize("stack", PEERS)
async def test_our_simulated_meter_refuses_a_foreign_client(stack, identity, key, house):
    async with (
        SimulatedMeter(house, tls=TlsRule.REQUIRED) as simulated,
        foreign(stack, await simulated.serve_tcp(), identity, key) as client,
    ):
        assert await client.handshake() == KEY_ERROR
        assert await client.ask(TABLE, bytes(40)) == (NO_SESSION, b"")


@pytest.mark.parametrize("identity", [bytes.fromhex(text) for text in ("C88000", "FF8000", "000000", "FFFF00")])
async def test_any_client_number_gets_through(identity, house):
    """What no library that carries text could send: bytes from 80 on, and zeros."""
    async with (
        SimulatedMeter(house, tls=TlsRule.REQUIRED) as simulated,
        foreign("GnuTLS", await simulated.serve_tcp(), identity) as client,
    ):
        assert await client.handshake() == OK
        assert (await client.read(PartialRead(2051, 0, 4))).ok


@pytest.mark.parametrize(("ours", "theirs"), list(itertools.product(PEERS, PEERS)))
def test_the_foreign_stacks_understand_each_other(ours, theirs):
    """What the tests above rest on: the cutter of flights and the peers are right without any code of ours."""
    client, meter = (
        PEERS[ours]({ADVANCED: KEY.secret}, server=False),
        PEERS[theirs]({ADVANCED: KEY.secret}, server=True),
    )
    out, cut = client.exchange(), (Flights(), Flights())
    for _ in range(2):
        (flight,) = cut[0].feed(out)
        (back,) = cut[1].feed(meter.exchange(flight))
        out = client.exchange(back)
    assert meter.open(client.seal(b"question")) == b"question"
    assert client.open(meter.seal(b"answer")) == b"answer"
