"""What the gateway says and keeps of how a meter's line is protected."""

import logging

import pytest

from nes2mqtt.meters.line_security import LineSecurity
from osgp.errors import TlsUnavailable
from osgp.key import MeterKey
from osgp.mep.events import SecurityChosen, TlsSessionOpened
from osgp.mep.security import Security
from osgp.mep.tls.identity import KeyId
from osgp.mep.tls_server import TlsRule
from osgp.meter import open_meter
from osgp.meter.known import KnownMeter
from osgp.simulator import DEMO_KEY_TEXT, House, SimulatedMeter

pytestmark = pytest.mark.virtual_clock


class Notes:
    """A history's notes."""

    def __init__(self, **numbers):
        self.numbers = numbers

    async def noted(self, name):
        return self.numbers.get(name, 0)

    async def note(self, name, value):
        self.numbers[name] = value


def warnings(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def test_rc4_is_warned_of_once(caplog):
    line = LineSecurity("house", "auto", None)
    for _ in range(3):
        line.hear(SecurityChosen(Security.RC4_PLAIN, "the meter did not answer in TLS"))
    (said,) = warnings(caplog)
    assert said.startswith("meter house: talks RC4 mode, not encrypted")
    assert "the meter did not answer in TLS" in said


@pytest.mark.parametrize(("notes", "words"), [(None, 'write security = "tls"'), (Notes(), "nothing less is taken")])
async def test_tls_is_told_with_what_holds_it(caplog, notes, words):
    caplog.set_level(logging.INFO)
    line = LineSecurity("house", "auto", notes)
    line.hear(SecurityChosen(Security.TLS))
    line.hear(SecurityChosen(Security.TLS))
    (record,) = caplog.records
    assert record.getMessage().startswith("meter house: talks TLS. ")
    assert words in record.getMessage()
    assert not warnings(caplog)


async def test_a_meter_that_became_a_weaker_one_is_told(caplog):
    line = LineSecurity("house", "auto", Notes())
    for security in (Security.TLS, Security.RC4_PLAIN, Security.TLS):
        line.hear(SecurityChosen(security))
    assert len(warnings(caplog)) == 1


@pytest.mark.parametrize("wanted", ["auto", "tls"])
async def test_tls_that_was_seen_is_kept_by_meter(wanted):
    notes = Notes()
    line = LineSecurity("house", wanted, notes)
    await line.restore()
    assert not line.seen.tls
    line.hear(TlsSessionOpened(KeyId.BASIC))
    await line.kept()
    for meter, seen in (("house", True), ("barn", False)):
        after = LineSecurity(meter, "auto", notes)
        await after.restore()
        assert after.seen.tls == seen


@pytest.mark.parametrize("wanted", ["rc4", "rc4-plain"])
async def test_who_asks_for_rc4_has_decided(wanted):
    notes = Notes(**{"tls:house": 1})
    await LineSecurity("house", wanted, notes).restore()
    after = LineSecurity("house", "auto", notes)
    await after.restore()
    assert not after.seen.tls


async def test_after_a_restart_a_meter_that_lost_tls_is_not_read():
    notes = Notes()
    for rule in (TlsRule.OFFERED, TlsRule.ABSENT):
        line = LineSecurity("house", "auto", notes)
        await line.restore()
        async with (
            SimulatedMeter(House(1), tls=rule) as meter,
            open_meter(
                await meter.serve_tcp(),
                key=MeterKey.parse(DEMO_KEY_TEXT),
                known=KnownMeter(security=line.seen),
                on_event=line.hear,
            ) as ours,
        ):
            if rule is TlsRule.OFFERED:
                assert await ours.registers()
            else:
                with pytest.raises(TlsUnavailable, match="spoke TLS before"):
                    await ours.registers()
        await line.kept()
