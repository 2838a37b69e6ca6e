"""What is built: compiled modules with a list, and a manifest for an own firmware."""

import hashlib
import re

from nesmodule_build.shared import EVERYTHING, TEXTS


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
    assert set(frozen["TEXTS"]) == {name.rpartition("/")[2] for name in TEXTS}
    for name, text in frozen["TEXTS"].items():
        assert (built / "stock" / name).read_bytes() == (built / "source" / name).read_bytes() == text


def test_compiled_modules_name_no_folder_of_the_computer(built):
    stock = built / "stock"
    for path in stock.rglob("*.mpy"):
        assert not re.search(rb"/(tmp|home|root)/", path.read_bytes())
