"""Tokens: kept as long as they are good, asked for once, and a refusal tells which of tenant, client and secret it is."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from piprint.bc.http.client import Counters
from piprint.bc.login.client_assertion import assertion
from piprint.bc.login.tokens import BasicLogin, TokenLogin
from piprint.config.settings import Basic, Certificate, ClientSecret
from piprint.errors import BcDenied, BcThrottled, BcUnreachable, ConfigError

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECRET = "v3ry-s3cret~value"
LOGIN = ClientSecret(tenant="contoso.example", client_id="6666-7777", secret=SECRET)


def now():
    return NOW


class Response:
    def __init__(self, status, data, headers=None):
        self.status = status
        self.headers = headers or {}
        self.body = data if isinstance(data, bytes) else json.dumps(data).encode()

    def release(self):
        pass


class FakeWire:
    """Answers requests for tokens from a list, the last for ever; each takes a second."""

    def __init__(self, *answers):
        self.counters = Counters()
        self.answers = list(answers) or [token()]
        self.forms = []
        self.urls = []

    async def send(self, method, url, *, asked, headers, data=None):
        self.forms.append({name: value[0] for name, value in parse_qs(data.decode()).items()})
        self.urls.append((method, url))
        await asyncio.sleep(1)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def some(self, response, most, *, asked, whole=False):
        return response.body[:most]


def token(text="t1", expires_in=3600):
    return Response(200, {"access_token": text, "expires_in": expires_in, "token_type": "Bearer"})


def refusal(number, error="invalid_client", status=401):
    description = f"AADSTS{number}: Said with '{SECRET}'. Trace ID: x Correlation ID: y"
    return Response(
        status,
        {"error": error, "error_description": description, "correlation_id": "5f2d9c3e-0000-4abc-8def-0123456789ab"},
    )


def clock():
    return asyncio.get_running_loop().time()


@pytest.mark.virtual_clock
async def test_a_token_is_asked_for_once_and_kept_until_five_minutes_before_its_end():
    wire = FakeWire(token("t1"), token("t2"))
    login = TokenLogin(LOGIN, wire, now=now)
    assert await asyncio.gather(*(login.header() for _ in range(9))) == ["Bearer t1"] * 9
    assert wire.urls == [("POST", "https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token")]
    assert wire.forms == [
        {
            "grant_type": "client_credentials",
            "client_id": "6666-7777",
            "client_secret": SECRET,
            "scope": "https://api.businesscentral.dynamics.com/.default",
        }
    ]
    await asyncio.sleep(3299)
    assert await login.header() == "Bearer t1"
    await asyncio.sleep(1)
    assert await login.header() == "Bearer t2"
    assert wire.counters.tokens == 2


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    ("told", "kept"), [(600, 300), (60, 30), ("3600", 3300), (None, 300), ("soon", 300), (-5, 0.5), (10**9, 86_100)]
)
async def test_how_long_a_token_is_kept(told, kept):
    wire = FakeWire(token("t1", told), token("t2"))
    login = TokenLogin(LOGIN, wire, now=now)
    await login.header()
    await asyncio.sleep(kept - 0.01)
    assert await login.header() == "Bearer t1"
    await asyncio.sleep(0.02)
    assert await login.header() == "Bearer t2"


@pytest.mark.virtual_clock
async def test_while_the_old_token_is_good_trouble_with_a_new_one_harms_nobody():
    wire = FakeWire(token("t1"), BcUnreachable("broken"), BcUnreachable("broken"), token("t2"))
    login = TokenLogin(LOGIN, wire, now=now)
    await login.header()
    await asyncio.sleep(3300)
    assert await login.header() == "Bearer t1"
    assert await login.header() == "Bearer t1"
    assert wire.counters.tokens == 2
    await asyncio.sleep(60)
    assert await login.header() == "Bearer t1"
    await asyncio.sleep(60)
    assert await login.header() == "Bearer t2"


@pytest.mark.virtual_clock
async def test_without_a_good_token_the_trouble_is_told_and_the_next_call_asks_again():
    wire = FakeWire(token("t1", 60), BcUnreachable("broken"), token("t2"))
    login = TokenLogin(LOGIN, wire, now=now)
    await login.header()
    await asyncio.sleep(100)
    with pytest.raises(BcUnreachable):
        await login.header()
    assert await login.header() == "Bearer t2"


@pytest.mark.virtual_clock
async def test_a_token_that_business_central_refuses_is_dropped_once_a_minute():
    wire = FakeWire(token("t1"), token("t2"), token("t3"))
    login = TokenLogin(LOGIN, wire, now=now)
    first = await login.header()
    assert login.drop(first)
    assert await login.header() == "Bearer t2"
    assert login.drop(first)  # of another call, sent before
    assert await login.header() == "Bearer t2"
    assert not login.drop("Bearer t2")
    await asyncio.sleep(60)
    assert login.drop("Bearer t2")
    assert await login.header() == "Bearer t3"


@pytest.mark.virtual_clock
async def test_who_gives_up_waiting_does_not_take_the_token_from_the_others():
    login = TokenLogin(LOGIN, FakeWire(), now=now)
    impatient = asyncio.ensure_future(login.header())
    patient = asyncio.ensure_future(login.header())
    await asyncio.sleep(0.5)
    impatient.cancel()
    assert await patient == "Bearer t1"


@pytest.mark.virtual_clock
async def test_closing_ends_a_request_under_way():
    login = TokenLogin(LOGIN, FakeWire(), now=now)
    waiting = asyncio.ensure_future(login.header())
    await asyncio.sleep(0.5)
    await login.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await login.close()


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    ("number", "cause", "said"),
    [
        (90002, "tenant", "login.tenant contoso.example"),
        (900023, "tenant", "login.tenant"),
        (700016, "client", "login.client_id 6666-7777"),
        (7000215, "secret", "not its id"),
        (7000222, "secret", "expired"),
        (700027, "certificate", "certificate"),
        (700024, "certificate", "clock"),
        (65001, "permission set", "consent"),
        (53003, "permission set", "conditional access"),
        (500011, "environment", "login.scope"),
        (99999, "login", "login.microsoftonline.com refused"),
    ],
)
async def test_a_refusal_tells_what_is_wrong(number, cause, said):
    wire = FakeWire(refusal(number))
    login = TokenLogin(LOGIN, wire, now=now)
    with pytest.raises(BcDenied, match=said) as caught:
        await login.header()
    assert caught.value.cause == cause
    assert caught.value.code == f"AADSTS{number}"
    assert caught.value.correlation == "5f2d9c3e-0000-4abc-8def-0123456789ab"
    assert f"AADSTS{number}" in str(caught.value)
    assert SECRET not in f"{caught.value!r}{caught.value}"


@pytest.mark.virtual_clock
async def test_after_a_refusal_the_endpoint_is_left_alone_for_a_minute():
    wire = FakeWire(refusal(7000215), token())
    login = TokenLogin(LOGIN, wire, now=now)
    for _ in range(5):
        with pytest.raises(BcDenied):
            await login.header()
    assert wire.counters.tokens == 1
    await asyncio.sleep(60)
    assert await login.header() == "Bearer t1"


@pytest.mark.virtual_clock
async def test_retry_after_of_the_endpoint_is_obeyed():
    wire = FakeWire(Response(429, {}, {"Retry-After": "120"}), token())
    login = TokenLogin(LOGIN, wire, now=now)
    for wait in (0, 100):
        await asyncio.sleep(wait)
        with pytest.raises(BcThrottled) as caught:
            await login.header()
        assert caught.value.retry_after == 120
    await asyncio.sleep(20)
    assert await login.header() == "Bearer t1"
    assert wire.counters.tokens == 2


@pytest.mark.virtual_clock
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Response(200, b"<html>"), BcUnreachable),
        (Response(200, {"access_token": None}), BcUnreachable),
        (Response(200, {"access_token": "a\r\nX: y"}), BcUnreachable),
        (Response(302, b""), BcUnreachable),
        (Response(503, b"<html>"), BcThrottled),
        (Response(400, b"[" * 60_000), BcDenied),
        (Response(400, {"error": "invalid_client"}), BcDenied),
        (Response(400, {"error": {"a": SECRET}, "error_description": [SECRET], "correlation_id": SECRET}), BcDenied),
    ],
)
async def test_strange_answers(answer, error):
    login = TokenLogin(LOGIN, FakeWire(answer), now=now)
    with pytest.raises(error) as caught:
        await login.header()
    assert type(caught.value) is error
    assert SECRET not in f"{caught.value!r}"


def test_nothing_shows_the_secret():
    login = TokenLogin(LOGIN, FakeWire(), now=now)
    basic = BasicLogin(Basic(username="pi", password=SECRET))
    assert SECRET not in f"{login!r}{login}{basic!r}{basic}{LOGIN!r}"
    assert SECRET in login.secrets()
    assert SECRET in basic.secrets()


async def test_user_name_and_password():
    login = BasicLogin(Basic(username="pi", password=SECRET))
    assert base64.b64decode((await login.header()).removeprefix("Basic ")).decode() == f"pi:{SECRET}"
    assert not login.drop(await login.header())


@pytest.mark.parametrize(("name", "password"), [("søren", "x"), ("pi", "pæsswörd"), ("a:b", "x")])
def test_what_business_central_does_not_take_is_told_at_once(name, password):
    with pytest.raises(ConfigError, match="ASCII") as caught:
        BasicLogin(Basic(username=name, password=password))
    assert password not in str(caught.value) or password == "x"


class TestCertificate:
    @pytest.fixture
    def pair(self, papers):
        certificate = papers.certificate("piprint", papers.rsa_key)
        return (
            papers.write("app.pem", certificate.public_bytes(serialization.Encoding.PEM)),
            papers.write("app.key", papers.key_pem(papers.rsa_key)),
            certificate,
        )

    @pytest.mark.parametrize(
        ("algorithm", "name", "digest", "scheme"),
        [
            ("PS256", "x5t#S256", hashes.SHA256(), padding.PSS(padding.MGF1(hashes.SHA256()), 32)),
            ("RS256", "x5t", hashes.SHA1(), padding.PKCS1v15()),
        ],
    )
    def test_the_proof(self, pair, algorithm, name, digest, scheme):
        path, key, certificate = pair
        proofs = [
            assertion(path, key, client_id="c1", audience="https://login/x", now=NOW, algorithm=algorithm)
            for _ in range(2)
        ]
        head, claims, signature = (
            base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in proofs[0].split(".")
        )
        thumbprint = base64.urlsafe_b64encode(certificate.fingerprint(digest)).rstrip(b"=").decode()
        assert json.loads(head) == {"alg": algorithm, "typ": "JWT", name: thumbprint}
        told = json.loads(claims)
        jti = told.pop("jti")
        moment = int(NOW.timestamp())
        assert told == {
            "aud": "https://login/x",
            "iss": "c1",
            "sub": "c1",
            "iat": moment,
            "nbf": moment,
            "exp": moment + 300,
        }
        certificate.public_key().verify(signature, proofs[0].rpartition(".")[0].encode(), scheme, hashes.SHA256())
        assert jti not in str(base64.urlsafe_b64decode(proofs[1].split(".")[1] + "=="))

    async def test_the_proof_goes_in_the_place_of_the_secret(self, pair):
        wire = FakeWire()
        login = TokenLogin(Certificate(tenant="t", client_id="c1", certificate=pair[0], key=pair[1]), wire, now=now)
        assert await login.header() == "Bearer t1"
        (form,) = wire.forms
        assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        assert form["client_assertion"].count(".") == 2
        assert "client_secret" not in form
        assert form["client_assertion"] in login.secrets()

    @pytest.mark.virtual_clock
    async def test_files_that_are_gone_for_a_while_are_no_end(self, papers, pair, monkeypatch):
        async def at_once(function, *given, **named):
            return function(*given, **named)

        monkeypatch.setattr("asyncio.to_thread", at_once)  # threads do not live by this clock
        path = papers.write("renewed.pem", pair[0].read_bytes())
        wire = FakeWire(token("t1"), token("t2"))
        login = TokenLogin(Certificate(tenant="t", client_id="c1", certificate=path, key=pair[1]), wire, now=now)
        assert await login.header() == "Bearer t1"
        path.unlink()
        await asyncio.sleep(3300)
        assert await login.header() == "Bearer t1"  # still good
        await asyncio.sleep(300)
        with pytest.raises(BcDenied, match=r"renewed\.pem cannot be read") as caught:
            await login.header()
        assert caught.value.cause == "certificate"
        path.write_bytes(pair[0].read_bytes())
        assert await login.header() == "Bearer t2"

    def test_files_that_cannot_be_used(self, papers, pair):
        path, key, _ = pair
        ec_key = ec.generate_private_key(ec.SECP256R1())
        other = rsa.generate_private_key(65537, 2048)
        cases = [
            (papers.folder / "none.pem", key, "cannot be read"),
            (key, key, "no certificate"),
            (path, path, "no private key"),
            (path, papers.write("locked.key", papers.key_pem(papers.rsa_key, b"pw")), "password"),
            (path, papers.write("ec.key", papers.key_pem(ec_key)), "RSA"),
            (path, papers.write("other.key", papers.key_pem(other)), "not the key of"),
        ]
        for certificate, private, said in cases:
            with pytest.raises(ConfigError, match=said):
                assertion(certificate, private, client_id="c", audience="a", now=NOW)

    def test_without_cryptography_it_says_what_to_install(self, pair, monkeypatch):
        monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)
        with pytest.raises(ConfigError, match=r"piprint\[certificate\]"):
            assertion(pair[0], pair[1], client_id="c", audience="a", now=NOW)
