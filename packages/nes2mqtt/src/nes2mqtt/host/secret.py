"""Secrets as pydantic takes them: any of the four forms of :mod:`servicekit.secret` goes in, and nothing comes out of a dump.

This module does not know what the secrets are for.
"""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from servicekit import secret as kit

__all__ = ["Secret"]


class Secret(kit.Secret):
    """A text nobody should see, as a setting."""

    __slots__ = ()

    BY_HAND: ClassVar[str] = "By hand: put CREDENTIALS_DIRECTORY=/etc/nes2mqtt before the command. "

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Tell pydantic how to validate and how (not) to serialise a secret."""
        del source, handler
        return core_schema.no_info_plain_validator_function(
            cls.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(lambda _: "**********"),
        )
