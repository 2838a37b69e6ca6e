"""Who asks: the headers of a proxy that is trusted are read from their end, and nobody else's are read at all."""

from __future__ import annotations

import pytest

from servicekit.caller import Caller, Proxies, network_of

PROXY = "10.0.0.1"
PROXIES = Proxies(["10.0.0.0/24", "2001:db8::/64"])


def asks(peer=PROXY, *, secure=False, **headers):
    return PROXIES.caller(peer, {name.replace("_", "-"): [value] for name, value in headers.items()}, secure=secure)


def test_headers_of_who_is_no_trusted_proxy_are_hearsay():
    told = asks(
        "192.0.2.7", host="house", x_forwarded_for="198.51.100.1", x_forwarded_proto="https", x_forwarded_host="else"
    )
    assert told == Caller("192.0.2.7", "house", secure=False, proxied=False)


def test_a_proxy_tells_who_asks_how_and_for_which_host():
    told = asks(
        host="inside:8099", x_forwarded_for="198.51.100.1", x_forwarded_proto="https", x_forwarded_host="house.example"
    )
    assert told == Caller("198.51.100.1", "house.example", secure=True, proxied=True)


def test_the_same_in_the_words_of_rfc_7239():
    told = asks(host="inside", forwarded='for="[2001:db8:9::1]:4711";proto=HTTPS; host=house.example')
    assert told == Caller("2001:db8:9::1", "house.example", secure=True, proxied=True)


@pytest.mark.parametrize(
    ("line", "address"),
    [
        ("203.0.113.5, 198.51.100.1", "198.51.100.1"),  # what stands before it anybody may have sent
        ("198.51.100.1, 10.0.0.2, 2001:db8::7", "198.51.100.1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, unknown", PROXY),
        ("198.51.100.1, _hidden, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.3", "10.0.0.3"),  # a proxy that asks for itself
        ("", PROXY),
        (", ".join(["198.51.100.1"] + ["10.0.0.2"] * 30), "10.0.0.2"),  # more proxies than are looked at
    ],
)
def test_the_first_address_from_the_end_that_is_no_proxy_asks(line, address):
    assert asks(x_forwarded_for=line).address == address


def test_two_lines_of_a_header_are_one_list():
    lines = {"x-forwarded-for": ["198.51.100.9", "198.51.100.1, 10.0.0.2"]}
    assert PROXIES.caller(PROXY, lines, secure=False).address == "198.51.100.1"


def test_two_headers_that_name_different_callers_are_a_dispute():
    told = asks(host="house", x_forwarded_for="198.51.100.1", forwarded="for=198.51.100.2")
    assert told == Caller(PROXY, "house", secure=False, proxied=True, disputed=True)
    assert not asks(x_forwarded_for="198.51.100.1", forwarded="for=198.51.100.1").disputed


def test_an_encrypted_connection_stays_so_whatever_a_proxy_says():
    assert asks(secure=True, x_forwarded_proto="http").secure
    assert not asks(x_forwarded_proto="http").secure


@pytest.mark.parametrize(("peer", "address"), [("", ""), ("fe80::1%eth0", "fe80::1"), ("/run/socket", "/run/socket")])
def test_a_peer_without_an_address_is_no_proxy(peer, address):
    assert asks(peer, x_forwarded_for="198.51.100.1") == Caller(address, "", secure=False, proxied=False)


def test_a_network_is_read_and_what_is_none_is_refused():
    assert str(network_of(" 10.0.0.7/24 ")) == "10.0.0.0/24"
    with pytest.raises(ValueError, match="house"):
        network_of("house")
