"""``open_meter`` with each security, at simulated meters that have TLS, require it, or never heard of it."""

import asyncio
import sys

import pytest

from osgp.errors import KeyRejected, MisuseError, ResponseTimeout, TlsUnavailable, TransportError
from osgp.key import MeterKey
from osgp.mep.events import SecurityChosen, TlsSessionOpened
from osgp.mep.security import Security
from osgp.mep.tls import records
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_server import TlsRule
from osgp.meter import open_meter
from osgp.meter.known import KnownMeter
from osgp.meter.writing import AllowWrites
from osgp.simulator import DEMO_KEY_TEXT, Faults, House, SimulatedMeter
from osgp.simulator.history.happenings import History
from osgp.tables import TABLES, Dimensions

pytestmark = pytest.mark.usefixtures("virtual_clock")

KEY = MeterKey.parse(DEMO_KEY_TEXT)
ADVANCED = MeterKey(b"advanced secret!")
ABSENT, OFFERED, REQUIRED = TlsRule.ABSENT, TlsRule.OFFERED, TlsRule.REQUIRED
AUTO, TLS, RC4, PLAIN = Security


def simulated(tls, **options):
    return SimulatedMeter(House(3), tls=tls, **options)


@pytest.mark.parametrize(
    ("rule", "wanted", "taken"),
    [
        (ABSENT, AUTO, PLAIN),
        (ABSENT, RC4, RC4),
        (ABSENT, PLAIN, PLAIN),
        (OFFERED, AUTO, TLS),
        (OFFERED, TLS, TLS),
        (OFFERED, RC4, RC4),
        (OFFERED, PLAIN, PLAIN),
        (REQUIRED, AUTO, TLS),
        (REQUIRED, TLS, TLS),
    ],
)
async def test_what_is_wanted_is_taken(rule, wanted, taken):
    async with simulated(rule) as meter, open_meter(await meter.serve_tcp(), key=KEY, security=wanted) as ours:
        assert (await ours.identity()).serial == "SIM0000003"
        assert await ours.registers()
        assert ours.security is taken


@pytest.mark.parametrize(("rule", "wanted", "error"), [(ABSENT, TLS, TlsUnavailable), (REQUIRED, PLAIN, KeyRejected)])
async def test_what_cannot_be_is_an_error(rule, wanted, error):
    async with simulated(rule) as meter, open_meter(await meter.serve_tcp(), key=KEY, security=wanted) as ours:
        with pytest.raises(error):
            await ours.read("BT23", 0, 4)


@pytest.mark.parametrize(("rule", "taken"), [(ABSENT, PLAIN), (OFFERED, TLS)])
async def test_auto_says_once_what_it_found(rule, taken):
    events = []
    async with simulated(rule) as meter, open_meter(await meter.serve_tcp(), key=KEY, on_event=events.append) as ours:
        await ours.registers()
        await ours.present()
    (chosen,) = [event for event in events if isinstance(event, SecurityChosen)]
    assert chosen == SecurityChosen(taken)
    assert chosen.why


async def test_a_line_that_was_silent_at_first_is_asked_about_tls_again():
    """Nobody answered, in neither mode: that says nothing of what the meter speaks."""
    faults = Faults.parse(["stuck-level-shifter=30"])
    async with (
        simulated(OFFERED, faults=faults) as meter,
        open_meter(await meter.serve_tcp(), key=KEY) as ours,
    ):
        await asyncio.sleep(31)
        with pytest.raises(ResponseTimeout):
            await ours.registers()
        meter.power_cycle()
        await ours.registers()
        assert ours.security is TLS


async def test_tls_once_seen_is_not_left():
    known = KnownMeter()
    async with simulated(OFFERED) as meter:
        url = await meter.serve_tcp()
        async with open_meter(url, key=KEY, known=known) as ours:
            await ours.registers()
    assert known.security.tls
    async with simulated(ABSENT) as meter:
        url = await meter.serve_tcp()
        async with open_meter(url, key=KEY, known=known) as ours:
            for _ in range(3):
                with pytest.raises(TlsUnavailable, match="spoke TLS before"):
                    await ours.registers()
        assert meter.traffic.answered == 0
        async with open_meter(url, key=KEY, known=known, security="rc4-plain") as ours:
            assert await ours.registers()


async def test_a_meter_without_tls_is_not_held_to_it():
    known = KnownMeter()
    async with simulated(ABSENT) as meter, open_meter(await meter.serve_tcp(), key=KEY, known=known) as ours:
        await ours.registers()
    assert not known.security.tls
    async with simulated(REQUIRED) as meter, open_meter(await meter.serve_tcp(), key=KEY, known=known) as ours:
        await ours.registers()
        assert ours.security is TLS


@pytest.mark.parametrize("rule", [OFFERED, REQUIRED])
async def test_a_meter_shows_whether_it_requires_tls(rule):
    """A + 99 and A + 100, with 24 bytes of messages in front (MEP guide v1.1 p. 195-196)."""
    house = House(3, history=History(firmware=(4, 30, 5)))
    async with SimulatedMeter(house, tls=rule) as meter, open_meter(await meter.serve_tcp(), key=KEY) as ours:
        used = TABLES["BT00"].decode(await ours.read("BT00"), Dimensions())["extended_tables_used"]
        assert {90, 97} <= used
        table = await ours.read("ET97")
        assert table[24 + 98 : 24 + 101] == bytes((0, rule is REQUIRED, rule is REQUIRED))


@pytest.mark.parametrize(("firmware", "rule"), [((4, 30, 5), ABSENT), ((3, 82, 5), REQUIRED)])
async def test_a_meter_without_those_flags_shows_none(firmware, rule):
    async with SimulatedMeter(House(3, history=History(firmware=firmware)), tls=rule) as meter:
        assert meter.read("ET97") is None


async def test_leaving_ends_the_session_for_others():
    async with simulated(OFFERED) as meter:
        url = await meter.serve_tcp()
        for security in (TLS, PLAIN, AUTO, RC4):
            async with open_meter(url, key=KEY, security=security) as ours:
                assert await ours.read("BT23", 0, 4)


@pytest.mark.parametrize(("key", "number"), [(KEY, KeyId.BASIC), (ADVANCED, KeyId.ADVANCED)])
async def test_writing_needs_the_key_for_it(key, number):
    events = []
    async with (
        simulated(REQUIRED, mak=ADVANCED) as meter,
        open_meter(
            await meter.serve_tcp(), key=key, on_event=events.append, allow_writes=AllowWrites(tables=("ET07", "ET50"))
        ) as ours,
    ):
        await ours.write("ET50", bytes(400)[:8])
    assert [event.key for event in events if isinstance(event, TlsSessionOpened)] == [number]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_leaving_in_the_middle_of_a_request_ends_the_session(cancelled):
    async with simulated(OFFERED, baud=9600) as meter:
        url = await meter.serve_tcp()
        async with open_meter(url, key=KEY, security=TLS, read_budget=None) as ours:
            await ours.registers()
            asked = [asyncio.create_task(ours.read("BT23", 0, 40)), asyncio.create_task(ours.read("BT28", 0, 4))]
            await asyncio.sleep(0.01)
            if cancelled:
                asked[0].cancel()
                await asyncio.sleep(0)
        for task in asked[cancelled:]:
            with pytest.raises(TransportError, match="was closed by this program"):
                await task
        async with open_meter(url, key=KEY, security=PLAIN) as ours:
            assert await ours.read("BT23", 0, 4)
            assert ours.stats.retries == 0, "the meter was in no session any more"


async def test_what_auto_asks_a_meter_without_tls_is_no_fault_of_the_line():
    async with simulated(ABSENT) as meter, open_meter(await meter.serve_tcp(), key=KEY) as ours:
        await ours.registers()
        assert (ours.stats.retries, ours.stats.timeouts, ours.stats.resyncs, ours.stats.corrupt) == (0, 0, 0, 0)


async def test_long_reads_are_cut_to_what_a_record_holds():
    async with simulated(REQUIRED) as meter, open_meter(await meter.serve_tcp(), key=KEY) as ours:
        meter.put_in("ET16", bytes(range(256)) * 4)
        assert await ours.read("ET16", 0, 1024) == bytes(range(256)) * 4


async def test_a_wrong_key_is_refused_in_tls():
    async with simulated(REQUIRED) as meter, open_meter(await meter.serve_tcp(), key=ADVANCED) as ours:
        with pytest.raises(KeyRejected, match="as basic and as advanced key"):
            await ours.registers()


async def test_without_the_package_auto_says_so(monkeypatch):
    monkeypatch.setattr(records, "find_spec", lambda name: None)
    events = []
    async with (
        simulated(OFFERED) as meter,
        open_meter(await meter.serve_tcp(), key=KEY, on_event=events.append) as ours,
    ):
        await ours.registers()
        assert ours.security is PLAIN
    (chosen,) = [event for event in events if isinstance(event, SecurityChosen)]
    assert "cryptography is not installed" in chosen.why


async def test_without_the_package_tls_is_a_mistake(monkeypatch):
    monkeypatch.setattr(records, "find_spec", lambda name: None)
    with pytest.raises(MisuseError, match=r"pip install 'osgp\[tls\]'"):
        async with open_meter("tcp://127.0.0.1:1", key=KEY, security="tls"):
            pass
    known = KnownMeter()
    known.security.tls = True
    with pytest.raises(TlsUnavailable, match="spoke TLS before"):
        async with open_meter("tcp://127.0.0.1:1", key=KEY, known=known):
            pass


class PanicException(BaseException):
    """What the Rust half of cryptography raises where cffi is missing."""


@pytest.mark.parametrize("error", [ImportError("no module _cffi_backend"), PanicException("Python API call failed")])
@pytest.mark.parametrize("security", [TLS, AUTO])
async def test_a_package_that_cannot_be_loaded_is_named(monkeypatch, security, error):
    name = "cryptography.hazmat.primitives.ciphers.aead"

    class Broken:
        def find_spec(self, wanted, *_):
            if wanted == name:
                raise error

    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.delattr("cryptography.hazmat.primitives.ciphers.aead", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    async with (
        simulated(ABSENT) as silent,
        simulated(OFFERED) as meter,
        open_meter(await silent.serve_tcp(), key=KEY) as without,
        open_meter(await meter.serve_tcp(), key=KEY, security=security) as ours,
    ):
        assert await without.registers(), "who needs no TLS notices nothing"
        with pytest.raises(MisuseError, match=r"cannot be loaded .*Install it anew: pip install"):
            await ours.registers()


async def test_there_are_four_securities():
    with pytest.raises(MisuseError, match="auto, tls, rc4, rc4-plain"):
        async with open_meter("tcp://127.0.0.1:1", key=KEY, security="ssl"):
            pass
