"""What is special to a port with a session: the key shown once, the session kept and left, one UART for two ports."""

import asyncio
import logging
import traceback

import pytest

from osgp.errors import MeterRefused, MisuseError, PasswordRefused, ResponseTimeout, TransportError
from osgp.image import MeterImage
from osgp.mep.events import AlertReceived
from osgp.meter.writing import AllowWrites
from osgp.optical.diagnosis import NoMeterAnswers
from osgp.optical.events import EndReason, ServiceRefused, SessionEnded
from osgp.optical.events import RequestAnswered as Answered
from osgp.optical.key import OpticalKey, Padding
from osgp.optical.rights import Access
from osgp.optical.server import Meter as Habits
from osgp.optical.services import OpticalResponseCode
from osgp.optical.settings import SessionSettings
from osgp.optical.timing import HOLD_OFF, SESSION_LIMIT, Limits
from osgp.ports.transport import Address
from osgp.psem import PartialRead, Response, table_id
from osgp.simulator import Faults
from osgp.tables import TABLES, Dimensions

SECURITY = b"\x51"
WRONG = OpticalKey(b"not the meter's key!")


class Tap:
    """What goes over the line to a simulated meter, and what its optical port does."""

    def __init__(self, simulated):
        self.sent = bytearray()
        self.events = []
        simulated.watch_optical_port(self.sent.extend, self.events.append)

    def passwords(self, key):
        """Return how often a key stands on the line."""
        return bytes(self.sent).count(SECURITY + key.password())

    def ends(self):
        return [event.reason for event in self.events if isinstance(event, SessionEnded)]


class TestKey:
    @pytest.mark.parametrize("refusal", [OpticalResponseCode.ISC, OpticalResponseCode.ERR])
    async def test_07_14_a_wrong_key_is_on_the_wire_once_for_the_life_of_the_program(
        self, virtual_clock, bench, refusal
    ):
        async with bench.simulated(habits=Habits(refusal=refusal)) as simulated:
            tap, url = Tap(simulated), await simulated.serve_optical_tcp()
            async with bench.opened(url, WRONG) as meter:
                with pytest.raises(PasswordRefused, match="letter of your grid company"):
                    await meter.registers()
                for _ in range(10):
                    with pytest.raises(PasswordRefused):
                        await meter.identity()
            length = len(tap.sent)
            for _ in range(10):
                await asyncio.sleep(60)
                with pytest.raises(PasswordRefused, match="It was shown once"):
                    async with bench.opened(url, WRONG):
                        pytest.fail("it was opened")
            assert tap.passwords(WRONG) == 1
            assert len(tap.sent) == length
            assert [event.service for event in tap.events if isinstance(event, ServiceRefused)] == ["Security"]
            async with bench.opened(url) as meter:
                assert await meter.registers()

    async def test_07_14_another_port_may_be_asked(self, virtual_clock, bench):
        async with bench.simulated() as simulated, bench.simulated() as other:
            async with bench.opened(await simulated.serve_optical_tcp(), WRONG) as meter:
                with pytest.raises(PasswordRefused):
                    await meter.registers()
            async with bench.opened(await other.serve_optical_tcp(), WRONG) as meter:
                with pytest.raises(PasswordRefused):
                    await meter.registers()

    @pytest.mark.parametrize("padding", Padding)
    async def test_07_20_padding(self, virtual_clock, bench, padding):
        short = {Access.READ_ONLY: OpticalKey(b"short")}
        async with bench.simulated(habits=Habits(padding=padding), optical_keys=short) as simulated:
            url = await simulated.serve_optical_tcp()
            async with bench.opened(url, OpticalKey(b"short"), session=SessionSettings(padding=padding)) as meter:
                assert await meter.registers()
            other = Padding.ZEROS if padding is Padding.BLANKS else Padding.BLANKS
            async with bench.opened(url, OpticalKey(b"short"), session=SessionSettings(padding=other)) as meter:
                with pytest.raises(PasswordRefused, match="other padding"):
                    await meter.registers()

    async def test_07_20_a_key_is_in_no_log_event_or_traceback(self, virtual_clock, bench, caplog):
        caplog.set_level(logging.DEBUG)
        key, seen = OpticalKey(bytes(range(128, 148))), []
        async with bench.simulated() as simulated:
            url = await simulated.serve_optical_tcp()
            async with bench.opened(url, key, on_event=seen.append) as meter:
                with pytest.raises(PasswordRefused) as caught:
                    await meter.registers()
        texts = [*map(repr, seen), caplog.text, *traceback.format_exception(caught.value), repr(key), repr(meter)]
        for text in texts:
            for shown in (key.secret.hex(), key.secret.hex(" "), repr(key.secret), str(list(key.secret))[1:-1]):
                assert shown not in text

    async def test_without_a_key_a_meter_can_be_named(self, virtual_clock, bench):
        async with bench.simulated() as simulated, bench.opened(await simulated.serve_optical_tcp(), None) as meter:
            identity = await meter.identity()
            assert (identity.serial, identity.manufacturer, identity.firmware) == ("SIM0000001", "NES", "3.82.05")
            with pytest.raises(MeterRefused, match="this key may not do that"):
                await meter.read("BT23", 0, 8)

    async def test_keys_of_the_other_port_are_misuse(self, virtual_clock, bench):
        for url, key in (
            ("optical+tcp://127.0.0.1:1", bench.MBK),
            ("tcp://127.0.0.1:1", bench.RK),
            ("tcp://127.0.0.1:1", None),
        ):
            with pytest.raises(MisuseError, match="key"):
                async with bench.opened(url, key):
                    pytest.fail("it was opened")


class TestRights:
    async def test_07_15_what_the_read_only_key_may_not_read_is_said_and_the_rest_goes_on(self, virtual_clock, bench):
        async with bench.simulated() as simulated:
            url = await simulated.serve_optical_tcp()
            async with bench.opened(url) as meter:
                for table in ("BT04", "ET21", "ET51", "BT45"):
                    with pytest.raises(MeterRefused) as caught:
                        await meter.read(table, 0, 4)
                    assert caught.value.code == OpticalResponseCode.ISC
                assert len(await meter.registers()) == 35
            async with bench.opened(url, bench.PK) as meter:
                assert await meter.read("ET50", 0, 4)
                with pytest.raises(MeterRefused) as caught:
                    await meter.read("BT45", 0, 4)
                assert caught.value.code == OpticalResponseCode.ISC

    async def test_07_15_the_hardware_lock_on_one_table_leaves_the_others_alone(self, virtual_clock, bench):
        """ET42 says how registers roll over; a meter that keeps it to itself is read without."""
        async with bench.simulated() as simulated:
            serve, locked = simulated._optical._handler, table_id("ET42")

            def handler(request, access):
                return Response(OpticalResponseCode.ISC) if request.table == locked else serve(request, access)

            simulated._optical._handler = handler
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                assert len(await meter.registers()) == 35
                assert (await meter.dimensions()).rollover_digits is None

    async def test_writes_and_procedures_need_more_than_the_read_only_key(self, virtual_clock, bench):
        allowed = AllowWrites(tables=("ET13",), procedures=("BP03",))
        async with bench.simulated(habits=Habits(limits=Limits())) as simulated:
            url, before = await simulated.serve_optical_tcp(), simulated.read("ET13")
            async with bench.opened(url, allow_writes=allowed) as meter:
                with pytest.raises(MeterRefused, match="this key may not do that"):
                    await meter.write("ET13", b"\xaa", 3)
            assert simulated.read("ET13") == before
            async with bench.opened(url, bench.MK, allow_writes=allowed) as meter:
                await meter.write("ET13", bytes(range(1, 60)), 3)
                result = await meter.call("BP03")
                assert result.code == 3  # a house has consumed what it has consumed
                assert (await meter.call("BP03")).code == 3
            assert simulated.read("ET13")[3:62] == bytes(range(1, 60))


class TestSession:
    async def test_07_13_a_session_lasts_for_hours_and_is_renewed_before_the_guard(self, virtual_clock, bench):
        async with bench.simulated(baud=9600) as simulated:
            tap = Tap(simulated)
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                for _ in range(360):
                    assert await meter.present()
                    await asyncio.sleep(10)
                assert meter.stats.timeouts == meter.stats.resyncs == 0
        ends = tap.ends()
        assert set(ends) == {EndReason.CLOSED}, "each time we ended it ourselves"
        assert len(ends) == pytest.approx(3600 / 540 + 1, abs=1)
        assert tap.passwords(bench.RK) == len(ends)

    async def test_07_13_without_renewal_the_port_is_left_in_peace_until_it_listens_again(self, virtual_clock, bench):
        async with bench.simulated(baud=9600) as simulated:
            tap = Tap(simulated)
            settings = SessionSettings(renewal=10 * SESSION_LIMIT)
            async with bench.opened(await simulated.serve_optical_tcp(), session=settings) as meter:
                await meter.present()
                began = asyncio.get_running_loop().time()
                await asyncio.sleep(SESSION_LIMIT + 1)
                tap.sent.clear()
                while True:
                    try:
                        await meter.present()
                    except ResponseTimeout:
                        continue
                    break
                assert asyncio.get_running_loop().time() - began == pytest.approx(SESSION_LIMIT + HOLD_OFF, abs=30)
            assert EndReason.GUARD in tap.ends()
            assert len(tap.sent) < 3000, "some bytes a second: nobody hammers"

    async def test_leaving_ends_the_session_in_good_order(self, virtual_clock, bench):
        async with bench.simulated(baud=9600) as simulated:
            tap = Tap(simulated)
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                await meter.present()
                assert simulated.in_session
            assert tap.ends() == [EndReason.CLOSED]
            assert not simulated.in_session

    async def test_leaving_a_dead_meter_takes_no_time(self, virtual_clock, bench):
        async with bench.simulated() as simulated:
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                await meter.present()
                simulated._window.line.hear = lambda data, now: None
                left = asyncio.get_running_loop().time()
            assert asyncio.get_running_loop().time() - left < 2

    async def test_07_24_a_program_that_was_killed_is_followed_by_one_that_reads_within_ten_seconds(
        self, virtual_clock, bench
    ):
        async with bench.simulated(baud=9600) as simulated:
            url = await simulated.serve_optical_tcp()
            first = bench.opened(url)
            meter = await first.__aenter__()
            await meter.present()
            await meter._connection._port.close()  # no goodbye: the meter still holds the session
            assert simulated.in_session
            began = asyncio.get_running_loop().time()
            async with bench.opened(url) as second:
                assert await second.present()
            assert asyncio.get_running_loop().time() - began < 10
            with pytest.raises(TransportError):
                await meter.present()
            await first.__aexit__(None, None, None)

    async def test_a_cancelled_read_leaves_the_port_usable(self, virtual_clock, bench):
        async with (
            bench.simulated(baud=9600) as simulated,
            bench.opened(await simulated.serve_optical_tcp()) as meter,
        ):
            await meter.present()
            for _ in range(5):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.1):
                        await meter.registers()
            assert len(await meter.registers()) == 35

    async def test_identify_and_login_by_themselves(self, virtual_clock, bench):
        async with bench.simulated() as simulated:
            tap = Tap(simulated)
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                port = meter._connection
                assert (await port.identify()).standard == 0
                assert tap.passwords(bench.RK) == 0
                await port.login()
                assert tap.passwords(bench.RK) == 1

    async def test_nobody_there_is_said_in_words(self, virtual_clock, bench):
        async with (
            bench.simulated(faults=Faults.parse(["silence=100000"])) as simulated,
            bench.opened(await simulated.serve_optical_tcp()) as meter,
        ):
            with pytest.raises(NoMeterAnswers, match=r"no light.*The bridge's own serial settings.*8N1"):
                await meter.present()

    async def test_another_rate_is_misuse(self, virtual_clock, bench):
        with pytest.raises(MisuseError, match="9600 baud"):
            async with bench.opened("optical+tcp://127.0.0.1:1", session=SessionSettings(bauds=(9600, 19200))):
                pytest.fail("it was opened")


class TestLimits:
    @pytest.mark.parametrize(
        "limits", [None, Limits(64, 1), Limits(99, 1), Limits(128, 4), Limits(512, 2), Limits(512, 255)]
    )
    async def test_07_10_same_values_whatever_the_meter_grants(self, virtual_clock, bench, limits):
        async with bench.simulated(habits=Habits(limits=limits)) as simulated:
            tap = Tap(simulated)
            async with bench.opened(await simulated.serve_optical_tcp()) as meter:
                registers, present = await meter.registers(), await meter.present()
            async with bench.opened(await simulated.serve_tcp(), bench.MBK) as meter:
                assert (registers, present) == (await meter.registers(), await meter.present())
        most = (limits or Limits()).read
        asked = [event.request for event in tap.events if isinstance(event, Answered)]
        windows = [each for each in asked if isinstance(each, PartialRead)]
        assert all(each.count <= most for each in windows)
        assert all(each.offset % 4 == 0 and each.count % 4 == 0 for each in windows if each.table in {23, 28}), "torn"


class TestOneUart:
    async def test_the_mep_port_is_dead_during_an_optical_session(self, virtual_clock, bench):
        async with bench.simulated(baud=9600, shared_uart=True) as simulated:
            wire, light = await simulated.serve_tcp(), await simulated.serve_optical_tcp()
            async with bench.opened(wire, bench.MBK) as by_wire:
                await by_wire.present()
                async with bench.opened(light) as by_light:
                    await by_light.present()
                    with pytest.raises(ResponseTimeout):
                        await by_wire.present()
                    assert await by_light.present()
                assert await by_wire.present()

    async def test_07_05_mep_alerts_and_replies_at_the_window_do_no_harm(self, virtual_clock, bench):
        async with bench.simulated(baud=9600, shared_uart=True) as simulated:
            wire, light = await simulated.serve_tcp(), await simulated.serve_optical_tcp()
            simulated.alert(1)
            heard = []
            async with bench.opened(wire, bench.MBK, on_event=heard.append) as by_wire:

                async def poll():
                    while True:
                        try:
                            await by_wire.read("BT23", 0, 200)
                        except ResponseTimeout:
                            await asyncio.sleep(0.1)

                polling = asyncio.create_task(poll())
                for _ in range(10):
                    await asyncio.sleep(2.3)
                    async with bench.opened(light) as by_light:
                        assert len(await by_light.registers()) == 35
                polling.cancel()
                await asyncio.gather(polling, return_exceptions=True)
        assert any(isinstance(event, AlertReceived) for event in heard)

    async def test_07_04_the_first_packet_of_each_session_is_damaged(self, virtual_clock, bench):
        async with bench.simulated(baud=9600, shared_uart=True) as simulated:
            url = await simulated.serve_optical_tcp()
            for _ in range(5):
                async with bench.opened(url) as meter:
                    assert await meter.present()
                    assert meter.stats.retries == 1

    async def test_separate_ports_are_read_side_by_side(self, virtual_clock, bench):
        async with bench.simulated(baud=9600, shared_uart=False) as simulated:
            wire, light = await simulated.serve_tcp(), await simulated.serve_optical_tcp()
            async with bench.opened(wire, bench.MBK) as by_wire, bench.opened(light) as by_light:
                both = await asyncio.gather(by_wire.present(), by_light.present())
                assert both[0] == both[1]
                assert by_light.stats.retries == 0

    async def test_firmware_says_which_it_is(self, virtual_clock, bench):
        assert bench.simulated().one_uart
        newer = TABLES["BT01"].encode({"firmware": (4, 60, 1)}, Dimensions())
        image = MeterImage.load("image:denmark-optical")
        image.tables[1] = bytearray(newer)
        assert not bench.simulated(image).one_uart


def test_addresses():
    assert Address.parse("optical:///dev/ttyUSB0").optical
    assert Address.parse("optical+tcp://head:8888").optical
    assert not Address.parse("tcp://head:8888").optical
    assert str(Address.parse("optical+tcp://head:8888")) == "optical+tcp://head:8888"
    with pytest.raises(MisuseError, match="9600"):
        Address.parse("optical:///dev/ttyUSB0?baud=19200")
