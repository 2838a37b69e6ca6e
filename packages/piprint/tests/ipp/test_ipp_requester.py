"""The name in each request: an account that CUPS on the same computer knows."""

import os
import pwd

import pytest

from piprint.ipp.requester import requester


def _accounts(monkeypatch, *names, own=None):
    def by_name(name):
        if name not in names:
            raise KeyError(name)
        return pwd.struct_passwd((name, "x", 7, 7, "", "/", ""))

    def by_number(number):
        assert number == os.geteuid()
        if own is None:
            raise KeyError(number)
        return pwd.struct_passwd((own, "x", number, number, "", "/", ""))

    monkeypatch.setattr(pwd, "getpwnam", by_name)
    monkeypatch.setattr(pwd, "getpwuid", by_number)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "127.0.1.1"])
def test_the_services_account_is_used_where_there_is_one(monkeypatch, host):
    _accounts(monkeypatch, "piprint", own="anna")
    assert requester(host) == "piprint"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_started_by_hand_it_asks_under_the_name_of_who_started_it(monkeypatch, host):
    _accounts(monkeypatch, own="anna")
    assert requester(host) == "anna"


@pytest.mark.parametrize("host", ["192.0.2.7", "printer.local", "2001:db8::7", ""])
def test_another_computer_is_always_told_the_usual_name(monkeypatch, host):
    _accounts(monkeypatch, own="anna")
    assert requester(host) == "piprint"


def test_a_number_without_a_name_takes_the_usual_one(monkeypatch):
    _accounts(monkeypatch)
    assert requester("localhost") == "piprint"
