"""A release is made of a copy of this repository, installed where nothing of it is, and started. No release is made of what is not right."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import jsonschema_rs
import pytest

import nes2mqtt
import osgp
import piprint
import release
import release_sbom

pytestmark = pytest.mark.xdist_group("release")  # one worker makes it for all

ROOT = Path(__file__).resolve().parents[2]
TODAY = datetime(2031, 5, 6, 7, 8, tzinfo=UTC)
VERSION = "7.8.9"


@pytest.fixture(scope="module", autouse=True)
def _maintainer():
    with pytest.MonkeyPatch.context() as patch:
        for who in ("AUTHOR", "COMMITTER"):
            patch.setenv(f"GIT_{who}_NAME", "A Maintainer")
            patch.setenv(f"GIT_{who}_EMAIL", "maintainer@example.invalid")
        yield


def make_repository(folder):
    release.git(folder, "init", "--quiet", "--initial-branch", "main")
    release.git(folder, "add", "--all")
    release.git(folder, "commit", "--quiet", "--message", "As it is")
    return folder


@pytest.fixture
def small(tmp_path):
    """A repository of which no release is built: it is refused before."""
    (tmp_path / "VERSION").write_text("1.2.3\n")
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n- New.\n\n## 1.2.3 (2030-01-02)\n\n- Old.\n"
    )
    return make_repository(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A copy of this repository of which a release was made: the copy, and what was built."""
    folder = tmp_path_factory.mktemp("release") / "repository"
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    make_repository(folder)
    release.make(folder, VERSION, folder.parent / "dry", today=TODAY, dry_run=True)
    assert release.git(folder, "status", "--porcelain") == "", "a dry run changes nothing"
    assert release.git(folder, "rev-list", "--count", "HEAD") == "1", "a dry run commits nothing"
    release.make(folder, VERSION, folder.parent / "built", today=TODAY, dry_run=False)
    return folder, folder.parent / "built"


def test_a_release_is_installed_where_nothing_of_it_is_and_its_programs_say_its_version(made, tmp_path):
    _, built = made
    venv.create(tmp_path / "fresh", with_pip=False)
    python = tmp_path / "fresh/bin/python"
    wheels = sorted(built.glob("*.whl"))
    assert [path.name.partition("-")[0] for path in wheels] == sorted(release.PACKAGES)
    install = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-index",
        "--no-deps",
        *wheels,
    ]
    subprocess.run(install, check=True)
    # What others wrote is taken from here, behind what was installed: nothing is fetched.
    (there,) = (tmp_path / "fresh/lib").glob("python*/site-packages")
    (there / "others.pth").write_text(str(Path(pytest.__file__).parents[1]))
    for program in ("nes2mqtt", "osgp", "piprint"):
        done = subprocess.run(
            [tmp_path / "fresh/bin" / program, "--version"], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{program} {VERSION}\n", "")
    where = "import nes2mqtt, piprint, osgp, servicekit; print(nes2mqtt.__built__, *{m.__file__.split('/lib/')[0] for m in (nes2mqtt, piprint, osgp, servicekit)})"
    said = subprocess.run([python, "-c", where], capture_output=True, text=True, check=True).stdout
    assert said == f"2031-05-06 {tmp_path / 'fresh'}\n"


def _metadata(wheel):
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        return packed.read(name).decode()


def test_packages_of_a_release_ask_for_each_other_in_this_version_and_carry_the_licence(made):
    _, built = made
    listing = {path.name.partition("-")[0]: _metadata(path) for path in built.glob("*.whl")}
    wanted = {
        name: set(re.findall(r"^Requires-Dist: ((?:osgp|servicekit|piprint|nes2mqtt)\b.*)", text, re.MULTILINE))
        for name, text in listing.items()
    }
    assert {re.sub(r"\s", "", each) for each in wanted["nes2mqtt"]} == {
        f"osgp[cli]=={VERSION}",
        f"osgp[tls]=={VERSION};platform_machine!='armv7l'",
        f"servicekit=={VERSION}",
    }
    assert wanted["piprint"] == {f"servicekit=={VERSION}"}
    assert wanted["osgp"] == wanted["servicekit"] == set()
    assert all("License-File: LICENSE" in text for text in listing.values())


def test_a_release_is_committed_and_building_that_commit_makes_the_same_bytes(made, tmp_path):
    folder, built = made
    assert release.git(folder, "log", "-1", "--format=%s") == f"Release {VERSION}"
    assert release.git(folder, "status", "--porcelain") == ""
    assert (folder / "VERSION").read_text() == f"{VERSION}\n"
    before = release.git(folder, "show", "HEAD~1:CHANGELOG.md")
    now = (folder / "CHANGELOG.md").read_text()
    assert now.startswith(f"# Changelog\n\n## Unreleased\n\n## {VERSION} (2031-05-06)\n\n")
    assert (built / f"CHANGES-{VERSION}.md").read_text().strip() in before
    release.git(folder, "tag", f"v{VERSION}")  # as the tag's workflow finds it
    release.make(folder, VERSION, tmp_path / "again", today=datetime(2031, 6, 7, tzinfo=UTC), dry_run=False)
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == {
        path.name: path.read_bytes() for path in built.iterdir()
    }
    assert release.git(folder, "log", "-1", "--format=%s") == f"Release {VERSION}"
    with tarfile.open(next(built.glob("osgp-*.tar.gz"))) as archive:
        assert {part.mtime for part in archive} == {datetime(2031, 5, 6, tzinfo=UTC).timestamp()}


def test_checksums_cover_everything_else(made):
    _, built = made
    lines = dict(reversed(line.split("  ")) for line in (built / "SHA256SUMS").read_text().splitlines())
    assert lines == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in built.iterdir()
        if path.name != "SHA256SUMS"
    }
    assert len(lines) == 2 * len(release.PACKAGES) + 2


def version_of(named, library):
    (version,) = {version for name, version in named if name == library}
    return version


def test_the_bill_of_materials_is_valid_and_names_what_is_locked_and_copied_in(made):
    _, built = made
    bill = json.loads((built / f"sbom-{VERSION}.cdx.json").read_text())
    schemas = resources.files("cyclonedx.schema._res")
    beside = {name: json.loads((schemas / f"{name}.SNAPSHOT.schema.json").read_text()) for name in ("spdx", "jsf-0.82")}
    registry = jsonschema_rs.Registry(
        [(f"http://cyclonedx.org/schema/{name}.SNAPSHOT.schema.json", text) for name, text in beside.items()]
    )
    schema = json.loads((schemas / "bom-1.6.SNAPSHOT.schema.json").read_text())
    jsonschema_rs.validator_for(schema, registry=registry).validate(bill)
    named = {(part["name"], part["version"]): part for part in bill["components"]}
    for lock in ("runtime", "piprint"):
        for name, version in re.findall(
            r"^([\w.-]+)==([^ ;]+)", (ROOT / f"requirements/{lock}.txt").read_text(), re.MULTILINE
        ):
            assert (name, version) in named
    assert {(name, VERSION) for name in release.PACKAGES} < set(named)
    (vendored,) = (ROOT / "packages/nes2mqtt/src").glob("**/vendor/uPlot.min.js")
    assert f"(v{dict(named)['uplot', '1.6.32']['version']})" in vendored.read_text()
    assert named["nes2mqtt", VERSION]["hashes"] == [
        {"alg": "SHA-256", "content": hashlib.sha256(next(built.glob("nes2mqtt-*.whl")).read_bytes()).hexdigest()}
    ]
    # Who needs whom, by what stands in the packages' own files; licences and conditions as their authors wrote them.
    assert bill["metadata"]["timestamp"].startswith("2031-05-06T00:00:00")
    needs = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    assert needs["release"] == set(release.PACKAGES)
    assert needs["piprint"] >= {"servicekit", f"pydantic=={version_of(named, 'pydantic')}"}
    assert needs["nes2mqtt"] >= {"servicekit", "osgp", "uplot", f"starlette=={version_of(named, 'starlette')}"}
    assert needs["servicekit"] == set()
    assert f"pydantic-core=={version_of(named, 'pydantic-core')}" in needs[f"pydantic=={version_of(named, 'pydantic')}"]
    parts = {part["name"]: part for part in bill["components"]}
    assert [each["license"]["id"] for each in parts["pydantic"]["licenses"]] == ["MIT"]
    assert [each["license"]["id"] for each in parts["uplot"]["licenses"]] == ["MIT"]
    ours = tomllib.loads((ROOT / "packages/nes2mqtt/pyproject.toml").read_text())["project"]["license"]
    assert ours in json.dumps(parts["nes2mqtt"]["licenses"])
    assert "sys_platform == 'win32'" in json.dumps(parts["pywin32"]["properties"]).replace('\\"', "'")
    scopes = {part["name"]: part.get("scope") for part in bill["components"]}
    assert (scopes["pydantic"], scopes["zeroconf"], scopes["hatchling"], scopes["pywin32"]) == (
        "required",
        "optional",
        "excluded",
        "optional",
    )


def test_a_lock_that_is_not_what_is_installed_makes_no_bill(tmp_path):
    for name in release_sbom.LOCKS:
        (tmp_path / f"{name}.txt").write_text("pydantic==0.0.1 \\\n    --hash=sha256:00\n")
    with pytest.raises(release_sbom.NotAsLocked, match=r"pydantic .* is installed here but the lock says 0\.0\.1"):
        release_sbom.bill_of_materials(tmp_path, tmp_path, VERSION, TODAY)


@pytest.mark.parametrize("version", ["1", "1.2", "v1.3.0", "1.3.0.0", "1.3.0-rc1", "01.3.0", "1.3.0 ", "next"])
def test_a_wrong_form_is_refused(small, version):
    with pytest.raises(release.Refusal, match=r"is no version\. Give three numbers"):
        release.check(small, version)


def test_changes_that_are_not_committed_are_refused(small):
    (small / "new").touch()
    with pytest.raises(release.Refusal, match=r"not committed(.|\n)*new"):
        release.check(small, "1.3.0")


def test_a_tag_that_is_there_is_refused(small):
    release.git(small, "tag", "v1.3.0")
    with pytest.raises(release.Refusal, match=r"tag v1\.3\.0 exists"):
        release.check(small, "1.3.0")


def test_a_tag_of_another_commit_is_refused(small):
    release.git(small, "tag", "v1.2.3")
    assert release.check(small, "1.2.3")
    release.git(small, "commit", "--quiet", "--allow-empty", "--message", "More")
    with pytest.raises(release.Refusal, match=r"tag v1\.2\.3 exists"):
        release.check(small, "1.2.3")


@pytest.mark.parametrize("version", ["1.2.2", "1.2.3rc1", "0.9.9"])
def test_a_version_of_the_past_is_refused(small, version):
    with pytest.raises(release.Refusal, match=r"is at 1\.2\.3"):
        release.check(small, version)


@pytest.mark.parametrize("text", ["# Changelog\n\n## Unreleased\n\n## 1.2.3 (2030-01-02)\n\n- Old.\n", "# Changelog\n"])
def test_an_empty_changelog_is_refused(small, text):
    (small / "CHANGELOG.md").write_text(text)
    release.git(small, "commit", "--quiet", "--all", "--message", "Say nothing")
    with pytest.raises(release.Refusal, match="nobody could know what is new"):
        release.check(small, "1.3.0")


def test_a_version_may_become_the_next(small):
    assert release.check(small, "1.3.0rc1") is False
    assert release.check(small, "1.3.0") is False


def test_what_is_installed_here_has_the_version_of_the_repository():
    version = (ROOT / "VERSION").read_text().strip()
    assert {package.__version__ for package in (nes2mqtt, osgp, piprint)} == {version}, (
        "run make test: it installs them anew"
    )


def test_the_version_stands_once():
    for package in release.PACKAGES:
        text = (ROOT / "packages" / package / "pyproject.toml").read_text()
        assert 'dynamic = ["version"]' in text
        assert not re.search(rf'"(?:{"|".join(release.PACKAGES)})\s*[=<>~]', text)
