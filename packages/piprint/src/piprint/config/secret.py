"""Secrets as pydantic takes them: any of the four forms of :mod:`servicekit.secret` goes in, a ``SecretStr`` comes out.

This module does not know what the secrets are for.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from servicekit import secret as kit

__all__ = ["Secret"]


def _resolve(value: object) -> object:
    return value if isinstance(value, SecretStr) else kit.Secret.parse(value).reveal()


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
"""The type of a secret field."""
