"""No address takes all connections, and who speaks for many finds one."""

from __future__ import annotations

import pytest

from servicekit.limits import Shares


@pytest.mark.parametrize(
    ("host", "others", "too_many"),
    [
        ("192.0.2.66", ["192.0.2.66"] * 4, False),
        ("192.0.2.66", ["192.0.2.66"] * 5, True),
        ("192.0.2.1", ["192.0.2.66"] * 5, False),
        ("fe80::1%eth0", ["fe80::1%eth0"] * 5, True),
        ("2001:db8::1", [f"2001:db8::{n}" for n in range(2, 7)], True),
        ("2001:db8::1", [f"2001:db8:0:{n}::1" for n in range(1, 6)], False),
        ("::ffff:192.0.2.66", ["::ffff:192.0.2.66"] * 3 + ["192.0.2.66"] * 2, True),
        ("::ffff:192.0.2.1", [f"::ffff:192.0.2.{n}" for n in range(2, 7)], False),
        ("::ffff:127.0.0.1", ["::ffff:127.0.0.1"] * 9, False),
        ("::ffff:10.0.0.1", ["::ffff:10.0.0.1"] * 9, False),
        ("127.0.0.1", ["127.0.0.1"] * 9, False),
        ("127.0.0.1", ["127.0.0.1"] * 10, True),
    ],
)
def test_one_address_cannot_take_all_connections(host, others, too_many):
    shares = Shares(10, ["10.0.0.0/8"])
    assert shares.admits(shares.holder(host), [shares.holder(each) for each in others]) is not too_many


def test_strangers_leave_one_of_twenty_for_this_machine_and_its_proxies():
    shares = Shares(20, ["10.0.0.5"])
    inside = [f"203.0.113.{number}" for number in range(18)]
    assert shares.admits("203.0.113.99", inside)
    assert not shares.admits("203.0.113.99", [*inside, "203.0.113.98"])
    assert shares.admits(shares.holder("127.0.0.1"), [*inside, "203.0.113.98"])
    assert shares.admits(shares.holder("10.0.0.5"), [*inside, "203.0.113.98"])
    assert not shares.admits(shares.holder("10.0.0.5"), [*inside, "203.0.113.98", ""])
