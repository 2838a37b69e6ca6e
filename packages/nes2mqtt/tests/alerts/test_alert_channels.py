"""The channels against real servers: what arrives, by which way, and what is said when nothing does."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from nes2mqtt.alerts.channels.apart import Apart
from nes2mqtt.alerts.channels.courier import Courier, Undelivered
from nes2mqtt.alerts.channels.mail import Mail
from nes2mqtt.alerts.channels.webhook import Webhook
from nes2mqtt.alerts.config import MailConfig, WebhookConfig
from nes2mqtt.alerts.kinds import Kind
from nes2mqtt.alerts.telling import Telling, What
from nes2mqtt.alerts.words import AlertWords

NOW = datetime(2026, 11, 22, 12, 5, tzinfo=UTC)
RAISED = Telling(
    What.RAISED,
    Kind.PHASE_LOAD,
    "house",
    "l2",
    24.13,
    22.5,
    25.0,
    since=datetime(2026, 11, 22, 12, 3, tzinfo=UTC),
    time=NOW,
    number=7,
)
CLEARED = Telling(
    What.CLEARED, Kind.VOLTAGE_LOW, "house", "l1", since=NOW - timedelta(minutes=9), until=NOW, time=NOW, number=8
)
PASSWORD = "a secret word"
WORDS = AlertWords("da", ZoneInfo("Europe/Copenhagen"), {"house": "Huset"})


def webhook(url, **more):
    return Webhook(WebhookConfig(url=url, **more), WORDS, "home")


def mail(port, home=None, **more):
    ca_file = None if home is None else home / "ca.pem"
    settings = {"host": "localhost", "port": port, "sender": "meter@example.org", "to": ["you@example.org"]}
    return Mail(MailConfig(ca_file=ca_file, **settings | more), WORDS, "home")


async def test_the_webhook_gets_words_and_values_with_the_secret_in_its_header(web_server, home):
    with web_server() as heard:
        config = {"ca_file": home / "ca.pem", "secret": f"Bearer {PASSWORD}"}
        await webhook(f"https://localhost:{heard.port}/hook?a=b", **config).bring([RAISED])
    ((path, headers, body),) = heard.posts
    assert path == "/hook?a=b"
    assert headers["Authorization"] == f"Bearer {PASSWORD}"
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert headers["Idempotency-Key"].startswith("home-7-")
    document = json.loads(body)
    assert document.pop("text").startswith("Der løber mere end 22,5 A på L2, senest 24,1 A; sikringen er på 25 A.")
    assert document == {
        "gateway": "home",
        "title": "L2 er tæt på sikringens grænse",
        "number": 7,
        "what": "raised",
        "kind": "phase_load",
        "meter": "house",
        "phase": "l2",
        "value": 24.13,
        "limit": 22.5,
        "fuse": 25.0,
        "since": "2026-11-22T12:03:00+00:00",
        "time": "2026-11-22T12:05:00+00:00",
    }


async def test_nothing_is_sent_to_who_has_no_certificate_that_is_trusted(web_server):
    words = r"certificate of localhost:\d+ is not to be trusted .* nothing was sent"
    with web_server() as heard, pytest.raises(Undelivered, match=words):
        await webhook(f"https://localhost:{heard.port}/").bring([RAISED])
    assert heard.posts == []


async def test_nothing_is_sent_to_who_has_a_certificate_for_another_name(web_server, home):
    with web_server() as heard, pytest.raises(Undelivered, match="not to be trusted"):
        await webhook(f"https://127.0.0.1:{heard.port}/", ca_file=home / "ca.pem").bring([RAISED])
    assert heard.posts == []


@pytest.mark.parametrize(
    ("status", "words", "for_good"),
    [
        (302, r"answers 302, which sends on to another address\. Write that one", False),
        (401, "answers 401: it does not know our secret", False),
        (403, "answers 403: it does not know our secret", False),
        (404, "answers 404. It is tried again", False),
        (422, "answers 422 and does not take this message", True),
        (429, "answers 429. It is tried again", False),
        (500, "answers 500. It is tried again", False),
    ],
)
async def test_what_the_webhook_answers_is_said_in_a_sentence_and_nothing_is_followed(
    web_server, status, words, for_good
):
    with web_server(tls=False) as heard:
        heard.answers = [status]
        with pytest.raises(Undelivered, match=words) as caught:
            await webhook(f"http://localhost:{heard.port}/path", secret=PASSWORD).bring([RAISED])
    assert caught.value.for_good is for_good
    assert PASSWORD not in str(caught.value)
    assert "/path" not in str(caught.value)
    assert len(heard.posts) == 1


async def test_a_webhook_where_nobody_listens_is_tried_again():
    with pytest.raises(Undelivered, match=r"localhost:1 cannot be reached: .*refused.*\. It is tried again") as caught:
        await webhook("http://localhost:1/").bring([RAISED])
    assert not caught.value.for_good


async def test_several_alerts_make_one_mail_that_is_encrypted_before_anybody_logs_in(mail_server, home):
    with mail_server() as heard:
        await mail(heard.port, home, username="me", password=PASSWORD).bring([RAISED, CLEARED])
    assert heard.logins == [("me", PASSWORD)]
    assert heard.encrypted == [True]
    (found,) = heard.mails
    assert found["Subject"] == "2 advarsler"
    assert found["Date"] == "Sun, 22 Nov 2026 12:05:00 +0000"
    assert found["Auto-Submitted"] == "auto-generated"
    text = found.get_content().replace("\r\n", "\n")
    assert "L2 er tæt på sikringens grænse\nDer løber mere end 22,5 A på L2" in text
    assert "Siden 22.11.2026 13.03." in text
    assert "Spændingen på L1 er for lav: det er ovre\nDet varede fra 22.11.2026 12.56 til 13.05." in text
    ((sender, to),) = heard.envelopes
    assert sender.startswith("mail FROM:<meter@example.org>")
    assert [one.upper() for one in to] == ["RCPT TO:<YOU@EXAMPLE.ORG>"]


async def test_mail_by_tls_from_the_first_byte(mail_server, home):
    with mail_server(tls=True) as heard:
        await mail(heard.port, home, security="tls").bring([RAISED])
    assert heard.encrypted == [True]
    assert heard.mails[0]["Subject"] == "L2 er tæt på sikringens grænse"


async def test_mail_to_this_machine_needs_no_encryption(mail_server):
    with mail_server() as heard:
        await mail(heard.port, security="none").bring([RAISED])
    assert heard.encrypted == [False]


async def test_a_mail_server_without_encryption_gets_neither_password_nor_mail(mail_server, home):
    with mail_server() as heard:
        heard.features = ("AUTH PLAIN LOGIN",)
        with pytest.raises(Undelivered, match=r"does not offer what is needed \(encryption by STARTTLS"):
            await mail(heard.port, home, username="me", password=PASSWORD).bring([RAISED])
    assert not heard.logins
    assert not heard.mails


async def test_a_mail_server_that_is_not_trusted_gets_neither_password_nor_mail(mail_server):
    with mail_server() as heard, pytest.raises(Undelivered, match="not to be trusted"):
        await mail(heard.port, username="me", password=PASSWORD).bring([RAISED])
    assert not heard.logins
    assert not heard.mails


async def test_a_wrong_password_is_said_without_what_the_server_repeats_of_it(mail_server, home):
    with mail_server() as heard:
        heard.password = "another"
        with pytest.raises(Undelivered, match="refuses the user name or its password") as caught:
            await mail(heard.port, home, username="me", password=PASSWORD).bring([RAISED])
    assert PASSWORD not in str(caught.value)


async def test_a_mail_server_that_wants_a_pause_is_asked_again_and_one_that_never_takes_it_is_not(mail_server, home):
    with mail_server() as heard:
        for answer, for_good in (("451 later", False), ("554 spam", True)):
            heard.refuse = answer
            with pytest.raises(Undelivered, match=f"answers {answer[:3]} and takes no mail") as caught:
                await mail(heard.port, home).bring([RAISED])
            assert caught.value.for_good is for_good


@contextmanager
def silent_server(answer=b""):
    """Run who takes connections, says something at most, and then nothing, until the test is over."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held, connected = [], threading.Event()

        def serve():
            with suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    held[-1].sendall(answer)
                    connected.set()

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1], connected
        for each in held:
            each.close()


@pytest.mark.parametrize("kind", ["webhook", "mail"])
def test_a_server_that_hangs_does_not_hold_up_the_end_of_the_program(kind, monkeypatch):
    monkeypatch.setattr(f"nes2mqtt.alerts.channels.{kind}._TIMEOUT", 120.0)
    with silent_server() as (port, connected):
        channel = webhook(f"http://localhost:{port}/") if kind == "webhook" else mail(port, security="none")

        async def ended():
            task = asyncio.create_task(channel.bring([RAISED]))
            await asyncio.to_thread(connected.wait)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        began = time.monotonic()
        asyncio.run(ended())
        assert time.monotonic() - began < 60


async def test_who_does_not_come_to_an_end_is_left_and_not_asked_again_meanwhile():
    go_on = threading.Event()
    apart = Apart("localhost:1", 0.01)
    with pytest.raises(Undelivered, match="does not come to an end"):
        await apart.do(go_on.wait)
    with pytest.raises(Undelivered, match="has not finished"):
        await apart.do(go_on.wait)
    go_on.set()


async def test_what_is_no_web_server_is_said_without_its_own_words():
    with (
        silent_server(b"\x1b[2Jgo to http://evil.example\r\n\r\n") as (port, _),
        pytest.raises(Undelivered, match="is no web server") as caught,
    ):
        await webhook(f"http://localhost:{port}/").bring([RAISED])
    assert "evil" not in str(caught.value)


async def test_a_host_that_can_be_none_is_said():
    long = "a" * 70
    with pytest.raises(Undelivered, match="cannot be reached"):
        await webhook(f"http://{long}.example/").bring([RAISED])
    with pytest.raises(Undelivered, match=r"no name can have|cannot be reached"):
        await mail(1, host=f"{long}.example").bring([RAISED])


async def test_a_password_with_other_letters_is_said_and_none_of_them_is_told(mail_server, home):
    with mail_server() as heard, pytest.raises(Undelivered, match="not in ASCII") as caught:
        await mail(heard.port, home, username="me", password="rødgrød").bring([RAISED])
    assert "ø" not in str(caught.value)
    assert "xf8" not in str(caught.value)


async def test_a_meters_name_makes_no_header_of_its_own(mail_server, home):
    names = {"house": "Hus\r\nBcc: evil@example.org\r\n\x00", "barn": "Lade"}
    with mail_server() as heard:
        settings = {"host": "localhost", "port": heard.port, "sender": "meter@example.org", "to": ["you@example.org"]}
        words = AlertWords("da", ZoneInfo("Europe/Copenhagen"), names)
        await Mail(MailConfig(ca_file=home / "ca.pem", **settings), words, "home").bring([RAISED])
    assert heard.mails[0]["Bcc"] is None
    assert heard.mails[0]["Subject"].startswith("Hus Bcc: evil@example.org")
    assert len(heard.envelopes[0][1]) == 1


def test_the_same_number_with_other_words_is_another_mail():
    again = mail(1).message([RAISED])["Message-ID"]
    assert mail(1).message([RAISED])["Message-ID"] == again
    assert mail(1).message([replace(RAISED, time=NOW + timedelta(days=1))])["Message-ID"] != again


async def test_who_refuses_us_before_the_mail_was_seen_refuses_no_mail_for_good():
    with silent_server(b"554 your address is on a list\r\n") as (port, _):
        with pytest.raises(Undelivered, match="answers 554") as caught:
            await mail(port, security="none").bring([RAISED])
        assert not caught.value.for_good


async def test_addresses_that_are_refused_are_said(mail_server, home):
    with mail_server() as heard:
        heard.recipients = {"YOU@EXAMPLE.ORG": "450 come again"}
        with pytest.raises(Undelivered, match="takes mail for these addresses later"):
            await mail(heard.port, home).bring([RAISED])
        heard.recipients = {"YOU@EXAMPLE.ORG": "550 unknown"}
        with pytest.raises(Undelivered, match="refuses all addresses") as caught:
            await mail(heard.port, home).bring([RAISED])
        assert not caught.value.for_good
        with pytest.raises(Undelivered, match="not for 1 of the 2 addresses") as caught:
            await mail(heard.port, home, to=["you@example.org", "me@example.org"]).bring([RAISED])
        assert caught.value.for_good
        assert len(heard.mails) == 1


class Listed:
    """A numbered list of tellings, as the keeper has it."""

    def __init__(self, *, position=0):
        self.tellings = []
        self.positions = {} if position is None else {"webhook": position}

    async def after(self, number, limit):
        return [(one.number, one) for one in self.tellings if one.number > number][:limit]

    async def last(self):
        return max((one.number for one in self.tellings), default=0)

    def position(self, channel):
        return self.positions.get(channel)

    async def keep_position(self, channel, number):
        self.positions[channel] = number


def numbered(number, time=NOW):
    return Telling(What.RAISED, Kind.METER_SILENT, "house", time=time, number=number)


async def run_for(courier, seconds):
    task = asyncio.create_task(courier.run())
    await asyncio.sleep(seconds)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@pytest.mark.virtual_clock
class TestCourier:
    async def test_what_was_not_taken_is_brought_again_less_and_less_often_and_in_order(self):
        listed, at, brought = Listed(), [], []
        listed.tellings = [numbered(1), numbered(2)]

        async def bring(tellings):
            at.append(asyncio.get_running_loop().time())
            if len(at) < 4:
                raise Undelivered("it is away")
            brought.extend(one.number for one in tellings)

        courier = Courier("webhook", listed, bring, lambda: NOW)
        await run_for(courier, 60)
        assert courier.trouble == "it is away"
        await run_for(courier, 3600)
        assert [round(b - a) for a, b in pairwise(at[:3])] == [10, 20]
        assert brought == [1, 2]
        assert courier.trouble == ""
        assert listed.positions == {"webhook": 2}

    async def test_a_restart_goes_on_where_it_was(self):
        listed, brought = Listed(position=1), []
        listed.tellings = [numbered(1), numbered(2)]

        async def bring(tellings):
            brought.extend(one.number for one in tellings)

        await run_for(Courier("webhook", listed, bring, lambda: NOW), 5)
        await run_for(Courier("webhook", listed, bring, lambda: NOW), 5)
        assert brought == [2]

    async def test_a_channel_that_is_new_tells_nothing_of_before(self):
        listed, brought = Listed(position=None), []
        listed.tellings = [numbered(1)]

        async def bring(tellings):
            brought.extend(one.number for one in tellings)

        courier = Courier("webhook", listed, bring, lambda: NOW)
        task = asyncio.create_task(courier.run())
        await asyncio.sleep(1)
        listed.tellings.append(numbered(2))
        courier.look()
        await asyncio.sleep(1)
        task.cancel()
        assert brought == [2]

    async def test_what_comes_within_the_wait_is_brought_together(self):
        listed, brought = Listed(), []

        async def bring(tellings):
            brought.append([one.number for one in tellings])

        courier = Courier("webhook", listed, bring, lambda: NOW, wait=60, at_once=100)
        task = asyncio.create_task(courier.run())
        for number in (1, 2, 3):
            listed.tellings.append(numbered(number))
            courier.look()
            await asyncio.sleep(25)
        await asyncio.sleep(200)
        task.cancel()
        assert brought == [[1, 2, 3]]

    async def test_what_nobody_took_for_a_day_is_given_up(self, caplog):
        listed, brought = Listed(), []
        listed.tellings = [numbered(1, NOW - timedelta(days=2)), numbered(2, None), numbered(3)]

        async def bring(tellings):
            brought.extend(one.number for one in tellings)

        await run_for(Courier("webhook", listed, bring, lambda: NOW), 5)
        assert brought == [2, 3]
        assert "gave up 1 that nobody took for a day" in caplog.text

    async def test_what_is_refused_for_good_does_not_stop_what_comes_after_it(self):
        listed, brought = Listed(), []
        listed.tellings = [numbered(1), numbered(2)]

        async def bring(tellings):
            if tellings[0].number == 1:
                raise Undelivered("not in this form", for_good=True)
            brought.extend(one.number for one in tellings)

        await run_for(Courier("webhook", listed, bring, lambda: NOW), 5)
        assert brought == [2]

    async def test_what_is_on_its_way_when_the_program_stops_is_noted(self):
        listed, brought = Listed(), []
        listed.tellings = [numbered(1), numbered(2)]

        async def bring(tellings):
            await asyncio.sleep(3)
            brought.extend(one.number for one in tellings)

        await run_for(Courier("webhook", listed, bring, lambda: NOW), 1)
        assert brought == [1]
        assert listed.positions == {"webhook": 1}

    async def test_a_channel_that_hangs_does_not_hold_up_the_end(self):
        listed = Listed()
        listed.tellings = [numbered(1)]

        async def bring(_):
            await asyncio.sleep(1000)

        began = asyncio.get_running_loop().time()
        await run_for(Courier("webhook", listed, bring, lambda: NOW), 1)
        assert asyncio.get_running_loop().time() - began < 10
        assert listed.positions == {"webhook": 0}

    async def test_a_clock_that_was_behind_when_something_was_told_does_not_make_it_old(self):
        listed, brought = Listed(), []
        listed.tellings = [replace(numbered(1, NOW - timedelta(days=3)), instant=asyncio.get_running_loop().time())]

        async def bring(tellings):
            brought.extend(one.number for one in tellings)

        await run_for(Courier("webhook", listed, bring, lambda: NOW, wait=60), 100)
        assert brought == [1]

    async def test_a_mistake_is_said_and_tried_again_and_ends_nothing_else(self, caplog):
        listed, tries = Listed(), []
        listed.tellings = [numbered(1)]

        async def bring(_):
            tries.append(1)
            raise KeyError("what it is")

        courier = Courier("webhook", listed, bring, lambda: NOW)
        await run_for(courier, 100)
        assert len(tries) > 2
        assert "a mistake of this program (KeyError)" in courier.trouble
        assert caplog.text.count("a mistake of this program") == 1
