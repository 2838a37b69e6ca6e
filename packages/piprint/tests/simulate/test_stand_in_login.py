"""Tokens, certificates, names and passwords, and what is said when they are wrong."""

import base64
import datetime as dt
import json

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from piprint.simulate.login import Accounts

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


async def test_a_token_opens_until_it_expires(ask, clock):
    reply = await ask.log_in()
    assert (reply.json["token_type"], reply.json["expires_in"]) == ("Bearer", 4500)
    clock.move(seconds=4499)
    assert (await ask("GET", "PIPrintPrinterWS")).status == 200
    clock.move(seconds=1)
    refused = await ask("GET", "PIPrintPrinterWS")
    assert (refused.status, refused.code) == (401, "Authentication_InvalidCredentials")


async def test_tokens_can_be_made_to_expire(ask):
    ask.bc.login.expire_tokens()
    assert (await ask("GET", "PIPrintPrinterWS")).status == 401


@pytest.mark.parametrize(
    ("changes", "status", "number", "error"),
    [
        ({"client_id": "other"}, 400, 700016, "unauthorized_client"),
        ({"client_secret": "wrong"}, 401, 7000215, "invalid_client"),
        ({"client_secret": None}, 401, 7000218, "invalid_client"),
        ({"grant_type": "password"}, 400, 70003, "unsupported_grant_type"),
        ({"scope": "openid"}, 400, 70011, "invalid_scope"),
        ({"client_secret": None, "client_assertion": "a.b.c"}, 401, 700027, "invalid_client"),
    ],
)
async def test_the_token_endpoint_says_what_is_wrong(ask, changes, status, number, error):
    reply = await ask.log_in(**changes)
    assert (reply.status, reply.json["error"], reply.json["error_codes"]) == (status, error, [number])
    assert reply.json["error_description"].startswith(f"AADSTS{number}: ")
    assert "stand-in-secret" not in reply.body.decode()


async def test_an_unknown_tenant(ask):
    url = ask.bc.token_url.replace(ask.bc.login.accounts.tenant, "example.com")
    async with ask.session.post(url, data={}) as response:
        assert (await response.json())["error_codes"] == [90002]


async def test_an_expired_secret(opened):
    async with opened(logged_in=False, accounts=Accounts(secret_expired=True)) as ask:
        assert (await ask.log_in()).json["error_codes"] == [7000222]
        assert (await ask.log_in(client_secret="wrong")).json["error_codes"] == [7000215]


async def test_basic_is_for_on_premises(opened):
    header = {"Authorization": aiohttp.encode_basic_auth("PI", "key:æ", encoding="utf-8")}
    async with opened(logged_in=False, accounts=Accounts(username="PI", password="key:æ")) as ask:
        assert (await ask("GET", "PIPrintPrinterWS", headers=header)).status == 200
        wrong = {"Authorization": aiohttp.encode_basic_auth("PI", "wrong")}
        assert (await ask("GET", "PIPrintPrinterWS", headers=wrong)).status == 401
        assert (await ask("GET", "PIPrintPrinterWS", headers={"Authorization": "Basic ???"})).status == 401
        assert (await ask("GET", "PIPrintPrinterWS")).status == 401
    async with opened(logged_in=False) as online:
        assert (await online("GET", "PIPrintPrinterWS", headers=header)).status == 401


async def test_missing_rights(ask):
    ask.bc.login.access = "no permission set"
    reply = await ask("GET", "PIPrintPrinterWS")
    assert (reply.status, reply.code) == (403, "Authorization_RequestDenied")
    ask.bc.login.access = "unregistered"
    reply = await ask("GET", "PIPrintPrinterWS")
    assert (reply.status, reply.code) == (401, "Authentication_InvalidCredentials")
    assert (await ask.log_in()).status == 200  # Entra knows nothing of it


@pytest.fixture(scope="module")
def signer():
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "client")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM)


def encoded(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def assertion(key, algorithm, **claims):
    text = f"{encoded(json.dumps({'alg': algorithm}).encode())}.{encoded(json.dumps(claims).encode())}"
    filling = {
        "RS256": padding.PKCS1v15(),
        "PS256": padding.PSS(padding.MGF1(hashes.SHA256()), padding.PSS.DIGEST_LENGTH),
    }[algorithm]
    return f"{text}.{encoded(key.sign(text.encode(), filling, hashes.SHA256()))}"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
async def test_a_certificate_in_place_of_the_secret(opened, signer, clock, algorithm):
    key, certificate = signer
    async with opened(logged_in=False, accounts=Accounts(certificate=certificate), now=clock) as ask:
        client = ask.bc.login.accounts.client_id
        claims = {"iss": client, "sub": client, "aud": ask.bc.token_url, "exp": clock().timestamp() + 600}

        async def log_in(by=key, **changes):
            text = assertion(by, algorithm, **(claims | changes))
            return await ask.log_in(client_secret=None, client_assertion_type=ASSERTION, client_assertion=text)

        assert (await log_in()).status == 200
        stranger = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        refused = [
            await log_in(by=stranger),
            await log_in(aud="https://elsewhere/token"),
            await log_in(iss="other"),
            await log_in(exp=clock().timestamp() - 600),
            await log_in(nbf=clock().timestamp() + 600),
            await log_in(exp="soon"),
        ]
        assert [reply.json["error_codes"] for reply in refused] == [[700027]] * 6


async def test_tls_by_an_authority_of_its_own(opened):
    async with opened(tls=True) as ask:
        assert ask.bc.url.startswith("https://127.0.0.1:")
        assert (await ask("GET", "PIPrintPrinterWS")).status == 200
        async with aiohttp.ClientSession() as stranger:
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await stranger.get(ask.bc.url)
