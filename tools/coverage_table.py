"""Measure which lines and branches of each package the tests run; print a table with each package's goal, and fail below it.

By default the packages' own tests run: those that need a browser, a CUPS, another program or whole days are left out, so that it ends
in minutes. Programs that tests start as processes are measured too. What was not run is written beside the data, by module.

Usage: python tools/coverage_table.py [all | PACKAGE ...]
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "build" / "coverage"
UNCOVERED = FOLDER / "uncovered.md"

GOALS = {"servicekit": (95, 90), "osgp": (98, 94), "nes2mqtt": (90, 85), "piprint": (90, 85)}
"""Of each package: per cent of lines, per cent of branches. Raised when tests are added, never lowered in silence."""

LONG = (
    "packages/osgp/tests/termineter",
    "packages/nes2mqtt/tests/homeassistant",
    "packages/piprint/tests/acceptance",
    "packages/piprint/tests/al",
)
"""What ``all`` runs besides: other programs, browsers, whole days. (The checks of the AL extension run nothing of ours.) Only these run
``piprint demo``, so that by default ``piprint/demo/run.py`` is told as not run."""

IMPORTS = ("knows_no_clock_and_no_socket", "comes_without", "come_without", "stays_out_of_memory")
"""Parts of the names of tests that look at what is imported: measuring imports more."""

WRITES_NO_FILE = ("h1_programs_still_start_by_the_name_they_had",)
"""Parts of the names of tests that start the process for PDFs and look at its exit code: it may write no file, so neither its figures."""


@dataclass
class Module:
    """What was found in one module."""

    name: str
    lines: int
    missing: list[int]
    branches: int
    not_taken: list[tuple[int, int]]


@dataclass
class Total:
    """What was found in one package."""

    package: str
    modules: list[Module] = field(default_factory=list)

    @property
    def line_share(self) -> float:
        """Per cent of lines that were run."""
        return _share(sum(each.lines for each in self.modules), sum(len(each.missing) for each in self.modules))

    @property
    def branch_share(self) -> float:
        """Per cent of branches that were taken."""
        return _share(sum(each.branches for each in self.modules), sum(len(each.not_taken) for each in self.modules))


def _share(of: int, missing: int) -> float:
    return 100.0 * (of - missing) / of if of else 100.0


def modules(report: dict[str, Any]) -> Iterator[Module]:
    """Read what ``coverage json`` wrote."""
    for path, found in sorted(report["files"].items()):
        summary = found["summary"]
        yield Module(
            Path(path).as_posix().rpartition("/src/")[2],
            summary["num_statements"],
            found["missing_lines"],
            summary["num_branches"],
            [(begin, end) for begin, end in found.get("missing_branches", [])],
        )


def totals(found: Iterable[Module], packages: Iterable[str]) -> list[Total]:
    """Return a total for each package that was asked for."""
    by_package = {package: Total(package) for package in packages}
    for module in found:
        total = by_package.get(module.name.partition("/")[0])
        if total is not None:
            total.modules.append(module)
    return list(by_package.values())


def runs(numbers: Sequence[int]) -> str:
    """Return numbers in ascending order as 3-5, 8."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(f"{each[0]}-{each[-1]}" if len(each) > 1 else str(each[0]) for each in found)


def table(found: Iterable[Total]) -> tuple[list[str], bool]:
    """Return the lines of the table, and whether every goal is met."""
    lines = [f"  {'package':<12} {'lines':>8} {'goal':>6}   {'branches':>8} {'goal':>6}"]
    met = True
    for total in found:
        line_goal, branch_goal = GOALS[total.package]
        enough = total.line_share >= line_goal and total.branch_share >= branch_goal
        met &= enough
        lines.append(
            f"  {total.package:<12} {total.line_share:>6.1f} % {line_goal:>4} %   {total.branch_share:>6.1f} % {branch_goal:>4} %"
            f"   {'met' if enough else 'NOT MET'}"
        )
    return lines, met


def uncovered(found: Iterable[Total]) -> str:
    """Return, as a page, the lines and branches of each module that were not run, most first."""
    text = []
    for total in found:
        text += [f"\n# {total.package}: {total.line_share:.1f} % of lines, {total.branch_share:.1f} % of branches\n"]
        for module in sorted(total.modules, key=lambda each: -len(each.missing)):
            if module.missing or module.not_taken:
                # A branch to a line that was not run is told by the line.
                taken = [f"{begin}->{end}" for begin, end in module.not_taken if end not in module.missing]
                share = _share(module.lines, len(module.missing))
                text.append(
                    f"- {module.name} {share:.0f} %: {runs(module.missing) or 'every line'}"
                    + (f"; branches {', '.join(taken)}" if taken else "")
                )
    return "\n".join(text) + "\n"


def run_tests(packages: Sequence[str], *, everything: bool) -> int:
    """Run the tests under measurement; return pytest's exit code."""
    left_out = () if everything else LONG
    command = [
        sys.executable,
        "-m",
        "coverage",
        "run",
        "-m",
        "pytest",
        "-n",
        "2",
        "--dist",
        "loadgroup",
        "--timeout",
        "600",
    ]
    command += [
        "--no-header",
        "-q",
        "-p",
        "no:cacheprovider",
        "-k",
        " and ".join(f"not {name}" for name in IMPORTS + WRITES_NO_FILE),
    ]
    command += [f"--ignore={path}" for path in left_out]
    command += [f"packages/{package}" for package in packages] + (["tests/system"] if everything else [])
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def main() -> int:
    """Measure the packages that the arguments name, or all."""
    words = sys.argv[1:]
    everything = words == ["all"]
    packages = list(GOALS) if everything or not words else words
    unknown = [word for word in packages if word not in GOALS]
    if unknown:
        print(f"There is no package {unknown[0]}. There are: {', '.join(GOALS)}; or say: all", file=sys.stderr)
        return 2
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    os.environ["COVERAGE_RCFILE"] = str(ROOT / "pyproject.toml")
    failed = run_tests(packages, everything=everything)
    report = FOLDER / "report.json"
    coverage = [sys.executable, "-m", "coverage"]
    subprocess.run([*coverage, "combine", "-q"], cwd=ROOT, check=True)
    subprocess.run([*coverage, "json", "-q", "-o", str(report)], cwd=ROOT, check=True)
    found = totals(modules(json.loads(report.read_text(encoding="utf-8"))), packages)
    UNCOVERED.write_text(uncovered(found), encoding="utf-8")
    lines, met = table(found)
    print("\n".join(lines))
    print(f"What was not run, by module: {UNCOVERED.relative_to(ROOT)}")
    if failed:
        print("Tests failed, so the figures are not those of the whole suite.", file=sys.stderr)
    return 1 if failed or not met else 0


if __name__ == "__main__":
    sys.exit(main())
