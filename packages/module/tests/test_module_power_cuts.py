"""An update, the settings and the marker live through a power cut at any moment; packages of others are refused."""

import json

import pytest
from signing import listed, pem

from nesmodule_build.sign import modulus_of, package_of, rsa_signer

OLD = {"program.mpy": b"old" * 900, "tap/x.mpy": b"t" * 40}
NEW = {"link.mpy": b"l" * 5000, "program.mpy": b"new" * 1700, "tap/x.mpy": b"", "page.html": b"p"}
BEFORE, AFTER = {"name": "gw", "key": "SIMULATED-METER-DEMO"}, {"name": "house", "mqtt": {"host": "x" * 300}}


@pytest.fixture(scope="module")
def key():
    return pem()


@pytest.fixture
def package(tmp_path, key):
    """Return a function that makes a signed package."""

    def make(number, signed_by=key):
        for name, data in {**NEW, "files.txt": listed(NEW, number)}.items():
            path = tmp_path / name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        return package_of(tmp_path, rsa_signer(signed_by))

    return make


@pytest.fixture
def flash(micropython, start_tree, key):
    """Return a function that does something with the chip of a module, and returns what came of it."""

    def run(do, package=b"", **more):
        old = [(name, data.hex()) for name, data in {**OLD, "files.txt": listed(OLD, 7)}.items()]
        given = {
            "do": do, "what": "update", "blocks": 24, "old": old, "before": BEFORE, "works": True, "package": package.hex(),
            "modulus": modulus_of(key).hex(), **more,
        }  # fmt: skip
        # Files that were open at the cut make MicroPython say on the way that the heap is locked.
        return json.loads(micropython("power_cuts.py", json.dumps(given), path=start_tree).splitlines()[-1])

    return run


def test_an_update_that_works_is_there_wholly_or_not_at_all(flash, package):
    found = flash("cuts", package(8))
    assert found["whole"] == "b8 b8 b8 b8 b8 b8"
    assert found["operations"] > 60
    # The power may also fail between the starts: then the new program was started once and had no time to prove itself.
    assert found["left"].keys() == {"a7 a7 a7 a7 a7 a7", "b8 b8 b8 b8 b8 b8"}
    assert min(found["left"].values()) > 5


def test_an_update_that_does_not_work_is_given_up_wherever_the_power_fails(flash, package):
    found = flash("cuts", package(8), works=False)
    assert found["whole"] == "b8 b8 a7 a7 a7 safe"
    for seen in found["left"]:
        ran = seen.split(" ")
        assert ran.count("b8") <= 2
        assert set(ran) <= {"a7", "b8", "safe"}
        assert "safe" in ran or ran.count("a7") == 4


def test_settings_are_the_old_or_the_new_ones_wherever_the_power_fails(flash):
    found = flash("cuts", what="settings", after=AFTER)
    old, new = (json.dumps(sorted(map(list, values.items()))) for values in (BEFORE, {**BEFORE, **AFTER}))
    assert {json.dumps(json.loads(seen)) for seen in found["left"]} == {old, new}


def test_full_flash_leaves_the_settings_as_they_were(flash):
    assert flash("full", before=BEFORE) == {"said": "full", "values": sorted(map(list, BEFORE.items()))}


@pytest.mark.parametrize("number", [6, 7])
def test_an_older_program_and_the_same_one_again_are_refused(flash, package, number):
    found = flash("refusal", package(number))
    assert ("already there" if number == 7 else "is older") in found["said"]
    assert (found["written"], found["starts"].split(" ")[0]) == (0, "a7")


def test_an_older_program_is_taken_when_somebody_wants_it(flash, package):
    assert flash("refusal", package(6), older=True)["starts"].startswith("b6 b6")


def test_the_key_of_somebody_else_is_refused_before_anything_is_written(flash, package):
    found = flash("refusal", package(8, pem()))
    assert "not signed" in found["said"]
    assert (found["written"], found["starts"].split(" ")[0]) == (0, "a7")


def test_changed_and_short_packages_are_refused_and_the_old_program_goes_on(flash, package):
    whole = package(8)
    for at, what in (
        (3, "no package"),
        (40, "not signed"),
        (500, "not signed"),
        (len(whole) - 3, "cannot be read back"),
    ):
        changed = bytearray(whole)
        changed[at] ^= 1
        found = flash("refusal", bytes(changed))
        assert what in found["said"]
        assert set(found["starts"].split(" ")) == {"a7"}
    for short in (whole[:5], whole[:100], whole[:2000], whole[:-1]):
        found = flash("refusal", short)
        assert "ended too early" in found["said"]
        assert set(found["starts"].split(" ")) == {"a7"}
    assert "longer than its list" in flash("refusal", whole + b"x")["said"]
