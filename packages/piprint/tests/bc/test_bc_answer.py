"""Error answers of every kind become the right error, with code and correlation id, and without secrets."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from piprint.bc.http.answer import Answered, error_of, may_have_been_done, plain, retry_after
from piprint.errors import (
    BcConflict,
    BcDenied,
    BcDuplicate,
    BcError,
    BcMissing,
    BcRefused,
    BcThrottled,
    BcUnreachable,
)

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CORRELATION = "5f2d9c3e-0000-4abc-8def-0123456789ab"


def body(code, message="Something."):
    return json.dumps({"error": {"code": code, "message": f"{message}  CorrelationId:  {CORRELATION}."}}).encode()


def error(status, data=b"", headers=None, secrets=()):
    answer = Answered(status, headers or {}, data, "read the printers", "https://bc.example/BC/")
    return error_of(answer, now=NOW, secrets=secrets)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (409, "Request_EntityChanged", BcConflict),
        (412, "", BcConflict),
        (409, "Unknown", BcConflict),
        (400, "Internal_EntityWithSameKeyExists", BcDuplicate),
        (409, "Internal_EntityWithSameKeyExists", BcDuplicate),
        (401, "Authentication_InvalidCredentials", BcDenied),
        (403, "Authorization_RequestDenied", BcDenied),
        (404, "BadRequest_ResourceNotFound", BcMissing),
        (404, "Internal_RecordNotFound", BcMissing),
        (404, "Internal_CompanyNotFound", BcMissing),
        (410, "", BcMissing),
        (404, "NoEnvironment", BcDenied),
        (400, "Application_StringExceededLength", BcRefused),
        (400, "BadRequest_InvalidToken", BcRefused),
        (405, "BadRequest_MethodNotAllowed", BcRefused),
        (407, "", BcRefused),
        (413, "", BcRefused),
        (418, "", BcRefused),
        (301, "", BcRefused),
        *((status, "Unknown", BcThrottled) for status in (408, 429, 500, 502, 503, 504)),
    ],
)
def test_each_status_and_code_is_its_error(status, code, kind):
    told = error(status, body(code))
    assert type(told) is kind
    assert (told.status, told.code, told.correlation) == (status, code, CORRELATION)
    assert CORRELATION in str(told)
    assert "read the printers" in str(told)


def test_rights_are_told_by_the_words_where_the_status_does_not():
    told = error(400, body("Unknown", "Sorry, the current permissions prevented the action. (TableData 90000)"))
    assert isinstance(told, BcDenied)
    assert told.cause == "permission set"
    assert "PIPrintProcessor" in str(told)
    assert error(404, body("NoEnvironment")).cause == "environment"
    assert error(401).cause == "login"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html><body><h1>502 Bad Gateway</h1></body></html>",
        b"null",
        b"[1]",
        b'{"error":"no"}',
        b'{"error":{"code":7,"message":["a"]}}',
        b'{"error":{"code":"<script>","message":null}}',
        b'{"error":{"message":"cut',
        b"\xff\xfe\x00",
        b"[" * 60_000,
    ],
)
def test_what_is_not_business_centrals_json_is_not_shown(data):
    told = error(502, data)
    assert isinstance(told, BcThrottled)
    assert (told.code, told.correlation) == ("", "")
    assert "It says" not in str(told)
    assert "<" not in str(told)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30.0),
        ("0", 0.0),
        ("1.5", 1.5),
        ("999999", 300.0),
        ("Sun, 22 Nov 2026 12:00:40 GMT", 40.0),
        ("Sun, 22 Nov 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("Sun, 99 Nov 2026 12:00:40 GMT", None),
    ],
)
def test_how_long_to_wait(text, seconds):
    assert retry_after({"Retry-After": text}, NOW) == seconds


def test_a_date_to_wait_for_is_measured_by_the_servers_clock():
    headers = {"Retry-After": "Sun, 22 Nov 2026 12:00:40 GMT", "Date": "Sun, 22 Nov 2026 12:00:10 GMT"}
    assert retry_after(headers, NOW - timedelta(days=20_000)) == 30.0


@settings(max_examples=200, deadline=None)
@given(
    headers=st.dictionaries(st.sampled_from(["Retry-After", "Date", "Location"]), st.text() | st.just("https://[x")),
    data=st.binary(),
)
@pytest.mark.parametrize("status", [302, 400, 401, 429, 599])
def test_any_answer_is_an_error_of_ours(status, headers, data):
    told = error(status, data, headers)
    assert isinstance(told, BcError)
    assert told.status == status
    assert str(told).isprintable()


@settings(max_examples=100, deadline=None)
@given(
    secret=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=6, max_size=40).map(
        lambda text: f"${text}$"
    ),
    before=st.text(max_size=500),
    status=st.sampled_from([400, 401, 403, 404, 409, 429, 500]),
    in_code=st.booleans(),
)
def test_an_answer_that_repeats_a_secret_does_not_show_it(secret, before, status, in_code):
    data = json.dumps({"error": {"code": secret if in_code else "x", "message": f"{before}{secret} {secret}"}}).encode()
    told = error(status, data, {"Location": f"https://{secret}@x/{secret}"}, (secret,))
    assert secret not in f"{told} {told!r} {told.code} {told.args}"
    assert secret[:-1] not in str(told)


def test_a_redirect_tells_where_to_without_what_it_carries():
    told = error(302, b"", {"Location": "https://login:pass@portal.example/sign?token=x"})
    assert "https://portal.example" in str(told)
    assert "pass" not in str(told)
    assert "token" not in str(told)


def test_text_of_others_is_cut_and_made_printable():
    assert plain("a\x00\x1b[31mb\r\n\u2028\u202ec ø") == "a [31mb c ø"
    assert len(plain("x" * 10_000)) == 400


@pytest.mark.parametrize(
    ("told", "done"),
    [
        (BcUnreachable("x"), True),
        (BcThrottled("x", status=504), True),
        (BcThrottled("x", status=500), True),
        (BcThrottled("x", status=429), False),
        (BcRefused("x", status=400), False),
        (BcConflict("x", status=409), False),
    ],
)
def test_which_failures_leave_it_open_whether_it_was_done(told, done):
    assert may_have_been_done(told) is done


@pytest.mark.parametrize("date", ["", "Sun, 22 Nov 2026 12:00:00 GMT", "Sun, 22 Nov 1970 12:00:00 GMT", "nonsense"])
@pytest.mark.parametrize("then", ["Sun, 22 Nov 2036 12:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT", "999999999"])
def test_p9_nobody_is_waited_for_longer_than_five_minutes(date, then):
    assert retry_after({"Retry-After": then, "Date": date}, NOW) == 300.0
    assert retry_after({"Retry-After": then, "Date": date}, NOW + timedelta(days=40_000)) in {0.0, 300.0}
