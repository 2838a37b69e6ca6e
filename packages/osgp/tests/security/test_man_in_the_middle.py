"""Somebody on the line who has no key: what a reading may become is right or absent, never wrong, zero or old."""

import pytest

from osgp.errors import KeyRejected, LinkError, OsgpError
from osgp.key import MeterKey
from osgp.meter import open_meter
from osgp.simulator import DEMO_KEY_TEXT
from osgp.sources import SOURCES

KEY = MeterKey.parse(DEMO_KEY_TEXT)
IMPORT = SOURCES["active_energy_import"]
READ_PARTLY = 0x3F
FAILURES = 8


async def read_all(url, *, security="rc4-plain"):
    """Return what one session reads: identity, registers and present values."""
    async with open_meter(url, key=KEY, security=security) as meter:
        return await meter.identity(), await meter.registers(), await meter.present()


async def nothing_is_read(url):
    """Ask several times, as a gateway does; every time it must be an error of the line."""
    async with open_meter(url, key=KEY, security="rc4-plain") as meter:
        for _ in range(FAILURES):
            with pytest.raises(LinkError):
                await meter.registers()
        return meter.stats


def asked(frame):
    """Return the count a plain partial read asks for, 0 for anything else."""
    return int.from_bytes(frame[8:10], "big") if frame[2] == READ_PARTLY else 0


@pytest.mark.parametrize("security", ["rc4-plain", "rc4"])
async def test_the_relay_itself_changes_nothing(relay, security):
    identity, registers, present = await read_all(relay.url, security=security)
    assert identity.serial
    assert registers[IMPORT] > 0
    assert present


@pytest.mark.parametrize("security", ["rc4-plain", "rc4"])
async def test_a_recorded_session_cannot_be_played_back(relay, security):
    await read_all(relay.url, security=security)
    recorded = iter(list(relay.replies))

    def play(_):
        frame = next(recorded, b"")
        relay.to_client.write(frame)
        return []

    relay.from_client = play
    with pytest.raises(OsgpError):
        await read_all(relay.url, security=security)


async def test_replies_to_other_questions_are_not_taken(relay):
    _, registers, present = await read_all(relay.url)
    held = []

    def swap(frame):
        held.append(frame)
        return [held[-2]] if len(held) > 1 else []

    async with open_meter(relay.url, key=KEY, security="rc4-plain") as meter:
        await meter.dimensions()
        relay.from_meter = swap
        for read, before in [(meter.registers, registers), (meter.present, present)] * 3:
            try:
                values = await read()
            except LinkError:
                continue
            # A sending asked again may be answered late, by what the meter said to it the first time.
            assert values.keys() == before.keys()
            assert registers[IMPORT] <= values.get(IMPORT, registers[IMPORT]) < registers[IMPORT] + 1000


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(lambda _: b"\0", id="done"),
        pytest.param(lambda _: b"\0\0\0", id="no-bytes"),
        pytest.param(lambda count: b"\0" + count.to_bytes(2, "big") + bytes(count), id="zeros"),
        pytest.param(lambda count: bytes(3 + count), id="zeros-without-count"),
    ],
)
async def test_zeros_under_the_digest_of_the_request_are_no_reading(relay, body):
    def forge(request):
        forged = body(asked(request)) + request[-8:]
        relay.to_client.write(len(forged).to_bytes(2, "big") + forged)
        return []

    relay.from_client = forge
    stats = await nothing_is_read(relay.url)
    assert stats.replies == 0
    assert stats.corrupt > 0


@pytest.mark.parametrize("step", [1, -1], ids=["longer", "shorter"])
async def test_zeros_cannot_be_added_to_a_reply_or_taken_away(relay, step):
    def stretch(frame):
        body, tag = frame[2:-8], frame[-8:]
        body = body + b"\0" if step > 0 else body[:-1]
        return [(len(body) + 8).to_bytes(2, "big") + body + tag]

    relay.from_meter = stretch
    await nothing_is_read(relay.url)


async def test_every_bit_counts(relay):
    turn = 0

    def flip(frame):
        nonlocal turn
        turn += 37
        place = turn % ((len(frame) - 2) * 8)
        changed = bytearray(frame)
        changed[2 + place // 8] ^= 1 << place % 8
        return [bytes(changed)]

    relay.from_meter = flip
    async with open_meter(relay.url, key=KEY, security="rc4-plain") as meter:
        for _ in range(FAILURES):
            with pytest.raises((LinkError, KeyRejected)):
                await meter.registers()
        assert meter.stats.replies == 0


async def test_refusals_said_by_somebody_else_do_not_stop_the_reading(relay):
    async with open_meter(relay.url, key=KEY, security="rc4-plain") as meter:
        before = await meter.registers()

        def refuse_first(request):
            relay.to_client.write(bytes.fromhex("0009 0B 0000000000000000") * 3)
            return [request]

        relay.from_client = refuse_first
        for _ in range(20):
            assert (await meter.registers())[IMPORT] >= before[IMPORT]


async def test_the_meter_is_read_again_when_the_attack_ends(relay):
    async with open_meter(relay.url, key=KEY, security="rc4-plain") as meter:
        await meter.registers()
        relay.from_meter = lambda _: [b"\xff" * 5000]
        with pytest.raises(LinkError):
            await meter.registers()
        relay.from_meter = lambda frame: [frame]
        assert (await meter.registers())[IMPORT] > 0
