"""The same first run in the terminal: the same questions, the same mistakes, the same words."""

import asyncio
from dataclasses import replace

import pytest

from nes2mqtt.config.settings import load
from nes2mqtt.setup.brokers import NearBroker
from nes2mqtt.setup.detect import SerialPort
from nes2mqtt.setup.meter import Found
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.terminal import Terminal
from nes2mqtt.setup.wizard import Wizard
from nes2mqtt.setup.words import LANGUAGES, Words

KEY = "SIMULATED-METER-DEMO"
PASSWORD = "correct horse battery"


class Typist:
    """Types what belongs to a question; the questions are known by their labels."""

    def __init__(self, words, **answers):
        self.words = words
        self.answers = {label: list(given) for label, given in answers.items()}
        self.shown = []

    def say(self, line):
        self.shown.append(line)

    def ask(self, question):
        self.shown.append(question)
        for label, given in self.answers.items():
            texts = [self.words.text(key) for key in (f"field_{label}", label)]
            if any(text and question.strip().startswith(text) for text in texts) and given:
                return given.pop(0)
        raise EOFError(question)

    @property
    def text(self):
        return " ".join(" ".join(self.shown).split())


def usual(**changed):
    return {
        "field_password": [PASSWORD],
        "again": [PASSWORD],
        "reach": [""],
        "field_port": ["/dev/ttyUSB0"],
        "socket": [""],
        "key": [KEY],
        "name": ["House"],
        "id": [""],
        "timezone": ["Europe/Copenhagen"],
        "use": [""],
        "save_question": [""],
        **changed,
    }


async def run(wizard, language="en", **answers):
    words = Words(language)
    typist = Typist(words, **answers)
    try:
        async with asyncio.timeout(60):
            saved = await Terminal(wizard, words, typist.say, typist.ask, typist.ask).run()
    except EOFError as error:
        raise AssertionError(f"nothing to type at: {error}\n" + "\n".join(typist.shown)) from error
    return saved, typist


@pytest.mark.parametrize("language", LANGUAGES)
async def test_from_nothing_to_the_file_in_plain_lines(wizard, language):
    saved, typist = await run(wizard, language, **usual())
    assert load(wizard.path) == saved.settings
    assert saved.settings.meters["house"].port == "serial:///dev/ttyUSB0"
    assert "12345678" in typist.text
    assert "".join(typist.shown).replace("\n", "").isprintable()
    lines = "\n".join(typist.shown).splitlines()
    assert [
        line for line in lines if len(line) > 80 and not line.startswith("    ") and wizard.path.parent.name not in line
    ] == []
    assert KEY not in typist.text
    assert PASSWORD not in typist.text


async def test_each_mistake_is_told_and_only_what_was_wrong_is_asked_again(place, world):
    tries = {"hinders": 0, "read": 0, "save": 0}

    def hinders(path):
        tries["hinders"] += 1
        return {
            "/dev/nothing": Said("port_missing", "port", {"port": path}),
            "/dev/busy": Said("port_held", "port", {"port": path, "program": "minicom", "pid": 17}),
            "/dev/forbidden": Said("port_permission", "port", {"port": path, "user": "pi", "group": "dialout"}),
        }.get(path)

    async def read(address, key, *rest):
        del address
        tries["read"] += 1
        return await world.read_meter(*rest) if key.secret == KEY.encode()[:16] else Said("key_refused", "key")

    async def broker(config):
        if config.host == "off":
            return Said("broker_nobody", "host", {"host": "off", "port": 1883}, passable=True)
        wrong = config.password is not None and config.password.reveal() == "wrong"
        return Said("broker_password", "broker_password", {"broker": config.address}) if wrong else None

    def save(*args):
        tries["save"] += 1
        return world.save(*args) if tries["save"] > 1 else Said("disk_full", "", {"file": "x"})

    wizard = Wizard(place, 8099, replace(world, hinders=hinders, read_meter=read, try_broker=broker, save=save))
    saved, typist = await run(
        wizard,
        **usual(
            field_password=["short", PASSWORD, PASSWORD],
            again=["short", "other", PASSWORD],
            field_port=["/dev/nothing", "/dev/busy", "/dev/forbidden", "/dev/ttyUSB0"],
            key=["not a key", "ISMULATED-METER-DEMO", "ISMULATED-METER-DEMO", f'"{KEY}"'],
            use=["2", "", ""],
            host=["off", "broker", "broker"],
            broker_port=["", "", ""],
            username=["u", "u", "u"],
            broker_password=["right", "wrong", "right"],
            tls=["", "", ""],
            anyway_question=["n"],
            save_question=["", ""],
        ),
    )
    for words in (
        "Use at least 10 characters",
        "The two are not the same",
        "There is no /dev/nothing now",
        "minicom (number 17) uses /dev/busy",
        "sudo usermod -aG dialout pi",
        "This is not a key: it has 9 characters",
        "refuses this key",
        "was not asked again",
        "no broker listens at port 1883",
        "refuses this user and password",
        "The disk is full",
    ):
        assert words in typist.text, words
    assert tries["read"] == 2
    assert saved.settings.mqtt[0].password.reveal() == "right"
    assert not [secret for secret in (KEY, PASSWORD, "ISMULATED") if secret in typist.text]


async def test_a_step_back(wizard):
    saved, _ = await run(
        wizard,
        **usual(key=["<", KEY], field_port=["/dev/wrong", "/dev/ttyUSB0"], socket=["", ""]),
    )
    assert saved.settings.meters["house"].port == "serial:///dev/ttyUSB0"


async def test_no_at_the_end_leaves_everything_as_it_is(wizard, tmp_path):
    saved, typist = await run(wizard, **usual(save_question=["n"]))
    assert saved is None
    assert "Nothing was saved" in typist.text
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_meter_that_does_not_answer_may_be_passed(place, world):
    async def silent(address, *, either):
        del either
        return Found(address, answers=False, said=Said("port_silent", "port", passable=True))

    wizard = Wizard(place, 8099, replace(world, find_meter=silent))
    saved, typist = await run(wizard, **usual(anyway_question=["y"]))
    assert saved is not None
    assert "nothing answers" in typist.text


async def test_ports_are_chosen_by_number(place, world):
    ports = [SerialPort("/dev/serial/by-id/usb-FTDI", "FTDI FT232R USB UART"), SerialPort("/dev/ttyAMA0", "")]
    wizard = Wizard(place, 8099, replace(world, ports=lambda: ports))
    saved, typist = await run(wizard, **usual(field_port=["7", "1"]))
    assert saved.settings.meters["house"].port == "serial:///dev/serial/by-id/usb-FTDI"
    assert "1) FTDI FT232R USB UART /dev/serial/by-id/usb-FTDI" in typist.text


async def test_what_belongs_to_a_broker_that_is_chosen_is_filled_in_until_it_is_changed(place, world):
    async def near():
        return [NearBroker("localhost", 1883), NearBroker("pi.local", 8884, tls=True)]

    tried = []

    async def broker(config):
        tried.append((config.host, config.broker_port, config.uses_tls))
        return Said("broker_password", "broker_password", {"broker": config.address}) if len(tried) < 3 else None

    wizard = Wizard(place, 8099, replace(world, near_brokers=near, try_broker=broker))
    _, typist = await run(
        wizard,
        **usual(
            use=["2", "", ""],
            host=["2", "", ""],
            broker_port=["", "8885", ""],
            username=["", "", ""],
            broker_password=["", "", ""],
            tls=["", "", ""],
        ),
    )
    assert "2) pi.local:8884 (TLS)" in typist.text
    assert tried == [("pi.local", 8884, True), ("pi.local", 8885, True), ("pi.local", 8885, True)]
