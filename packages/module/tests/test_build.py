"""What is built: compiled modules with a list, and a manifest for an own firmware."""

import hashlib
import re
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from signing import pem

from nesmodule.updates.package import MAGIC
from nesmodule_build.__main__ import main
from nesmodule_build.shared import EVERYTHING, TEXTS
from nesmodule_build.tree import MESSAGES


def test_the_list_of_a_slot_names_each_file_with_its_hash(built):
    stock = built / "stock"
    listed = [line.split(" ") for line in (stock / "files.txt").read_text().splitlines()[1:]]
    files = sorted(path for path in stock.rglob("*") if path.is_file() and path.name != "files.txt")
    assert [name for _, _, name in listed] == [str(path.relative_to(stock)) for path in files]
    for found, size, name in listed:
        data = (stock / name).read_bytes()
        assert (found, int(size)) == (hashlib.sha256(data).hexdigest(), len(data))
    names = {name.replace("/", ".").removesuffix(".mpy") for _, _, name in listed}
    assert names >= {"link", "program", *(one.name for one in EVERYTHING if one.apart)}


def test_the_manifest_freezes_every_module(built):
    text = (built / "frozen" / "manifest.py").read_text()
    frozen = set(re.findall(r'"([\w/]+\.py)"', text))
    assert frozen == {str(path.relative_to(built / "source")) for path in (built / "source").rglob("*.py")} | {
        "frozen_texts.py"
    }


def test_texts_are_files_in_one_edition_and_constants_in_the_other(built):
    frozen = {}
    exec((built / "frozen" / "frozen_texts.py").read_text(), frozen)
    assert set(frozen["TEXTS"]) == {name.rpartition("/")[2] for name in TEXTS} | {MESSAGES, "boards.json"}
    for name, text in frozen["TEXTS"].items():
        assert (built / "stock" / name).read_bytes() == (built / "source" / name).read_bytes() == text


def test_compiled_modules_name_no_folder_of_the_computer(built):
    stock = built / "stock"
    for path in stock.rglob("*.mpy"):
        assert not re.search(rb"/(tmp|home|root)/", path.read_bytes())


def test_the_command_signs_what_it_built(tmp_path, monkeypatch, capsys):
    key = tmp_path / "key.pem"
    key.write_bytes(pem())
    monkeypatch.setattr(sys, "argv", ["nesmodule_build", str(tmp_path / "built"), "--sign", str(key)])
    assert main() == 0
    made = (tmp_path / "built" / "update.package").read_bytes()
    start = len(MAGIC) + 4
    ends = start + int.from_bytes(made[start - 4 : start - 2], "big")
    listed = made[start:ends]
    assert listed == (tmp_path / "built" / "stock" / "files.txt").read_bytes()
    # Checked by the library that made the key, not by ours.
    public = serialization.load_pem_private_key(key.read_bytes(), None).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(made[ends : ends + 384], listed, padding.PKCS1v15(), hashes.SHA256())
    modulus = (tmp_path / "built" / "start" / "update_key").read_bytes()
    assert int.from_bytes(modulus, "big") == public.public_numbers().n
    key.write_text("no key")
    assert main() == 1
    assert "openssl genrsa" in capsys.readouterr().err
