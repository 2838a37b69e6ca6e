"""Keeps the web framework's memory down: 4 MB of it are for things nobody here uses.

FastAPI holds the whole of OpenAPI as pydantic models and builds their validators when it is imported, though only
``openapi.json`` needs them. For each route it also asks whether a model is one of pydantic's version 1, for which it
imports that whole version; where there is none it goes on without.

This module does not know what is served.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel

__all__ = ["lean_framework"]

_VERSION_1 = "pydantic.v1"


@contextmanager
def lean_framework() -> Iterator[None]:
    """Import the framework inside this.

    Models that are defined inside are built at their first use (``defer_build``, pydantic's own setting; set on the root
    class, models of others inherit it). Version 1 of pydantic stays unimportable (None in ``sys.modules`` is Python's way to
    say so), unless somebody has imported it before.
    """
    sys.modules.setdefault(_VERSION_1, None)  # type: ignore[arg-type] # typed as if modules were always there
    before = BaseModel.model_config.get("defer_build", False)
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        BaseModel.model_config["defer_build"] = before
