"""Secrets in the configuration: where they come from. Pydantic's ``SecretStr`` keeps them out of sight from then on.

In the TOML file a secret is one of::

    secret = { env = "BC_CLIENT_SECRET" }
    secret = { file = "/etc/piprint/client-secret" }
    secret = { credential = "client-secret" }        # systemd LoadCredential=
    secret = "written here"                          # works; the file should then be mode 0600

An error never repeats what the file says: people put the secret itself where the name of its place belongs.

This module does not know what the secrets are for.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

__all__ = ["Secret"]

_FORMS = 'a secret is "text", { env = "NAME" }, { file = "/path" } or { credential = "name" }'
_MOST = 10_000
"""Characters; /dev/zero, named by mistake, has no end."""


def _resolve(value: object) -> object:
    if isinstance(value, (str, SecretStr)):
        return value
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(_FORMS)
    ((form, place),) = value.items()
    if not isinstance(place, str):
        raise ValueError(_FORMS)  # noqa: TRY004 - pydantic turns ValueError into its message
    if form == "env":
        text = os.environ.get(place, "")
        if not text:
            raise ValueError("the environment variable named here is not set; set it, or use { file = ... }")
        return text
    if form == "file":
        return _read(Path(place), "file", "write the secret, alone, into that file, or name another")
    if form == "credential":
        folder = os.environ.get("CREDENTIALS_DIRECTORY")
        if folder is None:
            raise ValueError(
                "systemd gave no credentials; add LoadCredential=NAME:/path to the service, or use { file = ... }"
            )
        return _read(
            Path(folder) / place, "credential", f"write the secret, alone, into a file of that name in {folder}"
        )
    raise ValueError(_FORMS)


def _read(path: Path, kind: str, remedy: str) -> str:
    try:
        with path.expanduser().open(encoding="utf-8") as file:
            text = file.read(_MOST + 1).rstrip("\r\n")
    except (OSError, ValueError, RuntimeError) as error:  # a name with NUL, ~nobody, bytes that are not UTF-8
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        if isinstance(error, PermissionError):
            remedy = "put sudo before a command typed by hand; else let its user read that file"
        raise ValueError(f"the {kind} named here cannot be read: {reason}; {remedy}") from None
    if not text:
        raise ValueError(f"the {kind} named here is empty; {remedy}")
    if len(text) > _MOST:
        raise ValueError(f"the {kind} named here is far too long for a secret; is it another file?")
    return text


Secret = Annotated[SecretStr, BeforeValidator(_resolve)]
"""The type of a secret field: any of the four forms goes in, a ``SecretStr`` comes out."""
