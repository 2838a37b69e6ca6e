"""Sections whose models are imported when a file has them: hardly a gateway has all, and each keeps its memory for years.

This module does not know which sections there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, core_schema

__all__ = ["Later", "checker", "type_of"]


@dataclass(frozen=True, slots=True)
class Later:
    """Stands beside ``Any`` in place of a setting's type. What is wrong in the section is told as ever.

    Args:
        find: imports what the type is made of and returns it.
    """

    find: Callable[[], Any]

    def __get_pydantic_core_schema__(self, _source: Any, _handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self._checked)

    def _checked(self, value: object) -> object:
        return checker(self).validate_python(value)


@cache
def checker(later: Later) -> TypeAdapter[Any]:
    """Return what checks such a section."""
    return TypeAdapter(later.find())


def type_of(info: FieldInfo) -> Any:
    """Return the type of a setting, also of one that is imported later; it is imported then."""
    later = next((each for each in info.metadata if isinstance(each, Later)), None)
    return info.annotation if later is None else later.find()
