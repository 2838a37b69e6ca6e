"""Register samples arrive in order, each at least once, whatever the broker does."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nes2mqtt.history.config import HistoryConfig
from nes2mqtt.history.store import Store
from nes2mqtt.outputs.mqtt.client.broker import Pace
from nes2mqtt.outputs.mqtt.client.connection import Answer, Disconnected, Refused
from nes2mqtt.outputs.mqtt.client.message import Message
from nes2mqtt.outputs.mqtt.client.session import WINDOW, publish_all
from nes2mqtt.outputs.mqtt.delivery import KEPT, Delivery, LatestRegisters
from nes2mqtt.outputs.mqtt.output import MqttOutput
from nes2mqtt.readings.reading import TableGroup

TOPIC = "nes2mqtt/meters/house/registers"


class FakeOutbox:
    """As the history's, in memory."""

    def __init__(self, samples=()):
        self.changed = asyncio.Event()
        self.queue = deque(enumerate(samples, start=1))
        self.acknowledged = 0

    def add(self, seq, sample):
        self.queue.append((seq, sample))
        self.changed.set()

    def pending(self, limit):
        return list(self.queue)[:limit]

    def acknowledge(self, seq):
        assert seq > self.acknowledged
        self.acknowledged = seq
        while self.queue and self.queue[0][0] <= seq:
            self.queue.popleft()

    def waiting(self):
        return len(self.queue)


class FakeSession:
    """Confirms messages one by one until its connection ends after ``lasts`` of them."""

    def __init__(self, lasts):
        self.lasts = lasts
        self.sent = []

    async def publish(self, message):
        self.sent.append(message.payload)
        place = len(self.sent)
        await asyncio.sleep(0)
        if place > self.lasts:
            raise Disconnected("gone")


async def deliver(outbox, session, messages, sent):
    """Run a delivery that knows nothing of earlier connections."""
    await Delivery(outbox, messages, sent).run(session)


def two_messages(seq, sample):
    return [Message("a", f"{seq}a", 1, retain=True), Message("b", f"{seq}b", 1)]


@given(total=st.integers(0, 3 * WINDOW), lasts=st.lists(st.integers(0, 130), max_size=4))
async def test_in_order_and_at_least_once_over_broken_connections(total, lasts):
    outbox = FakeOutbox([None] * total)
    heard: list[str] = []
    for length in [*lasts, 10**9]:
        session = FakeSession(length)
        work = asyncio.ensure_future(deliver(outbox, session, two_messages, lambda message: None))
        for _ in range(40 * WINDOW):
            await asyncio.sleep(0)
            if work.done() or not outbox.queue:
                break
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        # What the broker confirmed is what subscribers heard.
        heard += session.sent[:length]
        # Nothing is acknowledged that was not confirmed.
        assert outbox.acknowledged <= sum(text.endswith("b") for text in dict.fromkeys(heard))
    first_time = list(dict.fromkeys(heard))
    assert first_time == [f"{seq}{part}" for seq in range(1, total + 1) for part in "ab"]


async def test_a_sample_half_confirmed_comes_again_whole():
    outbox = FakeOutbox([None] * 3)
    with pytest.raises(Disconnected):
        await deliver(outbox, FakeSession(3), two_messages, lambda message: None)
    assert outbox.acknowledged == 1


async def test_without_a_history_the_newest_of_each_meter_is_kept(rig):
    outbox = LatestRegisters()
    for meter, watt_hours in (("house", 1), ("barn", 2), ("house", 3)):
        outbox.add(rig.sample(TableGroup.REGISTERS, {"active_energy_import": watt_hours}, meter))
    assert [(seq, sample.meter) for seq, sample in outbox.pending(9)] == [(2, "barn"), (3, "house")]
    assert outbox.dropped == 1
    outbox.acknowledge(2)
    assert outbox.waiting() == 1


async def test_an_outage_loses_no_register_and_does_not_hold_up_live_values(rig, broker, gateway, hub):
    samples = [rig.sample(TableGroup.REGISTERS, {"active_energy_import": wh}) for wh in range(1000, 1500)]
    outbox = FakeOutbox(samples[:100])
    config = rig.config(broker, dialects=["homeassistant", "nmr-raw"])
    # Slow enough for the listener to be there before the output is.
    output = MqttOutput(config, gateway, outbox, hub, timing=replace(rig.QUICK, pace=Pace(4, 4)))
    hub.add(output)
    heard: list[int] = []

    async with AsyncExitStack() as running:
        async with rig.listening(broker, TOPIC) as listener:
            await running.enter_async_context(rig.running(output))
            await listener.until(lambda: len(listener.of(TOPIC)) == 100)
            await rig.until(lambda: not outbox.queue)
            heard += [json.loads(text)["seq"] for text in listener.of(TOPIC)]
        broker.kill()
        await rig.until(lambda: not output.status().ok)
        for seq, sample in enumerate(samples[100:], start=101):
            outbox.add(seq, sample)
        assert output.status().waiting == 400
        hub.publish(rig.status())
        hub.publish(rig.sample(TableGroup.PRESENT, {"active_power_import": 5}))
        broker.start()
        async with rig.listening(broker, "#") as listener:
            await rig.until(lambda: not outbox.queue)
            await listener.until(lambda: listener.of(TOPIC) and '"seq":500' in listener.of(TOPIC)[-1])
            await listener.topic("nes2mqtt/meter/import/active/accumulated", "1.499")
            heard += [json.loads(text)["seq"] for text in listener.of(TOPIC)]
            order = [str(message.topic) for message in listener.heard]
    # In order; the last one before the outage may come twice, because a broker may have lost it.
    assert list(dict.fromkeys(heard)) == list(range(1, 501))
    assert heard == sorted(heard)
    assert order.index("nes2mqtt/meter/import/active") < len(order) - 1 - order[::-1].index(TOPIC)
    assert output.status().waiting == 0


async def test_the_histories_journal_is_the_queue(rig, broker, gateway, hub, tmp_path):
    """The real outbox: what was read while the broker was away, and before this program was started again."""
    start = datetime.now(UTC) - timedelta(hours=1)
    readings = [
        rig.sample(TableGroup.REGISTERS, {"active_energy_import": 1000 + n}, received=start + timedelta(seconds=10 * n))
        for n in range(60)
    ]
    config = rig.config(broker)
    broker.kill()

    async def gateway_run(samples, until):
        async with Store.open(tmp_path / "history.db", HistoryConfig(), ZoneInfo("UTC")) as store:
            outbox = store.outbox(config.name)
            async with rig.running(MqttOutput(config, gateway, outbox, hub, timing=rig.QUICK)):
                for sample in samples:
                    assert await store.append(sample)
                await until(outbox)

    async def broker_is_away(outbox):
        assert outbox.waiting() == 40

    async def all_delivered(outbox):
        await rig.until(lambda: outbox.waiting() == 0)

    await gateway_run(readings[:40], broker_is_away)
    broker.start()
    async with rig.listening(broker, TOPIC) as listener:
        await gateway_run(readings[40:], all_delivered)
        await listener.until(lambda: len(listener.of(TOPIC)) >= 60)
    documents = [json.loads(text) for text in listener.of(TOPIC)]
    assert [document["active_energy_import"] for document in documents] == [(1000 + n) / 1000 for n in range(60)]
    assert [document["seq"] for document in documents] == sorted({document["seq"] for document in documents})


class SlowSession:
    """Confirms a message only when told to."""

    def __init__(self):
        self.waiting: list[asyncio.Future[None]] = []
        self.sent: list[str] = []

    async def publish(self, message):
        self.sent.append(message.payload)
        self.waiting.append(asyncio.get_running_loop().create_future())
        await self.waiting[-1]


async def test_many_messages_are_under_way_at_once_in_order_and_no_more_than_a_window():
    session = SlowSession()
    messages = [Message("a", str(number), 1) for number in range(WINDOW + 5)]
    work = asyncio.ensure_future(publish_all(session, messages))
    for _ in range(5):
        await asyncio.sleep(0)
    assert session.sent == [str(number) for number in range(WINDOW)]
    for confirmed in range(WINDOW + 5):
        session.waiting[confirmed].set_result(None)
        for _ in range(5):
            await asyncio.sleep(0)
        assert work.done() == (confirmed == WINDOW + 4)
    assert session.sent == [message.payload for message in messages]


class FreeSession(SlowSession):
    """Confirms at once, and waits for nothing."""

    async def publish(self, message):
        self.sent.append(message.payload)


async def test_messages_with_and_without_confirmation_leave_in_their_order():
    session = SlowSession()
    messages = [Message("a", str(number), qos) for number, qos in enumerate((1, 0, 0, 1, 0))]
    work = asyncio.ensure_future(publish_all(session, messages))
    await steps()
    assert session.sent == ["0", "1", "2", "3", "4"]
    for confirmed in session.waiting:
        confirmed.set_result(None)
    await work


async def test_live_values_of_many_meters_leave_the_others_their_turn():
    session = FreeSession()
    work = asyncio.ensure_future(publish_all(session, (Message("a", str(number)) for number in range(1000))))
    turns = 0
    while not work.done():
        await asyncio.sleep(0)
        turns += 1
    assert len(session.sent) == 1000
    assert turns >= 40


async def test_a_broken_connection_leaves_no_message_waiting():
    session = SlowSession()
    work = asyncio.ensure_future(publish_all(session, [Message("a", "1", 1), Message("a", "2", 1)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    session.waiting[0].set_exception(Disconnected("gone"))
    with pytest.raises(Disconnected):
        await work
    assert session.waiting[1].cancelled()


async def steps(count=10):
    for _ in range(count):
        await asyncio.sleep(0)


async def test_of_each_topic_one_message_is_under_way_and_many_topics_at_once():
    outbox = FakeOutbox([None] * 4)
    session = SlowSession()
    messages = lambda seq, _: [Message(f"t{seq % 2}", str(seq), 1)]  # noqa: E731
    work = asyncio.ensure_future(deliver(outbox, session, messages, lambda _: None))
    await steps()
    assert session.sent == ["1", "2"]
    session.waiting[1].set_result(None)  # out of order: nothing may be acknowledged yet
    await steps()
    assert session.sent == ["1", "2", "4"]
    assert outbox.acknowledged == 0
    session.waiting[0].set_result(None)
    await steps()
    assert outbox.acknowledged == 2
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


class ChoosySession:
    """Takes what it likes."""

    def __init__(self, refuses):
        self.refuses = refuses
        self.taken = []
        self.asked = 0

    async def publish(self, message):
        self.asked += 1
        await asyncio.sleep(0)
        if self.refuses(message):
            raise Refused(Answer.PUBACK, 0x87)
        self.taken.append((message.topic, message.payload))


def by_meter(seq, sample):
    return [Message(sample, str(seq), 1)]


@pytest.mark.virtual_clock
async def test_r1_a_refused_reading_is_kept_and_delivered_in_order_when_it_is_taken():
    outbox = FakeOutbox(["house"] * 20)
    session = ChoosySession(lambda message: True)
    work = asyncio.ensure_future(deliver(outbox, session, by_meter, lambda _: None))
    await asyncio.sleep(3600)
    assert (outbox.acknowledged, outbox.waiting()) == (0, 20)
    assert session.asked < 20, "less and less often"
    session.refuses = lambda message: False
    await asyncio.sleep(601)
    assert session.taken == [("house", str(seq)) for seq in range(1, 21)]
    assert outbox.waiting() == 0
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.virtual_clock
async def test_r1_one_refusal_in_between_does_not_turn_the_order_around():
    outbox = FakeOutbox(["house"] * 9)
    once = {"4"}
    session = ChoosySession(lambda message: message.payload in once and not once.discard(message.payload))
    work = asyncio.ensure_future(deliver(outbox, session, by_meter, lambda _: None))
    await asyncio.sleep(60)
    assert [payload for _, payload in session.taken] == [str(seq) for seq in range(1, 10)]
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.virtual_clock
async def test_r1_a_topic_refused_for_ever_neither_stops_the_others_nor_grows():
    outbox = FakeOutbox(["house", "barn"] * 20)
    session = ChoosySession(lambda message: message.topic == "house")
    delivery = Delivery(outbox, by_meter, lambda _: None)
    work = asyncio.ensure_future(delivery.run(session))
    await asyncio.sleep(60)
    barn = [("barn", str(seq)) for seq in range(2, 41, 2)]
    assert session.taken == barn, "the others go on"
    assert (outbox.acknowledged, outbox.waiting(), delivery.passed_over) == (0, 40, 0), "and the refused ones are kept"
    # The connection breaks: what is confirmed ahead does not come again.
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    for seq in range(41, 1001):
        outbox.add(seq, "house" if seq % 2 else "barn")
    work = asyncio.ensure_future(delivery.run(session))
    await asyncio.sleep(60)
    assert session.taken == [("barn", str(seq)) for seq in range(2, 1001, 2)]
    assert outbox.waiting() <= KEPT
    assert delivery.passed_over == outbox.acknowledged // 2
    session.refuses = lambda message: False
    await asyncio.sleep(601)
    house = [int(payload) for topic, payload in session.taken if topic == "house"]
    assert house == list(range(house[0], 1000, 2))
    assert len(house) >= KEPT // 2 - 1
    assert outbox.waiting() == 0
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


@pytest.mark.virtual_clock
async def test_r1_without_a_history_the_newest_reading_is_kept_while_it_is_refused(rig):
    outbox = LatestRegisters()
    session = ChoosySession(lambda message: True)
    work = asyncio.ensure_future(
        deliver(outbox, session, lambda seq, _: [Message("house", str(seq), 1)], lambda _: None)
    )
    for watt_hours in range(1, 2000):
        outbox.add(rig.sample(TableGroup.REGISTERS, {"active_energy_import": watt_hours}))
        await asyncio.sleep(1)
    session.refuses = lambda message: False
    await asyncio.sleep(601)
    assert session.taken == [("house", "1999")]
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)


async def test_b1_a_topic_refused_for_ever_does_not_hold_up_a_backlog_of_the_other_topic():
    outbox = FakeOutbox([None] * 2000)
    taken = []

    class Half:
        async def publish(self, message):
            await asyncio.sleep(0)
            if message.topic == "b":
                raise Refused(Answer.PUBACK, 0x87)
            taken.append(message.payload)

    work = asyncio.ensure_future(deliver(outbox, Half(), two_messages, lambda message: None))
    for _ in range(40_000):
        await asyncio.sleep(0)
        if len(taken) == 2000:
            break
    work.cancel()
    await asyncio.gather(work, return_exceptions=True)
    assert taken == [f"{seq}a" for seq in range(1, 2001)]
    assert outbox.waiting() <= KEPT
