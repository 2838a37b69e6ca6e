"""The steps of the first run against a simulated meter on a pseudo-terminal, and against a world that fails in every way."""

import asyncio
import os
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from nes2mqtt.config.settings import load
from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.meter import Found, find_meter, read_meter
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import StepName, key_of
from nes2mqtt.setup.wizard import Wizard
from osgp.ports.transport import Address, wire_tap
from osgp.simulator import DEMO_KEY_TEXT, SimulatedMeter

SWAPPED = "ISMULATED-METER-DEMO"
"""The key with its first two characters swapped."""
WRONG = "SIMULATED-METER-OMED"
"""Another one: the library shows no key again that an infrared window refused while the program runs."""


def told(outcome):
    return [said.code for said in outcome.said]


async def test_from_a_port_to_the_first_reading_and_the_file(meter, place, world, steps_taken):
    port = meter.serve_pty().removeprefix("serial://")
    wizard = Wizard(place, 8099, replace(world, find_meter=find_meter, read_meter=read_meter))
    await steps_taken(wizard, port={"port": port, "socket": "find"})
    seen = wizard.draft.seen
    assert (seen.manufacturer, seen.model, seen.serial) == ("NES", "83332-3I", "SIM0000001")
    drawn = meter.read("BT23")
    counts = (int.from_bytes(drawn[at : at + 4], "little") for at in range(len(drawn) - 3))
    assert seen.reading is not None
    assert any(abs(seen.reading - count) < 100 for count in counts)
    assert seen.power is not None
    assert abs(seen.behind) < 5
    outcome = await wizard.submit(StepName.CHECK, {})
    assert outcome.saved.settings.meters["our_house"].port == f"serial://{port}"
    assert load(place.config) == outcome.saved.settings


async def test_an_infrared_window_is_recognised_and_tells_who_it_is_without_a_key(meter, place, world):
    port = meter.serve_optical_pty().removeprefix("optical://")
    wizard = Wizard(place, 8099, replace(world, find_meter=find_meter, read_meter=read_meter))
    outcome = await wizard.submit(StepName.PORT, {"port": port, "socket": "find"})
    assert told(outcome) == ["found_optical"]
    assert outcome.seen.serial == "SIM0000001"
    assert wizard.draft.port == f"optical://{port}"


async def test_a_port_behind_which_nothing_answers(place, world):
    ours, theirs = os.openpty()
    wizard = Wizard(place, 8099, replace(world, find_meter=find_meter))
    answers = {"port": os.ttyname(theirs), "socket": "mep"}
    outcome = await wizard.submit(StepName.PORT, answers)
    assert not outcome.accepted
    assert outcome.said == (Said("port_silent", "port", passable=True),)
    assert (await wizard.submit(StepName.PORT, answers, anyway=True)).accepted
    os.close(ours)
    os.close(theirs)


async def test_a_port_that_is_pulled_while_the_key_is_tried(place, world):
    pulled = await SimulatedMeter().__aenter__()
    url = pulled.serve_pty()
    wizard = Wizard(place, 8099, replace(world, find_meter=find_meter, read_meter=read_meter))
    assert (await wizard.submit(StepName.PORT, {"port": url, "socket": "mep"})).accepted
    trying = asyncio.ensure_future(wizard.submit(StepName.KEY, {"key": DEMO_KEY_TEXT}))
    await asyncio.sleep(0)
    await pulled.__aexit__(None, None, None)
    outcome = await trying
    assert not outcome.accepted
    assert told(outcome)[0] in {"port_gone", "port_missing", "meter_silent"}
    assert StepName.KEY not in wizard.draft.done


@pytest.mark.parametrize("optical", [False, True])
async def test_a_wrong_key_is_refused_and_not_shown_again(place, world, meter, optical):
    url = meter.serve_optical_pty() if optical else meter.serve_pty()
    shown = []

    async def counted(address, key, padding, now):
        shown.append(key.secret)
        return await read_meter(address, key, padding, now)

    wizard = Wizard(place, 8099, replace(world, find_meter=find_meter, read_meter=counted))
    assert (await wizard.submit(StepName.PORT, {"port": url, "socket": "find"})).accepted
    wrong = {"key": SWAPPED, "padding": "zeros"}
    # Two presses at the same time, and one later: the meter is asked once.
    outcomes = await asyncio.gather(*(wizard.submit(StepName.KEY, wrong) for _ in range(2)))
    outcomes.append(await wizard.submit(StepName.KEY, {**wrong, "key": f'"{SWAPPED}"'}))
    refused = "key_refused_optical" if optical else "key_refused"
    assert [told(outcome) for outcome in outcomes] == [[refused], ["key_same"], ["key_same"]]
    assert len(shown) == 1
    right = await wizard.submit(StepName.KEY, {"key": f' "{DEMO_KEY_TEXT}" ', "padding": "zeros"})
    assert told(right)[0] == "key_right_characters"


async def test_on_the_infrared_window_a_press_shows_the_key_once(meter):
    """By the bytes on the wire: one Security service (0x51, Optical guide v1.1 p. 15) with the password."""
    url = meter.serve_optical_pty()
    sent = bytearray()
    before = wire_tap.set(lambda data, ours: sent.extend(data) if ours else None)
    try:
        key = key_of(WRONG, optical=True)
        said = await read_meter(Address.parse(url), key, "zeros", lambda: datetime.now(UTC))
    finally:
        wire_tap.reset(before)
    assert said.code == "key_refused_optical"
    assert sent.count(WRONG.encode()) == 1


async def test_what_answers_in_noise_is_told_from_silence():
    async def noise(reader, writer):
        while await reader.read(100):
            writer.write(b"\x00\xff\x13 noise")
        writer.close()

    server = await asyncio.start_server(noise, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    found = await find_meter(Address.parse(f"tcp://127.0.0.1:{port}"), either=False)
    assert found.said == Said("port_noise", "port", passable=True)
    server.close()


@pytest.mark.parametrize(
    ("changed", "step", "answers", "code"),
    [
        (
            {"hinders": lambda path: Said("port_permission", "port", {"port": path})},
            "port",
            {"port": "/dev/x"},
            "port_permission",
        ),
        ({"hinders": lambda path: Said("port_held", "port", {"port": path})}, "port", {"port": "/dev/x"}, "port_held"),
    ],
)
async def test_what_hinders_a_port_is_told_before_it_is_opened(place, world, changed, step, answers, code):
    async def never(*_, **__):
        raise AssertionError("the port was opened")

    wizard = Wizard(place, 8099, replace(world, find_meter=never, **changed))
    outcome = await wizard.submit(StepName(step), {"socket": "find", **answers}, anyway=True)
    assert not outcome.accepted
    assert told(outcome) == [code]


async def test_another_port_makes_the_key_void(wizard, steps_taken):
    await steps_taken(wizard)
    assert wizard.missing() == []
    await wizard.submit(StepName.PORT, {"port": "tcp://127.0.0.1:2", "socket": "mep"})
    assert wizard.missing() == [StepName.KEY]
    assert wizard.draft.key is None
    outcome = await wizard.submit(StepName.CHECK, {})
    assert outcome.said == (Said("step_missing", "", {"step": "key"}),)
    assert not wizard.path.exists()


async def test_nothing_is_on_the_disk_before_the_last_step(wizard, steps_taken, tmp_path):
    await steps_taken(wizard)
    assert wizard.plan() is not None
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_button_pressed_twice_saves_once(wizard, steps_taken):
    await steps_taken(wizard)
    first, second = await asyncio.gather(*(wizard.submit(StepName.CHECK, {}) for _ in range(2)))
    assert first.accepted
    assert second.accepted
    assert first.saved is second.saved


async def test_the_text_that_is_shown_has_no_secret(wizard, steps_taken):
    await steps_taken(
        wizard, mqtt={"use": "fhem", "host": "h", "username": "u", "broker_password": "CANARY-broker", "tls": "no"}
    )
    plan = wizard.plan()
    shown = f"{plan}{plan.text}{plan.files}{wizard.draft}"
    assert not any(secret in shown for secret in (DEMO_KEY_TEXT, "CANARY-broker", "scrypt:"))


async def test_a_brokers_password_is_kept_for_the_same_user_of_the_same_broker_only(place, world):
    tried = []

    async def noted(config):
        tried.append(config.password.reveal() if config.password is not None else None)

    wizard = Wizard(place, 8099, replace(world, try_broker=noted))
    given = {"use": "fhem", "host": "h", "username": "u", "broker_password": "secret", "tls": "no"}
    await wizard.submit(StepName.MQTT, given)
    await wizard.submit(StepName.MQTT, {**given, "broker_password": ""})
    await wizard.submit(StepName.MQTT, {**given, "broker_password": "", "host": "evil"})
    assert tried == ["secret", "secret", None]


@pytest.mark.parametrize(("behind", "code"), [(600.0, "clock_behind"), (-600.0, "clock_ahead"), (60.0, None)])
async def test_a_meter_whose_clock_is_far_off_is_told(place, world, behind, code):
    async def reads(*_):
        return Seen("NES", behind=behind)

    wizard = Wizard(place, 8099, replace(world, read_meter=reads))
    await wizard.submit(StepName.PORT, {"port": "tcp://h:1", "socket": "mep"})
    outcome = await wizard.submit(StepName.KEY, {"key": DEMO_KEY_TEXT})
    assert told(outcome) == ["key_right_characters", *([code] if code else [])]


async def test_a_meter_that_is_silent_when_the_key_is_tried_may_be_passed(place, world):
    async def silent(*_):
        return Said("meter_silent", passable=True)

    async def found(address, *, either):
        del either
        return Found(address, answers=False, said=Said("port_silent", "port", passable=True))

    wizard = Wizard(place, 8099, replace(world, read_meter=silent, find_meter=found))
    await wizard.submit(StepName.PORT, {"port": "tcp://h:1", "socket": "mep"}, anyway=True)
    assert not (await wizard.submit(StepName.KEY, {"key": DEMO_KEY_TEXT})).accepted
    assert (await wizard.submit(StepName.KEY, {"key": DEMO_KEY_TEXT}, anyway=True)).accepted
    assert wizard.draft.key.reveal() == DEMO_KEY_TEXT
