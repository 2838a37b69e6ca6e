"""Which requests a page may look at."""

from __future__ import annotations

import pytest

from servicekit.page import MOST_HEAD, Asked, Page, digest, refused_form

PAGE = Page("/print/", "https://Example.org", "/api/v1/events")


def asked(path="/api/v1/status", *, host="10.0.0.1:8632", origin=None, site=None, mode=None):
    return Asked(path, host, origin, site, mode)


@pytest.mark.parametrize(
    ("origin", "host", "ours"),
    [
        ("http://10.0.0.1:8632", "10.0.0.1:8632", True),
        ("https://10.0.0.1:8632", "10.0.0.1:8632", True),
        ("https://example.org", "10.0.0.1:8632", True),
        ("http://Name", "name:80", True),
        ("https://name", "name:443", True),
        ("https://name", "name:80", False),
        ("http://10.0.0.1", "10.0.0.1:8632", False),
        ("http://elsewhere.example", "10.0.0.1:8632", False),
        ("null", "10.0.0.1:8632", False),
        ("null", "", False),
        ("http://[", "[", False),
        ("", "", False),
    ],
)
def test_an_origin_is_ours_by_host_and_port_or_as_the_public_address(origin, host, ours):
    assert PAGE.is_ours(asked(origin=origin, host=host)) == ours


@pytest.mark.parametrize(
    ("request_", "other"),
    [
        (asked(), False),
        (asked(site="same-origin", mode="cors"), False),
        (asked(site="none", mode="navigate"), False),
        (asked(site="cross-site", mode="no-cors"), True),
        (asked(site="same-site", mode="cors"), True),
        (asked("/", site="cross-site", mode="navigate"), False),
        (asked("/api/v1/events", site="cross-site", mode="navigate"), True),
        (asked(origin="http://elsewhere.example"), True),
        (asked(origin="http://10.0.0.1:8632"), False),
        (asked("/static/app.js", origin="http://elsewhere.example"), False),
    ],
)
def test_what_another_page_wants_is_known_and_a_link_is_followed(request_, other):
    assert PAGE.is_for_another(request_) == other


@pytest.mark.parametrize(
    ("came", "here"), [("/print/api", "/api"), ("/print/", "/"), ("/api", "/api"), ("/printer", "/printer")]
)
def test_a_proxy_may_leave_the_path_or_take_it_off(came, here):
    assert PAGE.path_here(came) == here
    assert Page("/", "", "/x").path_here(came) == came


def test_a_request_has_one_length_and_a_head_like_a_browsers():
    assert refused_form({"content-length"}, 10, [(b"a", b"b")]) is None
    assert refused_form({"content-length", "transfer-encoding"}, 10, []).status == 400
    assert refused_form(set(), MOST_HEAD - 6, [(b"a", b"b")]) is None
    assert refused_form(set(), MOST_HEAD - 5, [(b"a", b"b")]).status == 431


def test_any_text_can_be_compared():
    assert digest("a") != digest("b")
    assert digest("\ud800") == digest("\ud800")
