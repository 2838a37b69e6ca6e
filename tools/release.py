"""Make a release: one version of all packages, as wheels and source archives, with checksums, a bill of materials and the changelog's section.

The version stands once, in the file VERSION. A release is made from what is committed, in a copy of it, so that nothing of a
working tree gets in. Two runs of the same commit make the same bytes: every time stamp is the day in the changelog.

Usage: python tools/release.py VERSION [--into FOLDER] [--dry-run]

The first run of a version writes it into the repository and commits that; a run on a commit that has it (as the tag's
workflow does) only builds. It pushes nothing and sets no tag.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.version import InvalidVersion, Version

import release_sbom

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("servicekit", "osgp", "nes2mqtt", "piprint")
CHANGELOG = "CHANGELOG.md"
UNRELEASED = "## Unreleased"

STAMPS = (
    ("VERSION", r"\A.*", "{version}"),
    ("packages/nes2mqtt/src/nes2mqtt/__init__.py", r"(?m)^__built__ = .*$", '__built__ = "{day}"'),
    ("docs/reference/openapi.json", r'(?m)^    "version": .*$', '    "version": "{version}"'),
)
"""What a release changes besides the changelog: the file, what is found in it, and what then stands there."""


class Refusal(RuntimeError):
    """No release can be made of this. The text is for the maintainer: what is wrong and what to do."""


def git(root: Path, *words: str) -> str:
    """Return what git says."""
    return subprocess.run(["git", "-C", str(root), *words], capture_output=True, text=True, check=True).stdout.strip()


def section(changelog: str, heading: str) -> str | None:
    """Return what stands under a heading of the changelog, without the heading; None when there is no such heading."""
    found = re.search(rf"(?ms)^{re.escape(heading)}(?: \([0-9-]+\))?\n(.*?)(?=^## |\Z)", changelog)
    return found.group(1).strip() if found else None


def release_day(changelog: str, version: str) -> datetime | None:
    """Return the day (midnight UTC) that stands beside a version in the changelog."""
    found = re.search(rf"(?m)^## {re.escape(version)} \((\d{{4}}-\d\d-\d\d)\)$", changelog)
    return datetime.fromisoformat(found.group(1)).replace(tzinfo=UTC) if found else None


def check(root: Path, version: str) -> bool:
    """Say whether this commit is the release already (True), or may become it (False).

    Raises:
        Refusal: neither.
    """
    if not re.fullmatch(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(rc[1-9]\d*)?", version):
        raise Refusal(
            f'"{version}" is no version. Give three numbers with dots between them, such as 1.4.0, '
            "or 1.4.0rc1 for one that is to be tried first."
        )
    dirty = git(root, "status", "--porcelain")
    if dirty:
        raise Refusal(
            "There are changes that are not committed, so a release would not hold what you see. "
            f"Commit them or take them back, then try again:\n{dirty}"
        )
    changelog = (root / CHANGELOG).read_text(encoding="utf-8")
    now = (root / "VERSION").read_text(encoding="utf-8").strip()
    made = now == version and release_day(changelog, version) is not None
    tag = f"v{version}"
    if git(root, "tag", "--list", tag) and not (
        made and git(root, "rev-parse", f"{tag}^{{commit}}") == git(root, "rev-parse", "HEAD")
    ):
        raise Refusal(
            f"The tag {tag} exists already and is another commit. What was released under a version never changes: "
            "take the next version."
        )
    if made:
        return True
    try:
        older = Version(version) < Version(now)
    except InvalidVersion:
        older = False
    if older or section(changelog, f"## {version}") is not None:
        raise Refusal(f"The repository is at {now}, so {version} was released before. Take the next version.")
    if not section(changelog, UNRELEASED):
        raise Refusal(
            f'Nothing stands under "{UNRELEASED}" in {CHANGELOG}, so nobody could know what is new. '
            "Write there what a user will notice, commit it, then try again."
        )
    return False


def stamp(tree: Path, version: str, day: datetime) -> list[str]:
    """Write version and day into a tree; return the files that were changed.

    Raises:
        Refusal: a place for them is not as it was when this was written.
    """
    for name, pattern, text in STAMPS:
        path = tree / name
        new, count = re.subn(
            pattern, text.format(version=version, day=f"{day:%Y-%m-%d}"), path.read_text(encoding="utf-8"), count=1
        )
        if not count:
            raise Refusal(
                f"The place for the version or its day was not found in {name}. Mend STAMPS in tools/release.py."
            )
        path.write_text(new, encoding="utf-8")
    path = tree / CHANGELOG
    heading = f"{UNRELEASED}\n\n## {version} ({day:%Y-%m-%d})\n"
    path.write_text(path.read_text(encoding="utf-8").replace(f"{UNRELEASED}\n", heading, 1), encoding="utf-8")
    return [name for name, _, _ in STAMPS] + [CHANGELOG]


def unpack(archive: io.BytesIO, folder: Path) -> None:
    """Unpack an archive of our own making."""
    with tarfile.open(fileobj=archive) as opened:
        # Debian 12's Python has no filters; a newer one warns when none is chosen.
        opened.extraction_filter = getattr(tarfile, "data_filter", lambda member, _path: member)
        opened.extractall(folder)


def export(root: Path, tree: Path) -> None:
    """Write what is committed into a folder."""
    archive = subprocess.run(["git", "-C", str(root), "archive", "HEAD"], capture_output=True, check=True).stdout
    unpack(io.BytesIO(archive), tree)


def tie_together(tree: Path, version: str) -> None:
    """Let each package ask for exactly this version of the others, and carry the licence.

    In the repository they ask for no version: there is only the one beside them, and it would stand in as many places.
    """
    ours = "|".join(PACKAGES)
    for package in PACKAGES:
        project = tree / "packages" / package / "pyproject.toml"
        text = project.read_text(encoding="utf-8")
        project.write_text(
            re.sub(rf'"((?:{ours})(?:\[[a-z,]+\])?)(\s*;[^"]*)?"(?=\s*[,\]])', rf'"\1=={version}\2"', text),
            encoding="utf-8",
        )
        shutil.copy(tree / "LICENSE", project.parent)


def build(tree: Path, into: Path, day: datetime) -> None:
    """Build a source archive of each package, and a wheel from that archive, without the network."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": str(int(day.timestamp()))}
    hatchling = [sys.executable, "-m", "hatchling", "build", "-d", str(into)]

    def run(kind: str, folder: Path) -> None:
        done = subprocess.run(
            [*hatchling, "-t", kind], cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Refusal(f"{folder.name} could not be built ({kind}). The builder says:\n{done.stdout}{done.stderr}")

    for package in PACKAGES:
        run("sdist", tree / "packages" / package)
        (archive,) = into.glob(f"{package}-*.tar.gz")
        unpacked = tree / "from-sdist"
        unpack(io.BytesIO(archive.read_bytes()), unpacked)
        run("wheel", unpacked / archive.name.removesuffix(".tar.gz"))


def write_sums(into: Path) -> None:
    """Write SHA256SUMS in the form that ``sha256sum --check`` reads."""
    files = sorted(path for path in into.iterdir() if path.name != "SHA256SUMS")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (into / "SHA256SUMS").write_text("".join(lines), encoding="ascii")


def make(root: Path, version: str, into: Path, *, today: datetime, dry_run: bool) -> None:
    """Make the release, or raise Refusal and leave everything as it was."""
    made = check(root, version)
    with TemporaryDirectory(prefix="release-") as folder:
        tree, output = Path(folder, "tree"), Path(folder, "output")
        tree.mkdir()
        output.mkdir()
        export(root, tree)
        changed = [] if made else stamp(tree, version, today)
        changelog = (tree / CHANGELOG).read_text(encoding="utf-8")
        notes, day = section(changelog, f"## {version}"), release_day(changelog, version)
        if notes is None or day is None:
            raise Refusal(f'The changelog has no heading "{UNRELEASED}" to put the version under.')
        stamped = {name: (tree / name).read_bytes() for name in changed}
        tie_together(tree, version)
        build(tree, output, day)
        (output / f"CHANGES-{version}.md").write_text(notes + "\n", encoding="utf-8")
        try:
            bill = release_sbom.bill_of_materials(tree / "requirements", output, version, day)
        except release_sbom.NotAsLocked as error:
            raise Refusal(str(error)) from None
        (output / f"sbom-{version}.cdx.json").write_text(bill, encoding="utf-8")
        write_sums(output)
        shutil.rmtree(into, ignore_errors=True)
        shutil.copytree(output, into)
    if made or dry_run:
        return
    for name, content in stamped.items():
        (root / name).write_bytes(content)
    git(root, "commit", "--quiet", "--message", f"Release {version}", "--", *changed)


def main() -> int:
    """Make the release that the arguments name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("version", help="such as 1.4.0; the next one after that in the file VERSION")
    parser.add_argument("--into", type=Path, help="a folder that is made anew; dist/VERSION when not given")
    parser.add_argument("--dry-run", action="store_true", help="build it all, but change and commit nothing")
    options = parser.parse_args()
    into = options.into or ROOT / "dist" / options.version
    before = git(ROOT, "rev-parse", "HEAD")
    try:
        make(ROOT, options.version, into, today=datetime.now(UTC), dry_run=options.dry_run)
    except Refusal as refusal:
        print(refusal, file=sys.stderr)
        return 1
    for path in sorted(into.iterdir()):
        print(path)
    if git(ROOT, "rev-parse", "HEAD") != before:
        tag = f"v{options.version}"
        print(
            f"This is committed. Look at it, then release it: git tag -a {tag} -m {tag} && git push origin HEAD {tag}\n"
            "To take it back before that: git reset --keep HEAD~1"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
