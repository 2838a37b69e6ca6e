"""``python -m nesmodule_build [FOLDER]``: writes what goes on a module; ``--plan`` writes the plan of tables anew.

``--sign KEY.pem`` also makes a signed package of the slot. ``python -m nesmodule_build flash`` brings it onto a board.

This module does not know how.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path

from nesmodule_build import flash
from nesmodule_build.dabbler import DABBLER, dabbler_text
from nesmodule_build.entities import ENTITIES, entities_text
from nesmodule_build.package import BuildFailed, number_of, write
from nesmodule_build.plan import PLAN, PlanWrong, plan_text
from nesmodule_build.rewrite.refused import Refused
from nesmodule_build.schematic import PICTURE, SCHEMATIC, drawn, read
from nesmodule_build.sign import modulus_of, package_of, rsa_signer

__all__ = ["main"]


def main() -> int:
    """Build, or say what is in the way."""
    if sys.argv[1:2] == ["flash"]:
        return flash.main(sys.argv[2:])
    parser = argparse.ArgumentParser(prog="nesmodule_build", description="Write what goes on the module in the meter.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path("build/module"))
    parser.add_argument(
        "--plan",
        action="store_true",
        help="only write what is generated and kept: the plan of tables, texts, the schematic",
    )
    parser.add_argument(
        "--sign",
        type=Path,
        metavar="KEY.pem",
        help="also write update.package, signed with this RSA key, and update_key",
    )
    chosen = parser.parse_args()
    try:
        if chosen.plan:
            PLAN.write_text(plan_text())
            ENTITIES.write_text(entities_text())
            DABBLER.write_text(dabbler_text())
            PICTURE.write_text(drawn(read(SCHEMATIC)))
        else:
            write(chosen.folder)
            size = sum(path.stat().st_size for path in (chosen.folder / "stock").rglob("*.mpy"))
            print(f"{chosen.folder}: {size} bytes for a slot")
            if chosen.sign:
                _sign(chosen.folder, chosen.sign)
    except (BuildFailed, PlanWrong, Refused) as error:
        print(f"The module's program cannot be built: {error}", file=sys.stderr)
        return 1
    return 0


def _sign(folder: Path, key: Path) -> None:
    """Write the package, and beside what starts the slots the key that it is checked with. Raises BuildFailed."""
    try:
        private = key.read_bytes()
        made = package_of(folder / "stock", rsa_signer(private))
        modulus = modulus_of(private)
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise BuildFailed(f"{key} cannot sign: {error}. Make one with: openssl genrsa -out KEY.pem 3072") from error
    (folder / "update.package").write_bytes(made)
    (folder / "start" / "update_key").write_bytes(modulus)
    print(f"{folder / 'update.package'}: {len(made)} bytes, number {number_of(version('nesmodule'))}")


if __name__ == "__main__":
    sys.exit(main())
