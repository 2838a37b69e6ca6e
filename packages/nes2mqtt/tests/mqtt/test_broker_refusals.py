"""What a broker that cannot be used is called, against a real mosquitto and against broken ones."""

from __future__ import annotations

import asyncio
import logging
import socket
import subprocess

import aiomqtt
import pytest

from nes2mqtt.host.secret import Secret
from nes2mqtt.outputs.mqtt.client import answered as answered_module
from nes2mqtt.outputs.mqtt.client.answered import Answered
from nes2mqtt.outputs.mqtt.client.connection import Answer, Disconnected, Limits, NoGreeting, Refused, Version
from nes2mqtt.outputs.mqtt.client.refusals import REASONS, SILENT, Refusals, describe, kind_of
from nes2mqtt.outputs.mqtt.client.session import Session
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.mqtt.output import MqttOutput

PASSWORD = 'open "Sesame" <&>'


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A certificate authority, a broker certificate for localhost and one for a client."""
    folder = tmp_path_factory.mktemp("certificates")
    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=Test CA")
    for name, subject in (("broker", "/CN=localhost"), ("client", "/CN=nes2mqtt")):
        openssl(folder, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
        (folder / "names").write_text("subjectAltName=DNS:localhost")
        signed = ("-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-out", f"{name}.pem", *signed)
    for path in folder.iterdir():
        path.chmod(0o644)
    return folder


@pytest.fixture
def passwords(tmp_path):
    path = tmp_path / "passwords"
    path.write_text("")
    path.chmod(0o600)
    subprocess.run(["mosquitto_passwd", "-b", path, "meter", PASSWORD], check=True, capture_output=True)
    return path


@pytest.fixture
def make(rig, gateway, hub):
    def build(broker, **settings):
        return MqttOutput(rig.config(broker, **settings), gateway, None, hub, timing=rig.QUICK)

    return build


async def problem(rig, output, part):
    """Return what an output says once it says something with ``part`` in it."""
    async with rig.running(output):
        await rig.until(lambda: part in output.status().message)
        assert not output.status().ok
        return output.status().message


async def test_user_and_password_are_accepted(rig, broker_at, passwords, make):
    broker = broker_at(f"password_file {passwords}\n")
    output = make(broker, username="meter", password=Secret(PASSWORD))
    async with rig.listening(broker, username="meter", password=PASSWORD) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")
        assert output.status().ok


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (
            {"username": "meter", "password": Secret("wr0ng", "file /etc/pw", inline=False)},
            "refuses user 'meter' or its password (file /etc/pw)",
        ),
        ({"username": "meter"}, "refuses user 'meter', for whom no password is set; set password"),
        ({}, "refuses a client without a user name; set username and password"),
    ],
)
async def test_refused_credentials_are_named_once_and_never_shown(
    rig, broker_at, passwords, make, caplog, protocol, settings, says
):
    broker = broker_at(f"password_file {passwords}\n")
    output = make(broker, protocol=protocol, **settings)
    with caplog.at_level(logging.DEBUG):
        message = await problem(rig, output, "refuses")
    assert message == f"broker 127.0.0.1:{broker.port} {says}"
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [record.getMessage() for record in warnings] == [message]
    assert "wr0ng" not in caplog.text


async def test_tls_with_password(rig, broker_at, passwords, make, authority):
    broker = broker_at(
        f"password_file {passwords}\ncafile {authority}/ca.pem\n"
        f"certfile {authority}/broker.pem\nkeyfile {authority}/broker.key\n"
    )
    output = make(
        broker, host="localhost", username="meter", password=Secret(PASSWORD), tls={"ca_file": f"{authority}/ca.pem"}
    )
    tls = aiomqtt.TLSParameters(ca_certs=f"{authority}/ca.pem")
    credentials = {"username": "meter", "password": PASSWORD, "tls_params": tls, "tls_insecure": True}
    async with rig.listening(broker, **credentials) as listener, rig.running(output):
        await listener.topic("nes2mqtt/status", "online")


async def test_a_certificate_nobody_vouches_for(rig, broker_at, make, authority):
    broker = broker_at(f"allow_anonymous true\ncertfile {authority}/broker.pem\nkeyfile {authority}/broker.key\n")
    said = await problem(rig, make(broker, host="localhost", tls={}), "trusted")
    assert "set tls.ca_file to the authority that signed it" in said
    async with rig.running(make(broker, host="localhost", tls={"insecure": True})) as output:
        await rig.until(lambda: output.status().ok)


async def test_a_certificate_for_another_name(rig, broker_at, make, authority):
    broker = broker_at(f"allow_anonymous true\ncertfile {authority}/broker.pem\nkeyfile {authority}/broker.key\n")
    said = await problem(rig, make(broker, tls={"ca_file": f"{authority}/ca.pem"}), "trusted")
    assert "127.0.0.1" in said
    assert "host to the name in it" in said


async def test_a_broker_that_wants_our_certificate(rig, broker_at, make, authority, monkeypatch):
    monkeypatch.setattr(answered_module, "ANSWER", 1.0)
    broker = broker_at(
        f"allow_anonymous true\ncafile {authority}/ca.pem\nrequire_certificate true\n"
        f"certfile {authority}/broker.pem\nkeyfile {authority}/broker.key\n"
    )
    tls = {"ca_file": f"{authority}/ca.pem"}
    assert "tls.cert_file and tls.key_file" in await problem(rig, make(broker, host="localhost", tls=tls), "cert_file")
    tls |= {"cert_file": f"{authority}/client.pem", "key_file": f"{authority}/client.key"}
    async with rig.running(make(broker, host="localhost", tls=tls)) as output:
        await rig.until(lambda: output.status().ok)


async def test_tls_on_a_port_without(rig, broker, make, monkeypatch):
    monkeypatch.setattr(answered_module, "ANSWER", 1.0)
    said = await problem(rig, make(broker, host="localhost", tls={}), "broker")
    assert "TLS" in said
    assert "heck port and tls" in said


async def test_nobody_listens(rig, make, broker):
    broker.kill()
    said = await problem(rig, make(broker), "nothing listens")
    assert said.startswith(f"broker 127.0.0.1:{broker.port} does not answer")


async def test_a_name_without_address(rig, make, broker):
    assert "no address for 'broker.invalid'" in await problem(rig, make(broker, host="broker.invalid"), "address")


async def test_something_listens_that_is_no_broker(rig, make, broker, monkeypatch):
    monkeypatch.setattr(answered_module, "ANSWER", 0.3)

    # The kernel takes the connection; nobody ever reads from it.
    with socket.create_server(("127.0.0.1", 0)) as mute:
        said = await problem(rig, make(broker, port=mute.getsockname()[1]), "greet")
    assert said.endswith("does an MQTT broker listen on this port, without TLS?")


async def test_an_outage_is_said_once_and_its_end_too(rig, broker, make, caplog):
    output = make(broker)
    with caplog.at_level(logging.INFO, logger="nes2mqtt"):
        async with rig.running(output):
            await rig.until(lambda: output.status().ok)
            broker.kill()
            await rig.until(lambda: "nothing listens" in output.status().message)
            await asyncio.sleep(0.6)  # several attempts
            broker.start()
            await rig.until(lambda: output.status().ok)
    said = [record.getMessage() for record in caplog.records]
    assert len([text for text in said if "nothing listens" in text]) == 1
    assert len([text for text in said if text.startswith("connected to broker")]) == 2


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
async def test_another_client_with_our_id_is_noticed(rig, broker, make, caplog, protocol):
    output = make(broker, client_id="twin", protocol=protocol)
    version = aiomqtt.ProtocolVersion.V5 if protocol == "5" else aiomqtt.ProtocolVersion.V311

    async def rival():
        while True:
            try:
                async with aiomqtt.Client("127.0.0.1", broker.port, identifier="twin", protocol=version) as client:
                    async for _ in client.messages:
                        pass
            except aiomqtt.MqttError:
                await asyncio.sleep(0.02)

    async with rig.running(output):
        await rig.until(lambda: output.status().ok)
        task = asyncio.create_task(rival())
        try:
            # A broker of MQTT 5 may say why it ends a connection, in time or too late to be heard.
            found, told = (
                "another program may use the client id 'twin'",
                "another client with the client id 'twin' took our",
            )
            await rig.until(lambda: any(text in output.status().message for text in (found, told)))
            await asyncio.sleep(0.5)  # several more evictions
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    said = [[text in record.getMessage() for text in (found, told)] for record in caplog.records]
    assert [sum(column) for column in zip(*said, strict=True)] in ([1, 0], [0, 1], [1, 1]), "each is said once"


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        (Answer.CONNACK, 0x84, 'refuses the connection: it does not speak MQTT 5; set protocol = "auto"'),
        (
            Answer.CONNACK,
            0x85,
            "refuses the connection: it does not take the client id 'twin'; choose another client_id",
        ),
        (Answer.CONNACK, 0x86, "refuses a client without a user name; set username and password"),
        (Answer.CONNACK, 0x88, "refuses the connection: it is not available now; trying again"),
        (Answer.DISCONNECT, 0x8B, "ended the connection: it is shutting down; trying again"),
        (Answer.DISCONNECT, 0x8E, "ended the connection: another client with the client id 'twin' took our place"),
        (Answer.DISCONNECT, 0x80, "ended the connection: it does not say why"),
        (Answer.DISCONNECT, 0xFE, "closed the connection; trying again"),
        # R3
        (Answer.CONNACK, 0x9A, "refuses the connection: it keeps no retained messages"),
        (Answer.CONNACK, 0x9B, "refuses the connection: it does not take messages of this QoS"),
    ],
)
def test_reason_codes_in_words(answer, code, says):
    """mosquitto 2.0.11 closes without a DISCONNECT; other brokers say why."""
    error = Disconnected("")
    error.__cause__ = Refused(answer, code)
    broker = MqttConfig.model_validate({"host": "broker"})
    assert describe(error, broker, "twin").startswith(f"broker broker:1883 {says}")


# MQTT 5, section 2.4: all codes from 0x80 on.
ALL_CODES = [*range(0x80, 0x92), *range(0x93, 0xA3)]


def test_r3_every_reason_code_of_mqtt_5_has_words():
    assert sorted(REASONS.keys() - {SILENT}) == ALL_CODES


@pytest.mark.parametrize("code", ALL_CODES)
def test_r1_every_refusal_of_a_message_is_told_once_with_topic_and_reason(code, caplog):
    caplog.set_level(logging.INFO)
    refusals = Refusals(MqttConfig.model_validate({"host": "broker", "username": "meter"}), "twin")
    for _ in range(3):
        for meter in ("house", "barn"):
            refusals.add(f"nes2mqtt/meters/{meter}/registers", Refused(Answer.PUBACK, code, "no more\ntoday"), 300)
    (said,) = [record.getMessage() for record in caplog.records]
    assert said.startswith(
        "broker broker:1883 refuses what we publish on nes2mqtt/meters/house/registers (300 bytes): "
    )
    assert said.endswith("; it is kept and tried again")
    assert "no moretoday" in said
    assert refusals.problem.endswith("(and 1 more topic)")
    refusals.taken("nes2mqtt/meters/house/registers")
    refusals.taken("nes2mqtt/meters/barn/registers")
    assert refusals.problem == ""


async def test_a_key_file_locked_with_a_password(rig, broker, make, authority, tmp_path):
    locked = tmp_path / "locked.key"
    openssl(tmp_path, "ec", "-in", f"{authority}/client.key", "-aes128", "-passout", "pass:x", "-out", str(locked))
    tls = {"ca_file": f"{authority}/ca.pem", "cert_file": f"{authority}/client.pem", "key_file": str(locked)}
    assert "locked with a password" in await problem(rig, make(broker, tls=tls), "locked")


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (Refused(Answer.CONNACK, 0x86), "mqtt_auth"),
        (Refused(Answer.CONNACK, 0x87), "mqtt_auth"),
        (Refused(Answer.CONNACK, 0x89), "mqtt_refused"),
        (Refused(Answer.DISCONNECT, 0x87), "mqtt_refused"),
        (ConnectionRefusedError(), "mqtt_unreachable"),
    ],
)
def test_troubles_have_one_word_for_programs(cause, kind):
    error = Disconnected("")
    error.__cause__ = cause
    assert kind_of(error) == kind


async def test_the_status_carries_its_word(rig, broker, make):
    output = make(broker)
    assert (output.status().code, output.status().params) == ("mqtt_connecting", {"broker": f"127.0.0.1:{broker.port}"})
    async with rig.running(output):
        await rig.until(lambda: output.status().ok)
        assert output.status().code == "mqtt_connected"


async def test_r1_a_subscription_is_refused_until_it_is_taken():
    answers = [Refused(Answer.SUBACK, 0x83)]

    class Client:
        async def subscribe(self, topics):
            return [answers[-1] for _ in topics]

    refusals = Refusals(MqttConfig.model_validate({"host": "broker"}), "twin")
    await Session(Client(), Limits(Version.V5), refusals).subscribe("homeassistant/status")
    assert "refuses that we listen to homeassistant/status: for a reason of its own" in refusals.problem
    answers.append(None)
    await Session(Client(), Limits(Version.V5), refusals).subscribe("homeassistant/status")
    assert refusals.problem == ""


def test_a_refusal_that_comes_and_goes_is_logged_four_times_an_hour_at_most(caplog):
    now = [0.0]
    refusals = Refusals(MqttConfig.model_validate({"host": "broker"}), "twin", lambda: now[0])
    while now[0] < 3600:
        refusals.add("nes2mqtt/meters/house/registers", Refused(Answer.PUBACK, 0x97), 300)
        assert "our quota is used up" in refusals.problem
        refusals.taken("nes2mqtt/meters/house/registers")
        assert refusals.problem == ""
        now[0] += 10
    assert len(caplog.records) == 4


class Unfriendly:
    """A broker in memory that greets late or never, or greets and leaves after some time."""

    def __init__(self, lasts):
        self.lasts = lasts
        self.attempts = []

    def __call__(self, *_):
        self.attempts.append(asyncio.get_running_loop().time())
        return self

    async def connect(self):
        if self.lasts is None:
            async with Answered("does not greet back", NoGreeting()):
                await asyncio.Event().wait()
        return Limits(Version.V5)

    async def publish(self, message):
        pass

    async def subscribe(self, topics):
        return [None for _ in topics]

    async def messages(self):
        await asyncio.sleep(self.lasts)
        raise Disconnected("")
        yield

    async def disconnect(self):
        pass

    def hang_up(self):
        pass


@pytest.mark.virtual_clock
@pytest.mark.parametrize(("lasts", "attempts"), [(None, 160), (15.0, 280)])
async def test_a_broker_that_never_greets_or_always_leaves_fills_no_log(gateway, hub, caplog, lasts, attempts):
    broker = Unfriendly(lasts)
    output = MqttOutput(MqttConfig.model_validate({"host": "b"}), gateway, None, hub, client=broker)
    task = asyncio.create_task(output.run())
    await asyncio.sleep(3600)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert 20 < len(broker.attempts) < attempts
    said = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert 1 <= len(said) <= 6, said


@pytest.mark.virtual_clock
@pytest.mark.parametrize("turns", range(8))
async def test_it_ends_when_it_is_stopped_at_the_moment_in_which_the_broker_leaves(gateway, hub, turns):
    output = MqttOutput(MqttConfig.model_validate({"host": "b"}), gateway, None, hub, client=Unfriendly(15.0))
    task = asyncio.create_task(output.run())
    await asyncio.sleep(15)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    done, _ = await asyncio.wait([task], timeout=30)
    assert done
