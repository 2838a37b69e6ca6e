"""``python -m nesmodule_build [FOLDER]``: writes what goes on a module; ``--plan`` writes the plan of tables anew.

This module does not know how.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from nesmodule_build.dabbler import DABBLER, dabbler_text
from nesmodule_build.entities import ENTITIES, entities_text
from nesmodule_build.package import BuildFailed, write
from nesmodule_build.plan import PLAN, PlanWrong, plan_text
from nesmodule_build.rewrite.refused import Refused

__all__ = ["main"]


def main() -> int:
    """Build, or say what is in the way."""
    parser = argparse.ArgumentParser(prog="nesmodule_build", description="Write what goes on the module in the meter.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/module"))
    parser.add_argument("--plan", action="store_true", help="only write the plan of tables anew")
    chosen = parser.parse_args()
    try:
        if chosen.plan:
            PLAN.write_text(plan_text())
            ENTITIES.write_text(entities_text())
            DABBLER.write_text(dabbler_text())
        else:
            write(chosen.folder)
            size = sum(path.stat().st_size for path in (chosen.folder / "stock").rglob("*.mpy"))
            print(f"{chosen.folder}: {size} bytes for a slot")
    except (BuildFailed, PlanWrong, Refused) as error:
        print(f"The module's program cannot be built: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
