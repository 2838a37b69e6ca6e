"""The line: pacing at the baud rate, segments, window, throttle, keys and their rights."""

import pytest

from osgp.errors import KeyRejected
from osgp.key import MeterKey
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.events import RequestFailed, ResponseReceived
from osgp.mep.frame import encode_frame, encode_request
from osgp.mep.server import Access
from osgp.psem import PartialRead, PartialWrite, Read, ResponseCode, Write, table_id
from osgp.simulator.rights import WRITERS, may_write

BT23 = Read(23)


def signed(key, request, sequence):
    body = encode_request(request) + sequence.to_bytes(4, "big")
    return encode_frame(body, digest(KeySchedule(key.secret), body))


def paced(conversation, size, baud):
    """Return when request and reply of one read began and ended on the line."""
    talk = conversation(baud=baud, tables={23: bytes(range(1, size + 1))})
    talk.ask(BT23)
    talk.wait(1)
    talk.heard.clear()
    begun = talk.now
    assert talk.value(BT23).data == bytes(range(1, size + 1))
    return begun, talk.heard


def test_a_short_reply_takes_ten_bits_a_byte(conversation):
    begun, heard = paced(conversation, 44, 9600)
    request, reply = 2 + 5 + 4 + 8, 2 + 3 + 44 + 8
    assert heard[-1][0] - begun == pytest.approx((request + reply) * 10 / 9600, abs=1e-4)
    assert heard[0][0] - begun == pytest.approx((request + 16) * 10 / 9600, abs=1e-4)


def test_a_long_reply_pauses_after_each_segment(conversation):
    begun, heard = paced(conversation, 250, 9600)
    request, reply = 19, 2 + 3 + 250 + 8
    pauses = 2  # after bytes 117 and 234 of 263
    assert heard[-1][0] - begun == pytest.approx((request + reply) * 10 / 9600 + pauses * 0.025, abs=1e-4)
    position, ends = 0, {}
    for when, data in heard:
        ends[position] = when - len(data) * 10 / 9600
        position += len(data)
    first_after = ends[117]
    assert first_after - begun == pytest.approx((request + 117) * 10 / 9600 + 0.025, abs=1e-4)


def test_twice_the_rate_halves_the_bytes_but_not_the_pauses(conversation):
    def took(baud):
        begun, heard = paced(conversation, 250, baud)
        return heard[-1][0] - begun - 0.05

    assert took(9600) == pytest.approx(2 * took(19200), rel=1e-3)


def test_without_a_rate_a_reply_is_at_once(conversation):
    begun, heard = paced(conversation, 250, 0)
    assert heard[-1][0] - begun < 1e-4
    assert len(heard) == 1


def test_replies_come_no_faster_than_ten_a_second(conversation):
    talk = conversation()
    talk.ask(BT23)
    for _ in range(3):
        talk.line.hear(signed(MeterKey(bytes(range(16))), BT23, talk.server.sequence + 1), talk.now)
        talk.line.poll(talk.now)
    assert talk.line.poll(talk.now + 0.05) == []
    assert len(talk.line.poll(talk.now + 0.11)) == 1


@pytest.mark.parametrize(("ahead", "taken"), [(-1, False), (0, False), (1, True), (8, True), (9, False)])
def test_the_window_of_sequence_numbers(conversation, mbk, ahead, taken):
    talk = conversation()
    number = talk.server.sequence
    talk.line.hear(signed(mbk, BT23, number + ahead), 1.0)
    (reply,) = talk.line.poll(1.0)
    assert reply[2] == (ResponseCode.OK if taken else ResponseCode.BAD_SEQUENCE_NUMBER)
    if not taken:
        assert int.from_bytes(reply[3:7], "big") == number + 1


def test_a_foreign_key_is_refused(conversation):
    last = conversation(key=MeterKey(b"sixteen letters!")).ask(BT23)[-1]
    assert isinstance(last, RequestFailed)
    assert isinstance(last.error, KeyRejected)


@pytest.mark.parametrize("encrypt", [False, True])
def test_plain_and_encrypted_clients_are_answered_alike(conversation, encrypt):
    talk = conversation(encrypt=encrypt)
    assert talk.value(BT23).data == bytes(range(220))
    sent = b"".join(data for _, data in talk.heard)
    assert (bytes(range(50)) in sent) is not encrypt


def test_a_meter_that_wants_encryption_refuses_plain_text(conversation):
    assert isinstance(conversation(encrypted_only=True).ask(BT23)[-1], RequestFailed)
    assert conversation(encrypted_only=True, encrypt=True).value(BT23).ok


ET03, ET13, ET50, ET51, ET52, BT07 = (table_id(name) for name in ("ET03", "ET13", "ET50", "ET51", "ET52", "BT07"))


def test_each_key_writes_what_it_may(conversation, mbk, mak):
    tables = {table: bytes(8) for table in (23, 28, ET03, ET13, ET50, ET51, ET52)}
    for key, allowed in ((mbk, {ET50, ET51, ET52}), (mak, {23, ET03, ET13, ET50, ET51, ET52})):
        talk = conversation(key=key, tables=tables)
        for table in tables:
            assert talk.value(Read(table)).data == bytes(8)
            response = talk.value(PartialWrite(table, 2, b"\x07\x08"))
            code = ResponseCode.OK if table in allowed else ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE
            assert response.code == code, table
            written = bytes((0, 0, 7, 8, 0, 0, 0, 0)) if table in allowed else bytes(8)
            assert talk.value(Read(table)).data == written


def test_the_rights_of_the_guide():
    basic = {table for table in range(4096) if may_write(table, Access.BASIC)}
    advanced = {table for table in range(4096) if may_write(table, Access.ADVANCED)}
    assert basic == {table_id(name) for name in ("BT07", "ET50", "ET51", "ET52", "ET71")}
    assert basic < advanced == set(WRITERS)
    for name in ("BT00", "BT01", "BT21", "BT22", "BT27", "BT28", "BT52", "BT55", "ET11", "ET42", "ET53", "ET54"):
        assert table_id(name) not in advanced, name


def test_a_write_ends_with_the_table(conversation, mbk):
    talk = conversation(key=mbk, tables={ET50: bytes(4)})
    assert talk.value(Write(ET50, b"123456")).ok
    assert talk.value(PartialWrite(ET50, 3, b"xyz")).ok
    assert talk.value(PartialWrite(ET50, 9, b"xyz")).ok
    assert talk.value(Read(ET50)).data == b"123x"


def test_a_table_that_is_not_there(conversation, mbk):
    talk = conversation(key=mbk, tables={23: b"abc"})
    for request in (Read(28), PartialRead(28, 0, 4), Write(ET51, b"1")):
        assert talk.value(request).code == ResponseCode.INAPPROPRIATE_ACTION


def test_reads_past_the_end_are_filled_with_zeros(conversation):
    talk = conversation(tables={23: b"abc"})
    assert talk.value(PartialRead(23, 2, 4)).data == b"c\0\0\0"
    assert talk.value(PartialRead(23, 7, 2)).data == b"\0\0"


def test_a_table_longer_than_a_frame_is_not_possible_at_once(conversation):
    talk = conversation(tables={23: bytes(range(256)) * 2})
    assert talk.value(Read(23)).code == ResponseCode.OPERATION_NOT_POSSIBLE
    assert talk.value(PartialRead(23, 47, 465)).data == (bytes(range(256)) * 2)[47:]


def test_procedures_are_unknown_and_their_sequence_numbers_checked(conversation, mbk):
    talk = conversation(key=mbk, tables={BT07: b"", ET50: bytes(31)})
    assert talk.value(Write(BT07, b"\x11\x08\x05")).ok
    assert talk.value(Read(8)).data == b"\x11\x08\x05\x06"
    for psn in (5, 4, 10):
        code = talk.value(Write(BT07, bytes((0x11, 0x08, psn)))).code
        assert code == ResponseCode.OPERATION_NOT_POSSIBLE, psn
    assert talk.value(PartialWrite(ET50, 30, b"\x02")).ok
    assert talk.value(Write(BT07, b"\x11\x08\x06")).ok
    assert talk.value(Read(table_id("ET59"))).data == b"\x11\x08\x06\x06"
    assert talk.value(Write(BT07, b"\x11")).code == ResponseCode.OPERATION_NOT_POSSIBLE


def test_faults_do_not_shift_the_bytes_of_a_paced_reply(conversation):
    talk = conversation(["truncate=1"], baud=9600)
    talk.client.request(BT23, talk.now)
    talk.wait(0.1)
    assert sum(len(data) for _, data in talk.heard) < 15
    assert not any(isinstance(event, ResponseReceived) for event in talk.wait(0.1))


@pytest.mark.parametrize(("flags", "told_in"), [(0x00, "BT08"), (0x01, "BT08"), (0x02, "ET59"), (0x03, "ET59")])
def test_d10_bit_1_of_the_inbound_flags_alone_decides_where_results_go(conversation, mbk, flags, told_in):
    talk = conversation(tables={table_id("ET50"): bytes(30) + bytes((flags,)) + bytes(10)}, key=mbk)
    talk.value(Write(7, bytes.fromhex("110806")))
    assert talk.value(Read(table_id(told_in))).data == b"\x11\x08\x06\x06"
