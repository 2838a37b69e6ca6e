"""The two services share no code by writing it twice: what both need is in servicekit."""

from __future__ import annotations

from pathlib import Path

import pytest

PACKAGES = Path(__file__).parents[2] / "packages"
RUN = 6
"""Lines in a row that two files may not share."""
KINDS = (".py", ".css", ".js")
"""Not HTML: how a page's head begins is what browsers ask of every page."""
FEWEST_LETTERS = 4
"""A line with fewer letters and digits is punctuation."""


def told(line: str) -> str:
    """Return a line without what tells nothing: indentation, comments of its own, punctuation alone, imports."""
    text = " ".join(line.split())
    if text.startswith(("#", "//", "/*", "*", "import ", "from ", "@", "__all__")):
        return ""
    return text if sum(letter.isalnum() for letter in text) >= FEWEST_LETTERS else ""


def runs(text: str) -> dict[tuple[str, ...], int]:
    """Return each run of lines that tell something, and the line it begins on."""
    lines = [(number, line) for number, raw in enumerate(text.splitlines(), 1) if (line := told(raw))]
    return {
        tuple(line for _, line in lines[start : start + RUN]): lines[start][0] for start in range(len(lines) - RUN + 1)
    }


def runs_of(package: str) -> dict[tuple[str, ...], str]:
    source = PACKAGES / package / "src"
    return {
        run: f"{path.relative_to(PACKAGES)}:{line}"
        for path in sorted(source.rglob("*"))
        if path.suffix in KINDS and "vendor" not in path.parts
        for run, line in runs(path.read_text()).items()
    }


@pytest.mark.parametrize(
    ("one", "other"), [("nes2mqtt", "piprint"), ("nes2mqtt", "servicekit"), ("piprint", "servicekit")]
)
def test_h3_no_six_lines_stand_in_two_services(one, other):
    ours, theirs = runs_of(one), runs_of(other)
    assert len(ours) > 300
    shared = {f"{ours[run]} ~ {theirs[run]}" for run in ours.keys() & theirs.keys()}
    assert not shared, "move what is shared to servicekit"


def test_h3_a_copy_is_found_whatever_its_indentation_and_comments():
    code = "\n".join(f"value_{number} = compute({number})" for number in range(RUN))
    indented = "def f():\n    # why\n" + "\n\n".join(f"    {line}" for line in code.splitlines())
    assert runs(code).keys() & runs(indented).keys()
    assert not runs(code.rpartition("\n")[0])
