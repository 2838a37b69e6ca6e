"""Keys of the optical port: every form, both paddings, and never a trace of one."""

import logging
import traceback

import pytest

from osgp.errors import KeyFormatError, KeyRejected
from osgp.optical.key import OpticalKey, Padding
from osgp.optical.services import Security, decode_service
from osgp.optical.settings import SessionSettings
from osgp.psem import PartialRead

TWENTY = b"0123456789abcdefghij"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("0123456789abcdefghij", TWENTY),
        ("  0123456789abcdefghij\n", TWENTY),
        (TWENTY.hex(), TWENTY),
        (TWENTY.hex(" "), TWENTY),
        (", ".join(map(str, TWENTY)), TWENTY),
        ("30" * 10, b"30" * 10),
        ("00" * 20, bytes(20)),
        ("ff" * 16, b"\xff" * 16),
        ("short", b"short"),
        (" short ", b"short"),
        ("a key that ends in  \n", b"a key that ends in  "),
    ],
)
def test_07_20_all_bytes_of_every_form_are_kept(text, secret):
    assert OpticalKey.parse(text).secret == secret


@pytest.mark.parametrize("text", ["", "  ", "x" * 21, "12" * 19, "1 2 3 400 " * 5, "ä" * 20])
def test_07_20_other_texts_are_refused_without_showing_them(text):
    with pytest.raises(KeyFormatError) as caught:
        OpticalKey.parse(text)
    assert not text.strip() or text.strip() not in str(caught.value)


def test_07_20_padding():
    key = OpticalKey(b"short")
    assert key.password() == b"short" + bytes(15)
    assert key.password(Padding.BLANKS) == b"short" + b" " * 15
    assert OpticalKey(TWENTY).password(Padding.BLANKS) == TWENTY


@pytest.mark.parametrize("padding", list(Padding))
def test_07_20_padding_reaches_the_wire(optical, padding):
    wire, _ = optical.pair(key=OpticalKey(b"short"), settings=SessionSettings(padding=padding))
    wire.ask(PartialRead(28, 0, 4))
    shown = [decode_service(data[7:28]) for _, data in wire.sent if data[7:8] == b"\x51"]
    assert shown == [Security(b"short".ljust(20, bytes((padding,))))]


def test_07_20_a_key_is_nowhere_to_be_seen(optical, caplog):
    caplog.set_level(logging.DEBUG)
    secret = "SECRET SECRET SECRET"
    wire, _ = optical.pair(key=OpticalKey.parse(secret))
    event = wire.ask(PartialRead(28, 0, 4))
    assert isinstance(event.error, KeyRejected)
    try:
        wire.client.request(PartialRead(28, 0, 4), wire.now)
    except KeyRejected:
        shown = traceback.format_exc()
    texts = [shown, repr(wire.events), repr(wire.server_events), repr(OpticalKey.parse(secret)), caplog.text]
    assert not any("SECRET" in text or secret.encode().hex() in text for text in texts)
