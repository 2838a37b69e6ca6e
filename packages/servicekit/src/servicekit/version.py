"""Which version of a package is installed: asked of the installation, so that it is written once in the repository."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def version_attribute(package: str) -> Callable[[str], str]:
    """Return a module's ``__getattr__`` that knows ``__version__``; the installation is only asked when somebody wants to know.

    Importing what asks it takes about 40 ms, longer than a short command has, and 2 MB as long as a service runs. So the name of
    the folder that says what is installed is read first (Python Packaging User Guide, Recording installed projects).
    """

    def look_up(name: str) -> str:
        if name != "__version__":
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        for folder in sys.path:
            for told in Path(folder).glob(f"{package}-*.dist-info"):
                return told.stem.removeprefix(f"{package}-")
        from importlib.metadata import version  # noqa: PLC0415 - installed in another way

        return version(package)

    return look_up
