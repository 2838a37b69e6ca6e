"""An output that breaks is started again and disturbs nobody."""

import asyncio

import pytest

from nes2mqtt.outputs.supervise import Supervised
from nes2mqtt.readings.hub import Hub, OutputStatus

pytestmark = pytest.mark.virtual_clock


class Output:
    """Breaks as often as told, then works."""

    name = "fragile"

    def __init__(self, *mistakes):
        self.mistakes = list(mistakes)
        self.starts = []
        self.events = []
        self.status_mistake = None

    def offer(self, event):
        self.events.append(event)
        if event == "poison":
            raise RuntimeError("cannot take it")

    async def run(self):
        self.starts.append(asyncio.get_running_loop().time())
        if self.mistakes:
            mistake = self.mistakes.pop(0)
            if mistake is None:
                return
            raise mistake
        await asyncio.Event().wait()

    def status(self):
        if self.status_mistake is not None:
            raise self.status_mistake
        return OutputStatus(self.name, ok=True, message="well")


async def run_for(output, seconds):
    task = asyncio.create_task(output.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_is_started_again_later_each_time_and_said_once(caplog):
    inner = Output(*[ZeroDivisionError("oops") for _ in range(20)])
    await run_for(Supervised(inner), 3600)
    waits = [round(b - a) for a, b in zip(inner.starts, inner.starts[1:], strict=False)]
    assert waits[:4] == [1, 2, 4, 8]
    assert max(waits) == 300
    assert len(caplog.records) == 1
    assert "output fragile stopped (ZeroDivisionError)" in caplog.text


async def test_the_status_tells_the_mistake_and_then_the_outputs_own():
    inner = Output(ZeroDivisionError("secret text"))
    output = Supervised(inner)
    task = asyncio.create_task(output.run())
    await asyncio.sleep(0.5)
    status = output.status()
    assert not status.ok
    assert "ZeroDivisionError" in status.message
    assert "secret text" not in status.message
    await asyncio.sleep(1)
    assert output.status().message == "well"
    inner.status_mistake = KeyError("x")
    assert not output.status().ok
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_an_output_that_ends_by_itself_is_started_again(caplog):
    inner = Output(None)
    await run_for(Supervised(inner), 10)
    assert len(inner.starts) == 2
    assert "ended by itself" in caplog.text


async def test_an_output_that_cannot_take_an_event_disturbs_no_other(make_sample, caplog):
    class Bad(Output):
        def offer(self, event):
            raise RuntimeError("cannot take it")

    good = Output()
    hub = Hub({})
    for output in (Supervised(Bad()), Supervised(good)):
        hub.add(output)
    for _ in range(3):
        hub.publish(make_sample())
    assert len(good.events) == 3
    assert len(caplog.records) == 1
