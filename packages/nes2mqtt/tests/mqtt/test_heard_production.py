"""What an inverter publishes reaches who counts it, over the same connection as everything else; what was kept by the broker as such."""

import asyncio

import aiomqtt

POWER, TOTAL = "solar/power", "solar/total"


class Ears:
    """Notes what it is told."""

    topics = (POWER, TOTAL)

    def __init__(self):
        self.heard = []
        self.told = asyncio.Event()

    def hear(self, topic, payload, *, retained):
        self.heard.append((topic, payload, retained))
        self.told.set()

    async def until(self, count):
        async with asyncio.timeout(60):
            while len(self.heard) < count:
                self.told.clear()
                await self.told.wait()


async def test_what_an_inverter_publishes_is_heard_also_after_the_broker_was_away(rig, broker, gateway, hub):
    ears = Ears()
    output = rig.MqttOutput(rig.config(broker), gateway, None, hub, timing=rig.QUICK, ears=ears)
    async with aiomqtt.Client("127.0.0.1", broker.port) as inverter:
        await inverter.publish(TOTAL, "12.5", retain=True, qos=1)
    async with rig.running(output):
        await ears.until(1)
        async with aiomqtt.Client("127.0.0.1", broker.port) as inverter:
            await inverter.publish("solar/other", "1", qos=1)
            await inverter.publish(POWER, "1500", qos=1)
            await inverter.publish(TOTAL, "12.6", retain=True, qos=1)
        await ears.until(3)
        broker.kill()
        broker.start()
        async with asyncio.timeout(60), aiomqtt.Client("127.0.0.1", broker.port) as inverter:
            while len(ears.heard) < 4:  # until it is subscribed again
                await inverter.publish(POWER, "900", qos=1)
                await asyncio.sleep(0.05)
    assert ears.heard[:3] == [(TOTAL, "12.5", True), (POWER, "1500", False), (TOTAL, "12.6", False)]
    assert ears.heard[3] == (POWER, "900", False)
