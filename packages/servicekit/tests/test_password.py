"""Hashes of passwords: against a hash that OpenSSL made, and what is refused."""

from __future__ import annotations

import base64

import pytest

from servicekit.cookies import cookies
from servicekit.password import PasswordHash

# openssl kdf -keylen 32 -kdfopt pass:secret -kdfopt salt:0123456789abcdef -kdfopt n:16384 -kdfopt r:8 -kdfopt p:1 SCRYPT
BY_OPENSSL = "e35b81b842078156aee35bf5abd0536738ac9d28bfa250740db03cddedfa7e26"
SALT = b"0123456789abcdef"


def text_of(cost=16384, block=8, parallel=1, salt=SALT, digest=bytes(32), prefix="scrypt"):
    salted, hashed = (base64.urlsafe_b64encode(each).decode().rstrip("=") for each in (salt, digest))
    return f"{prefix}:{cost}:{block}:{parallel}:{salted}:{hashed}"


def test_a_hash_is_the_one_that_openssl_makes():
    made = PasswordHash.of("secret", SALT)
    assert made.hash.hex() == BY_OPENSSL
    assert str(made) == text_of(digest=bytes.fromhex(BY_OPENSSL))
    assert PasswordHash.parse(f" {made}\n") == made
    assert made.matches("secret")
    assert not made.matches("Secret")


def test_each_hash_has_a_salt_of_its_own_and_none_is_shown():
    first, second = PasswordHash.of("secret"), PasswordHash.of("secret")
    assert first.salt != second.salt
    assert len(first.salt) == 16
    assert repr(first) == "PasswordHash()"


def test_what_is_a_hash_and_what_a_password():
    assert PasswordHash.is_one(text_of())
    assert not PasswordHash.is_one("scrypt:is my password")
    assert not PasswordHash.is_one("a:b:c:d:e:f")


@pytest.mark.parametrize("text", ["scrypt", "scrypt:a:8:1:AAAA:AAAA", "scrypt:16384:8:1:A:AAAA", "scrypt:1:2:3:4:5:6"])
def test_a_damaged_hash_is_refused(text):
    with pytest.raises(ValueError, match="damaged"):
        PasswordHash.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        text_of(cost=2**11),
        text_of(prefix="bcrypt", digest=bytes(32)),
        text_of(prefix="yescrypt", digest=bytes(32)),
        text_of(cost=2**16),
        text_of(cost=2**14 + 1),
        text_of(block=0),
        text_of(block=17),
        text_of(parallel=5),
        text_of(salt=b""),
        text_of(digest=bytes(31)),
        text_of(prefix="argon2"),
    ],
)
def test_costs_that_nobody_should_pay_are_refused(text):
    with pytest.raises(ValueError, match="unusable costs"):
        PasswordHash.parse(text)


def test_all_cookies_of_a_name_are_found_in_their_order_and_empty_ones_are_none():
    lines = ["session=a; other=b", " session = c ;session=", "sessions=d", "session", "session=e=f"]
    assert cookies(lines, "session") == ["a", "c", "e=f"]
    assert cookies([], "session") == []
