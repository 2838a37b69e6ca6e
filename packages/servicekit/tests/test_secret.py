"""Where secrets come from, and that nothing shows one."""

from __future__ import annotations

import copy
import errno
import os
import pickle
from pathlib import Path

import pytest

from servicekit.secret import Secret

SECRET = "Zq8-canary-of-a-secret"


@pytest.fixture(autouse=True)
def _no_credentials(monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_file_is_read_as_editors_write_it(tmp_path, encoding, end):
    (tmp_path / "s").write_bytes(f"{SECRET}{end}".encode(encoding))
    secret = Secret.parse({"file": str(tmp_path / "s")})
    assert secret.reveal() == SECRET
    assert (secret.inline, secret.file) == (False, tmp_path / "s")


def test_each_form_is_read(tmp_path, monkeypatch):
    (tmp_path / "s").write_text(SECRET)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("SOME_SECRET", SECRET)
    for form in (SECRET, {"env": "SOME_SECRET"}, {"credential": "s"}, Secret(SECRET)):
        assert Secret.parse(form) == Secret(SECRET)
    assert Secret.parse(SECRET).inline


def test_nothing_shows_it(tmp_path):
    secret = Secret(SECRET)
    assert SECRET not in f"{secret} {secret!r} {[secret]} {copy.copy(secret)!r} {copy.deepcopy(secret)!r}"
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)


FORMS = [
    ({"env": SECRET}, "the environment variable named here is not set; set it"),
    ({"credential": SECRET}, "add LoadCredential=NAME:/path to the unit"),
    ({"file": f"/nowhere/{SECRET}"}, "No such file or directory; write the secret, alone, into that file"),
    ({"file": SECRET}, "start the program there, or write the whole path"),
    ({"file": f"{SECRET}\0"}, "cannot be read"),
    ({"file": f"~{SECRET}/x"}, "cannot be read"),
    ({"file": "/dev/null"}, "is empty; write the secret"),
    ({"file": "/dev/zero"}, "far too long for a secret"),
    ({"path": SECRET}, "a secret is"),
    ({"file": 1, "env": SECRET}, "a secret is"),
    ({"file": 1}, "a secret is"),
    (1, "a secret is"),
]


@pytest.mark.parametrize(("form", "said"), FORMS)
def test_what_is_wrong_is_told_and_no_value_repeated(form, said):
    with pytest.raises(ValueError, match=said) as caught:
        Secret.parse(form)
    assert SECRET not in str(caught.value)


def test_a_credential_that_is_not_there_is_told_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ValueError, match=f"write the secret, alone, into a file of that name in {tmp_path}"):
        Secret.parse({"credential": "s"})


def test_one_that_only_root_may_read_is_told_with_sudo(monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(ValueError, match="Permission denied; put sudo before"):
        Secret.parse({"file": "/etc/secret"})


def test_who_types_the_command_is_told_his_own_way():
    class Ours(Secret):
        BY_HAND = "By hand: like this. "

    with pytest.raises(ValueError, match=r"to the unit\. By hand: like this\. Or use"):
        Ours.parse({"credential": "s"})
    assert isinstance(Ours.parse("x"), Ours)
