"""The file of the settings and who changes it: what it holds, what a change makes of it, putting that in its place.

A revision tells one state of the file from another. It is made with a number of this process's own, so nobody can try
out what the file may hold by comparing revisions.

This module does not know HTTP, nor what becomes of the process after a change.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nes2mqtt.config.problems import ConfigError, Found
from nes2mqtt.config.settings import before_last_change, load, parse
from nes2mqtt.outputs.web.config import WebConfig
from nes2mqtt.setup.changes.picture import sections
from nes2mqtt.setup.changes.proposal import Asked, Proposal, propose, read_changes
from nes2mqtt.setup.changes.reach import why_not
from nes2mqtt.setup.changes.trial import PLACES, Trial
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.writing import free, put_all, replace_file, said_of
from servicekit.password import PasswordHash
from servicekit.text_file import decode

__all__ = ["Desk", "OpenBook"]

_PRIVATE = 0o600
_MOST_BYTES = 1_000_000
_LISTEN = ("web", "listen")


class OpenBook:
    """Settings to look at, of a file that there is not: the demonstration's."""

    def __init__(self, text: str) -> None:
        self._data = tomllib.loads(text)
        self.when_changed: Callable[[], None] = lambda: None
        """Never called."""
        self.waits_for_owner = False

    def owner_is_here(self) -> None:
        """Do nothing: nothing is on trial."""

    def picture(self, language: str) -> dict[str, Any]:
        """Return the settings."""
        return {
            "revision": "",
            "file": "",
            "closed": "demonstration",
            "why": "",
            "problems": [],
            "sections": sections(self._data, language),
        }

    def check(self, revision: str, changes: object) -> dict[str, Any]:
        """Refuse: there is nothing to change."""
        del revision, changes
        raise ValueError("these settings cannot be changed")

    take = check


class Desk:
    """Where the settings of a file are changed.

    Args:
        file: the configuration.
    """

    def __init__(self, file: Path) -> None:
        self._file = file.absolute()
        self._trial = Trial(file)
        self._salt = secrets.token_bytes(32)
        self.changed = False
        """The file was changed here: the gateway has to begin anew."""

    def picture(self, language: str) -> dict[str, Any]:
        """Return the settings, and whether they can be changed here."""
        told: dict[str, Any] = {"file": str(self._file), "closed": "", "why": "", "problems": [], "sections": []}
        try:
            content = self._content()
            data = tomllib.loads(decode(content))
        except (OSError, ValueError, RecursionError):
            return told | {"revision": "", "closed": "unreadable"}
        refused = self._refused()
        return told | {
            "revision": self._revision(content),
            "closed": "not_writable" if refused is not None else "",
            "problems": []
            if self._is_good()
            else [{"path": [], "message": "", "kind": "file_is_wrong", "context": {}}],
            "sections": sections(data, language),
        }

    def check(self, revision: str, changes: object) -> dict[str, Any]:
        """Return what changes would make of the file, or what is wrong with them."""
        return self._try(revision, read_changes(changes))[0]

    def take(self, revision: str, changes: object) -> dict[str, Any]:
        """Change the file."""
        asked = read_changes(changes)
        told, content, proposal = self._try(revision, asked, hashed=_hashed)
        if not told["ok"] or proposal is None:
            return told
        on_trial = any(one.place.path in PLACES for one in asked)
        said = self._write(content, proposal, on_trial=on_trial)
        if said is not None:
            return told | {"ok": False, "said": asdict(said)}
        self.changed = True
        web = proposal.config.web if proposal.config is not None else None
        return told | {
            "taken": True,
            "address": web.url if web is not None else "",
            "on_trial": on_trial,
            "before": str(before_last_change(self._file)),
        }

    def _try(
        self, revision: str, asked: Sequence[Asked], hashed: Callable[[str], str] = str
    ) -> tuple[dict[str, Any], bytes, Proposal | None]:
        told: dict[str, Any] = {"ok": False, "said": None, "problems": [], "lines": [], "files": [], "taken": False}
        try:
            content = self._content()
            text = decode(content)
            tomllib.loads(text)
        except (OSError, ValueError, RecursionError):
            return told | {"said": asdict(Said("settings_unreadable"))}, b"", None
        if self.changed or not hmac.compare_digest(self._revision(content).encode(), revision.encode()):
            return told | {"said": asdict(Said("settings_changed_meanwhile"))}, content, None
        proposal = propose(text, asked, lambda name: free(self._file.with_name(name)), hashed)
        problems = proposal.problems or tuple(_shut_out(text, content, asked, proposal))
        told["problems"] = [_told(one) for one in problems]
        if problems:
            return told, content, None
        told |= {
            "ok": True,
            "lines": [asdict(line) | {"path": list(line.path)} for line in proposal.lines],
            "files": [str(file) for file in proposal.files],
            "closed": "not_writable" if self._refused() is not None else "",
        }
        return told, content, proposal

    def _write(self, content: bytes, proposal: Proposal, *, on_trial: bool) -> Said | None:
        try:
            new = _encoded(proposal.text, content)
        except UnicodeEncodeError:
            return Said("settings_unreadable")
        files = [(file, text, _PRIVATE) for file, text in proposal.files.items()]
        said = put_all(files)
        if said is not None:
            return said
        try:
            parse(proposal.text, self._file)  # as the gateway will read it, now that its secrets are there
            self._trial.end()
            if on_trial:
                self._trial.begin(new)
            if replace_file(self._file, new, content):
                return None
            said = Said("settings_changed_meanwhile")
        except ConfigError:
            said = Said("settings_unreadable")
        except OSError as error:
            said = said_of(error, self._file)
        self._trial.end()
        for file, _, _ in files:
            file.unlink(missing_ok=True)
        return said

    def _content(self) -> bytes:
        with self._file.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ValueError("far too long")
        return content

    def _revision(self, content: bytes) -> str:
        return hmac.new(self._salt, content, hashlib.sha256).hexdigest()[:32]

    def _refused(self) -> str | None:
        """Return what cannot be written; None when all can."""
        real = self._file.resolve()
        return next((str(one) for one in (real, real.parent) if not os.access(one, os.W_OK)), None)

    def _is_good(self) -> bool:
        try:
            load(self._file)
        except ConfigError:
            return False
        return True


def _shut_out(text: str, content: bytes, asked: Sequence[Asked], proposal: Proposal) -> Iterator[Found]:
    """Yield what would keep the gateway from starting, or its owner from its page, although the settings are good."""
    if len(proposal.text.encode(errors="replace")) + len(content) - len(text.encode()) > _MOST_BYTES:
        yield Found(
            (), "the file would be far too long for a configuration; make it shorter with an editor", "too_long", {}
        )
    web = proposal.config.web if proposal.config is not None else None
    if web is None or not any(one.place.path == _LISTEN for one in asked):
        return
    section = tomllib.loads(text).get("web")
    default = WebConfig.model_fields["listen"].default
    why = why_not(web.address, str(section.get("listen", default)) if isinstance(section, dict) else "")
    if why:
        yield Found(_LISTEN, why, "cannot_listen", {})


def _told(one: Found) -> dict[str, Any]:
    context: Mapping[str, Any] = {
        key: value for key, value in one.context.items() if isinstance(value, str | int | float)
    }
    return {"path": list(one.path), "message": one.message, "kind": one.kind, "context": dict(context)}


def _hashed(password: str) -> str:
    return password if PasswordHash.is_one(password) else str(PasswordHash.of(password))


def _encoded(text: str, like: bytes) -> bytes:
    """Return a text in the encoding of what was there."""
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        if like.startswith(mark):
            return mark + text.encode(encoding)
    return text.encode()
