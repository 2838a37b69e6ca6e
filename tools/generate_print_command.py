"""Write docs/reference/piprint-command.md from the command itself: every command, argument and option.

python tools/generate_print_command.py           write the page
python tools/generate_print_command.py --check   fail if the committed page is out of date
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from piprint.cli import app

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "piprint-command.md"

INTRODUCTION = """\
<!-- Written by tools/generate_print_command.py; edit the code, then run `make reference`. -->
# The piprint command

Every command and its options. How to use them is told in [printing.md](../printing.md).

## Exit codes

| Code | Meaning |
|---|---|
| 0 | all went well |
| 1 | it failed while running; `piprint doctor`: there is a problem |
| 2 | the configuration or the command line is wrong |
| 3 | another processor runs with this data folder |
| 130 | ended by Ctrl-C |
"""


def _row(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"


def _command(name: str, command: Any) -> Iterator[str]:
    arguments = [each for each in command.params if each.param_type_name == "argument"]
    options = [each for each in command.params if each.param_type_name == "option" and each.name != "help"]
    words = "".join(f" {each.metavar or each.name.upper()}" for each in arguments)
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield f"    piprint {name}{' [OPTIONS]' if options else ''}{words}"
    if arguments:
        yield from ["", "| Argument | Meaning |", "|---|---|"]
        yield from (_row(f"`{each.metavar or each.name.upper()}`", each.help) for each in arguments)
    if options:
        yield from ["", "| Option | Meaning | Default |", "|---|---|---|"]
        for each in options:
            default = "" if each.is_flag or each.default in (None, "") else f"`{each.default}`"
            yield _row(", ".join(f"`{word}`" for word in each.opts), each.help, default)


def page() -> str:
    """Return the page."""
    program: Any = get_command(app)
    lines = [INTRODUCTION]
    for name, command in program.commands.items():
        lines += [f"## piprint {name}", "", *_command(name, command), ""]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/reference/piprint-command.md from the command.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is out of date")
    options = parser.parse_args(arguments)
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        print("docs/reference/piprint-command.md is out of date; run `make reference`")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("wrote docs/reference/piprint-command.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
