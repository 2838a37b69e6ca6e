"""Puts defects into a copy of the extension, one after the other, and tells what the gate says of each.

Run inside the environment of the gate: ``python break.py FOLDER``, with ``{name: [file, before, after]}`` as JSON on standard
input; prints ``{name: {"findings": [...], "contract": {...}}}``. Every file is put back as it was.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from al_check.__main__ import findings
from al_check.model import App
from al_check.wire import contract


def main() -> None:
    folder = Path(sys.argv[1])
    said = {}
    for name, (file, before, after) in json.load(sys.stdin).items():
        path = folder / file
        text = path.read_text("utf-8")
        if before not in text:
            sys.exit(f"{name}: {file} has no {before!r}")
        path.write_text(text.replace(before, after, 1), "utf-8")
        app = App.read(folder)
        found = findings(app)
        syntax = any(each.what.startswith(("syntax", "missing")) for each in found)
        said[name] = {"findings": [str(each) for each in found], "contract": None if syntax else contract(app)}
        path.write_text(text, "utf-8")
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
