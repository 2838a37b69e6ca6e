"""Command line: ``python -m al_check FOLDER [--json | --contract | --renew]``.

Without an option, findings are printed one a line and the exit code says whether there were any. ``--json`` prints findings
and contract as JSON (for tests), ``--contract`` the contract alone. ``--renew`` writes the XLIFF files anew from the sources.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path

from al_check import access, code, guide, life, limits, pages, rights, shape, structure, visibility, xliff
from al_check.finding import Finding
from al_check.model import App
from al_check.wire import contract


def findings(app: App, guides: Iterable[Path] = ()) -> list[Finding]:
    """Return all defects, in the order of files and lines. With syntax errors nothing else is judged.

    Args:
        app: the extension.
        guides: texts for its users, besides its own README, that shall agree with it.
    """
    broken = [each for source in app.sources for each in source.syntax()]
    if broken:
        return sorted(set(broken))
    own = [each for each in (app.folder / "README.md",) if each.is_file()]
    return sorted({*_judged(app), *guide.check(app, [*own, *guides])})


def _judged(app: App) -> Iterator[Finding]:
    for check in (
        shape.check,
        *structure.CHECKS,
        *pages.CHECKS,
        *rights.CHECKS,
        *guide.CHECKS,
        *limits.CHECKS,
        code.check,
        *access.CHECKS,
        *life.CHECKS,
        *visibility.CHECKS,
        xliff.check,
    ):
        yield from check(app)


def main() -> int:
    """Run the gate; 0 without findings, 1 with."""
    parser = argparse.ArgumentParser(prog="al_check", description="Check the sources of a Business Central extension.")
    parser.add_argument("folder", type=Path, help="where app.json is")
    parser.add_argument(
        "--guide", type=Path, action="append", default=[], help="a text for its users, to be checked against it"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--json", action="store_true", help="print findings and contract as JSON")
    what.add_argument("--contract", action="store_true", help="print what OData clients see")
    what.add_argument("--renew", action="store_true", help="write the XLIFF files anew, keeping translations")
    arguments = parser.parse_args()
    app = App.read(arguments.folder)
    if arguments.renew:
        xliff.renew(app)
        return 0
    if arguments.contract:
        sys.stdout.write(json.dumps(contract(app), indent=2, ensure_ascii=False) + "\n")
        return 0
    found = findings(app, arguments.guide)
    if arguments.json:
        sys.stdout.write(
            json.dumps({"findings": [asdict(each) for each in found], "contract": contract(app)}, ensure_ascii=False)
            + "\n"
        )
    else:
        for each in found:
            sys.stdout.write(f"{each}\n")
        sys.stderr.write(f"{len(app.sources)} files, {len(app.objects)} objects, {len(found)} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
