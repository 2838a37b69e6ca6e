"""Change the code in small ways, one at a time, and see whether a test notices: the share of changes noticed is the score.

Cosmic Ray makes the changes (this program runs in its environment, ``.venv-mutation``), in a copy of the repository; the tests run in ``.venv``.
It does not know tables, which is what steps and states are here: so one more kind of change takes an element out of a set or a dictionary.
There are more changes than an hour holds, so they are drawn by chance, in turn from each module; the same seed draws the same ones. What no test
noticed is written with its difference. Some of it changes nothing that anybody could see: read it, test what matters.

Usage: python tools/mutation.py [--minutes 60] [--only PART_OF_A_PATH] [--seed 1]
"""

from __future__ import annotations

import argparse
import difflib
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator, operator_names

from mutation_changes import elements, is_seen, without

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "mutation"
TREE = FOLDER / "tree"
SURVIVORS = FOLDER / "survivors.md"

_JOBS = "packages/piprint/tests/jobs"
TARGETS = (
    ("packages/osgp/src/osgp/mep/client.py", ("packages/osgp/tests/link",)),
    ("packages/osgp/src/osgp/optical/datalink/*.py", ("packages/osgp/tests/optical",)),
    ("packages/nes2mqtt/src/nes2mqtt/meters/guard.py", ("packages/nes2mqtt/tests/meters",)),
    ("packages/piprint/src/piprint/journal/steps.py", (f"{_JOBS}/test_core_journal.py", f"{_JOBS}/test_core_ends.py")),
    (
        "packages/piprint/src/piprint/jobs/recovery.py",
        (f"{_JOBS}/test_core_recovery.py", f"{_JOBS}/test_core_restored.py"),
    ),
)
"""What must not be wrong, and the tests that have to notice. Each is run until the first failure."""

WITHOUT = "table/WithoutElement"
"""Our kind of change, beside Cosmic Ray's operators."""

UNSEEN = ("core/RemoveDecorator", "core/VariableReplacer", "core/VariableInserter", "core/NoOp")
"""Kinds of changes that are left out: they break types only, need arguments, or change nothing."""


@dataclass
class Target:
    """One module and what came of its changes."""

    path: Path
    tests: tuple[str, ...]
    limit: float = 0.0
    """Seconds after which the tests of a changed module count as hanging: noticed."""
    changes: list[tuple[str, int]] = field(default_factory=list)
    """Operator and occurrence, in the order in which they are tried."""
    noticed: int = 0
    survived: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The path for people."""
        return self.path.relative_to(TREE).as_posix()


def changes_of(path: Path) -> list[tuple[str, int]]:
    """Return all changes that can be made to a module."""
    tree = get_ast(path.read_text(encoding="utf-8"))
    found = []
    for name in operator_names():
        if not name.startswith(UNSEEN):
            operator = get_operator(name)()
            count = sum(1 for node in ast_nodes(tree) for _ in operator.mutation_positions(node))
            found += [(name, number) for number in range(count)]
    return found + [(WITHOUT, number) for number in range(len(elements(path.read_text(encoding="utf-8"))))]


def changed(text: str, name: str, number: int) -> str | None:
    """Return a module's text with one change; None when there is no such change."""
    if name != WITHOUT:
        after: str | None = mutate_code(text, get_operator(name)(), number)
        return after
    return without(text, number)


def copy_tree() -> None:
    """Copy what git knows or would."""
    shutil.rmtree(TREE, ignore_errors=True)
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (TREE / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, TREE / name)


def run(tests: tuple[str, ...], limit: float | None) -> bool:
    """Run tests in the copy; tell whether all passed within a time."""
    sources = os.pathsep.join(str(path) for path in sorted(TREE.glob("packages/*/src")))
    environment = {**os.environ, "PYTHONPATH": sources, "PYTHONDONTWRITEBYTECODE": "1"}
    command = [
        str(ROOT / ".venv/bin/python"),
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        "--no-header",
        *tests,
    ]
    process = subprocess.Popen(command, cwd=TREE, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return process.wait(limit) == 0
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


def targets(only: str, rng: random.Random) -> Iterator[Target]:
    """Return the modules, each with its changes in an order by chance and the time its tests take unchanged.

    Raises:
        RuntimeError: its tests fail without a change.
    """
    for pattern, tests in TARGETS:
        paths = [path for path in sorted(TREE.glob(pattern)) if path.name != "__init__.py" and only in path.as_posix()]
        if not paths:
            continue
        begin = time.monotonic()
        if not run(tests, None):
            raise RuntimeError(f"{' '.join(tests)} fail without any change, so nothing can be said; mend them first")
        spent = time.monotonic() - begin
        for path in paths:
            changes = changes_of(path)
            rng.shuffle(changes)
            yield Target(path, tests, 3 * spent + 20, changes)


def try_one(target: Target) -> None:
    """Make the next change of a module, run its tests, and take the change back."""
    name, number = target.changes.pop()
    before = target.path.read_text(encoding="utf-8")
    after = changed(before, name, number)
    if after is None or not is_seen(before, after):
        return
    target.path.write_text(after, encoding="utf-8")
    try:
        if run(target.tests, target.limit):
            lines = difflib.unified_diff(before.splitlines(), after.splitlines(), target.name, name, lineterm="", n=2)
            target.survived.append("\n".join(lines))
        else:
            target.noticed += 1
    finally:
        target.path.write_text(before, encoding="utf-8")


def main() -> int:
    """Change and test until the time is over, then print the score."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--only", default="", help="part of a path: only modules whose path has it")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    copy_tree()
    try:
        found = list(targets(options.only, random.Random(options.seed)))
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    end = time.monotonic() + 60 * options.minutes  # the runs without a change, in targets(), are not counted
    while time.monotonic() < end and any(target.changes for target in found):
        for target in found:
            if target.changes and time.monotonic() < end:
                try_one(target)
    for target in found:
        tried = target.noticed + len(target.survived)
        score = f"{target.noticed / tried:.0%}" if tried else "none tried"
        print(
            f"  {target.name:<66} {target.noticed:>4} of {tried:>4} noticed  {score:>6}  ({len(target.changes)} left)"
        )
    noticed, survived = sum(each.noticed for each in found), sum(len(each.survived) for each in found)
    print(f"score: {noticed / max(1, noticed + survived):.0%} of {noticed + survived} changes")
    text = "\n\n".join(f"```diff\n{each}\n```" for target in found for each in target.survived)
    SURVIVORS.write_text(text + "\n", encoding="utf-8")
    print(f"What no test noticed: {SURVIVORS.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
