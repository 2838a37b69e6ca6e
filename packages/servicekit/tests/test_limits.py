"""Guesses and places: what an address, a device and all strangers together may do, worked out by hand from the two limits."""

from __future__ import annotations

import pytest

from servicekit import limits
from servicekit.limits import GuessLimit, Places, Refused, subscriber


def guess(limit, address, times, now=0.0, device=""):
    return [limit.refuse(address, now, device) for _ in range(times)]


def test_five_guesses_at_once_then_one_each_thirty_seconds():
    limit = GuessLimit()
    assert guess(limit, "192.0.2.1", 5) == [None] * 5
    assert limit.refuse("192.0.2.1", 0.0) == Refused(30.0, first=True)
    later = limit.refuse("192.0.2.1", 10.0)
    assert later == Refused(pytest.approx(20.0), first=False)
    assert limit.is_waiting("192.0.2.1", 29.9)
    assert not limit.is_waiting("192.0.2.1", 30.0)
    assert limit.refuse("192.0.2.1", 30.0) is None
    assert limit.refuse("192.0.2.1", 30.0) == Refused(30.0, first=True), "a guess was looked at in between"


def test_a_limit_fills_up_no_further_than_it_was():
    limit = GuessLimit()
    guess(limit, "192.0.2.1", 5)
    assert guess(limit, "192.0.2.1", 6, now=1e6)[:5] == [None] * 5
    assert limit.is_waiting("192.0.2.1", 1e6)


def test_a_clock_that_steps_back_gives_no_guesses_and_takes_none():
    limit = GuessLimit()
    guess(limit, "192.0.2.1", 4, now=100.0)
    assert limit.refuse("192.0.2.1", 50.0) is None
    assert limit.refuse("192.0.2.1", 50.0) == Refused(30.0, first=True)


def test_strangers_together_have_twenty_and_then_one_each_three_seconds():
    limit = GuessLimit()
    for number in range(4):
        assert guess(limit, f"192.0.2.{number}", 5) == [None] * 5
    assert limit.refuse("198.51.100.1", 0.0) == Refused(3.0, first=True)
    assert limit.is_waiting("198.51.100.2", 0.0)
    assert limit.refuse("198.51.100.2", 3.0) is None


def test_this_machine_a_known_address_and_a_marked_device_do_not_wait_for_strangers():
    limit = GuessLimit()
    limit.right("203.0.113.9")
    for number in range(4):
        guess(limit, f"192.0.2.{number}", 5)
    assert limit.refuse("127.0.0.1", 0.0) is None
    assert limit.refuse("::1", 0.0) is None
    assert limit.refuse("203.0.113.9", 0.0) is None
    assert limit.is_known("203.0.113.9")
    assert not limit.is_known("203.0.113.8")
    assert limit.refuse("203.0.113.8", 0.0, device="abc") is None
    assert not limit.is_waiting("203.0.113.8", 0.0, device="abc")
    assert limit.refuse("203.0.113.8", 0.0) is not None


def test_a_device_has_a_limit_of_its_own_wherever_it_is():
    limit = GuessLimit()
    guess(limit, "192.0.2.1", 3, device="abc")
    guess(limit, "192.0.2.2", 2, device="abc")
    assert limit.refuse("192.0.2.3", 0.0, device="abc") == Refused(30.0, first=True)
    assert limit.refuse("192.0.2.3", 0.0) is None


def test_who_knew_the_answer_has_the_guesses_back():
    limit = GuessLimit()
    guess(limit, "192.0.2.1", 6)
    guess(limit, "192.0.2.1", 6, device="abc")
    limit.right("192.0.2.1", device="abc")
    assert guess(limit, "192.0.2.1", 5) == [None] * 5
    assert guess(limit, "192.0.2.1", 5, device="abc") == [None] * 5


def test_addresses_beyond_the_most_are_forgotten_oldest_first(monkeypatch):
    monkeypatch.setattr(limits, "MOST_ADDRESSES", 2)
    monkeypatch.setattr(GuessLimit, "EVERYBODY", (1000.0, 1.0))
    limit = GuessLimit()
    guess(limit, "192.0.2.1", 6)
    guess(limit, "192.0.2.2", 5)
    guess(limit, "192.0.2.3", 5)
    assert not limit.is_waiting("192.0.2.1", 0.0)
    assert limit.is_waiting("192.0.2.2", 0.0)
    for number in range(3):
        limit.right(f"203.0.113.{number}")
    assert [limit.is_known(f"203.0.113.{number}") for number in range(3)] == [False, True, True]


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("not an address", "not an address"),
    ],
)
def test_one_subscriber_is_one_address_or_one_network_of_64_bits(address, whose):
    assert subscriber(address) == whose


def taken(places, address, stranger, times):
    return sum(places.take(address, stranger=stranger) is not None for _ in range(times))


def test_no_stranger_takes_more_than_a_quarter_and_all_together_no_more_than_half():
    places = Places(8)
    assert taken(places, "192.0.2.1", True, 8) == 2
    assert taken(places, "192.0.2.2", True, 8) == 2
    assert taken(places, "192.0.2.3", True, 8) == 0


def test_no_known_address_takes_more_than_half_but_this_machine_may_take_all():
    places = Places(8)
    assert taken(places, "192.0.2.1", False, 8) == 4
    assert taken(places, "127.0.0.1", False, 8) == 4
    assert taken(places, "127.0.0.1", False, 8) == 0
    assert taken(Places(8), "", False, 9) == 8


def test_a_place_given_back_can_be_taken_by_another():
    places = Places(1)
    back = places.take("192.0.2.1", stranger=True)
    assert back is not None
    assert places.take("192.0.2.2", stranger=False) is None
    back()
    assert places.take("192.0.2.2", stranger=False) is not None
    assert "192.0.2.1" not in places._taken, "memory stays small"
