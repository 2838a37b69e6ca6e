"""Secrets in the configuration: where they come from, and how they stay out of sight.

In the TOML file a secret is one of::

    password = { env = "MQTT_PASSWORD" }
    password = { file = "/etc/service/mqtt-password" }
    password = { credential = "mqtt-password" }     # systemd LoadCredential=
    password = "written here"                       # works; the file should then be mode 0600

A :class:`Secret` never shows its text: not in ``repr``, not in ``str``, not in JSON.

An error about a secret never repeats what the file says: people put the secret itself where the
name of its place belongs.

This module does not know what the secrets are for, nor how a configuration is checked.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, NoReturn, Self

from servicekit.text_file import decode

__all__ = ["Secret"]

_MOST = 10_000
"""Bytes of a secret in a file; /dev/zero, named by mistake, has no end."""

_FORMS = '"text", { env = "NAME" }, { file = "/path" } or { credential = "name" }'


class Secret:
    """A text nobody should see. :meth:`reveal` is the only way to it."""

    __slots__ = ("_text", "file", "inline", "origin")

    BY_HAND: ClassVar[str] = ""
    """How somebody who types the command, without systemd, gives credentials; ends with a blank. Empty when there is no such way."""

    def __init__(
        self, text: str, origin: str = "the configuration file", *, inline: bool = True, file: Path | None = None
    ) -> None:
        self._text = text
        self.origin = origin
        self.inline = inline
        self.file = file
        """Where it was read from, if from a file."""

    def reveal(self) -> str:
        """Return the text. Call where it is used, keep it nowhere."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret(from {self.origin})"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        msg = "a secret cannot be pickled: it would end up readable in a file"
        raise TypeError(msg)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read one of the four forms.

        Raises:
            ValueError: the form is unknown, or the place named holds nothing; the text says which.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value)
        if not isinstance(value, dict) or len(value) != 1:
            msg = f"a secret is {_FORMS}"
            raise ValueError(msg)
        ((form, place),) = value.items()
        if not isinstance(place, str):
            msg = f"a secret is {_FORMS}"
            raise ValueError(msg)  # noqa: TRY004 - pydantic turns ValueError into its message
        if form == "env":
            return cls._from_env(place)
        if form == "file":
            remedy = "write the secret, alone, into that file, or name another"
            return cls._from_file(Path(place), f"file {place}", "file", remedy)
        if form == "credential":
            folder = os.environ.get("CREDENTIALS_DIRECTORY")
            if folder is None:
                raise ValueError(
                    "the credential named here was not given by systemd. In the service: add LoadCredential=NAME:/path "
                    f"to the unit. {cls.BY_HAND}Or use {{ file = ... }}"
                )
            remedy = f"write the secret, alone, into a file of that name in {folder}"
            return cls._from_file(Path(folder) / place, f"credential {place}", "credential", remedy)
        raise ValueError(f"a secret is {_FORMS}")

    @classmethod
    def _from_env(cls, name: str) -> Self:
        text = os.environ.get(name, "").removeprefix("\ufeff")
        if not text:
            raise ValueError(
                "the environment variable named here is not set; set it for this service, or use { file = ... }"
            )
        return cls(text, f"environment variable {name}", inline=False)

    @classmethod
    def _from_file(cls, path: Path, origin: str, kind: str, remedy: str) -> Self:
        try:
            path = path.expanduser()
            with path.open("rb") as file:
                content = file.read(_MOST + 1)
            text = decode(content).rstrip("\r\n") if len(content) <= _MOST else ""
        except (OSError, ValueError, RuntimeError) as error:  # a name with NUL or ~nobody, bytes that are not UTF-8
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            if isinstance(error, PermissionError):
                remedy = "put sudo before a command typed by hand; else let its user read that file"
            elif isinstance(error, FileNotFoundError) and kind == "file" and not path.is_absolute():
                reason, remedy = f"{reason} in {Path.cwd()}", "start the program there, or write the whole path"
            raise ValueError(f"the {kind} named here cannot be read: {reason}; {remedy}") from None
        if len(content) > _MOST:
            raise ValueError(f"the {kind} named here is far too long for a secret; is it another file?")
        if not text:
            raise ValueError(f"the {kind} named here is empty; {remedy}")
        return cls(text, origin, inline=False, file=path)
