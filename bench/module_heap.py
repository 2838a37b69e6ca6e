"""How much of a 32-bit heap the module's program takes as soon as it is loaded, from compiled modules in files.

What it takes while it runs is seen by module_hour.py; tests run it in 100 kB, and in 70 kB where its code stays in flash.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from nesmodule_build import package
from table import Row

_GOAL = 70_000
_MEASURE = """
import gc
{first}
gc.collect(); before = gc.mem_alloc()
import {name}
gc.collect(); print(gc.mem_alloc() - before)
"""


def rows() -> list[Row]:
    """Measure."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
    from micropython_32bit import command  # noqa: PLC0415

    interpreter = command()
    with TemporaryDirectory() as folder:
        package.write(Path(folder))
        slot = sum(path.stat().st_size for path in (Path(folder) / "stock").iterdir() if path.is_file())
        found = {}
        for name in ("link", "program", "nesmodule.outputs.guarded", "nesmodule.outputs.setup"):
            done = subprocess.run(
                [*interpreter, "-X", "heapsize=400k", "-c", _MEASURE.format(name=name, first="import program" if "." in name else "")],
                cwd=folder, env={"MICROPYPATH": "stock:.frozen"}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            found[name] = int(done.stdout)
    return [
        Row("heap after the link is loaded", f"{found['link']} bytes"),
        Row("heap after the program is loaded", f"{found['program']} bytes", f"<= {_GOAL}", found["program"] <= _GOAL),
        Row("the page's login, while there is one", f"{found['nesmodule.outputs.guarded']} bytes"),
        Row("the settings, while they are shown or changed", f"{found['nesmodule.outputs.setup']} bytes"),
        Row("flash for a slot, without what is loaded seldom", f"{slot} bytes"),
    ]
