"""Writes what the first run found out: one file of configuration, one file for each secret, all or nothing.

Each file is written under another name, brought to the disk and then put in its place, where it replaces nothing: what is
there already stays, and is told. The configuration comes last, so a power cut leaves no configuration, or a whole one.

Secrets are in files that only their owner can read. For the service, whose user cannot read files of root's, the configuration
names credentials, and a part of the service's unit tells systemd to hand them over.

This module does not know where answers come from.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import Config, before_last_change, load, parse
from nes2mqtt.setup.draft import Draft
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import id_from

__all__ = ["Place", "Plan", "Saved", "free", "gateway_name", "plan", "put_all", "replace_file", "said_of", "save"]

_PRIVATE = 0o600
_READABLE = 0o644
_UNIT = Path("/etc/systemd/system/nes2mqtt.service")
_SERVICE_FOLDER = Path("/etc/nes2mqtt")
_SERVICE_KEY = "house.key"
"""The credential that the unit asks for; it does not start without."""
_LISTEN = {"home": "0.0.0.0", "here": "127.0.0.1"}  # noqa: S104 - behind the password that was chosen
_DIALECTS = {"homeassistant": "homeassistant", "fhem": "nmr-raw"}
_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_NAMES_TRIED = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where the configuration goes."""

    config: Path
    """Absolute."""
    computer: str
    """This computer's name: the gateway's is made of it, as two gateways on one broker must not have the same."""
    drop_in: Path | None = None
    """A part of the service's unit, which hands it its secrets; None where it is not the service that will read them."""

    @classmethod
    def at(cls, config: Path, computer: str, unit: Path = _UNIT) -> Place:
        """Return the place of a configuration; the service's if it is where the installed service looks for it."""
        config = config.absolute()
        served = config.parent == _SERVICE_FOLDER and unit.exists()
        return cls(config, computer, unit.with_name(f"{unit.name}.d") / "secrets.conf" if served else None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What will be written."""

    text: str
    """Of the configuration; no secret is in it."""
    files: Mapping[Path, str] = field(default_factory=dict, repr=False)
    """The other files, most of them secret."""
    checked: Config | None = field(default=None, repr=False)
    """What the configuration means, secrets included."""


@dataclass(frozen=True, slots=True)
class Saved:
    """What was written."""

    config: Path
    settings: Config = field(repr=False)
    for_service: bool = False
    """systemd starts the gateway, not this process."""


def gateway_name(computer: str) -> str:
    """Make a gateway's name of its computer's: ``RPi-2.local`` becomes ``rpi_2_local``."""
    name = id_from(computer)[:32].rstrip("_")
    if name == "homeassistant":
        return "nes2mqtt"  # its topics would be Home Assistant's own
    return name if name[0].isalpha() else f"gateway_{name}"


def _quoted(text: str) -> str:
    """Write a basic string (TOML 1.0): JSON's has the same escapes, but leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def plan(draft: Draft, place: Place, listen_port: int) -> Plan:
    """Work out what to write, and check it as a whole.

    Raises:
        ConfigError: the answers make no good configuration: a mistake of this program.
    """
    secrets: dict[str, str] = {}
    files: dict[Path, str] = {}

    def secret(name: str, text: str) -> str:
        secrets[name] = text
        path = place.config.with_name(name) if place.drop_in is not None else free(place.config.with_name(name))
        files[path] = f"{text}\n"
        if place.drop_in is not None:
            return f"{{ credential = {_quoted(name)} }}"
        return f"{{ file = {_quoted(str(path))} }}"

    assert draft.key is not None  # noqa: S101 - the step was taken
    key_file = _SERVICE_KEY if place.drop_in is not None else f"{draft.id}.key"
    lines = [
        "# Written by the set-up of nes2mqtt. All settings there are: docs/reference/settings.md",
        "",
        "# What this gateway is called in topics and in Home Assistant. Two gateways on one broker need two names.",
        f"name = {_quoted(gateway_name(place.computer))}",
        f"timezone = {_quoted(draft.timezone)}",
        "",
        f"[meters.{draft.id}]",
        f"name = {_quoted(draft.name)}",
        f"port = {_quoted(draft.port)}",
        f"key = {secret(key_file, draft.key.reveal())}",
        *(['key_padding = "blanks"'] if draft.optical and draft.padding == "blanks" else []),
        *_mqtt(draft, place, secret),
        "",
        "[web]",
        f"listen = {_quoted(f'{_LISTEN[draft.reach]}:{listen_port}')}",
        f"password = {secret('web-password', draft.password_hash)}",
    ]
    text = "\n".join(lines) + "\n"
    if place.drop_in is not None:
        files[place.drop_in] = "[Service]\n" + "".join(
            f"LoadCredential={name}:{place.config.with_name(name)}\n" for name in secrets if name != _SERVICE_KEY
        )
    return Plan(text, files, _checked(text, place.config, secrets, files))


def _mqtt(draft: Draft, place: Place, secret: Callable[[str, str], str]) -> Iterator[str]:
    if draft.use == "none":
        return
    yield from ("", "[[mqtt]]", f"host = {_quoted(draft.host)}")
    if draft.broker_port is not None:
        yield f"port = {draft.broker_port}"
    if draft.username:
        yield f"username = {_quoted(draft.username)}"
    if draft.broker_password is not None:
        yield f"password = {secret('mqtt-password', draft.broker_password.reveal())}"
    yield f"base_topic = {_quoted(gateway_name(place.computer))}"
    yield f"dialects = [{_quoted(_DIALECTS[draft.use])}]"
    if draft.tls:
        yield "tls = { enabled = true }"


def _checked(text: str, file: Path, secrets: Mapping[str, str], files: Mapping[Path, str]) -> Config:
    """Check the configuration with the secrets themselves in it, as their files are not there yet."""
    for path, content in files.items():
        text = text.replace(f"{{ file = {_quoted(str(path))} }}", _quoted(content.removesuffix("\n")))
    for name, content in secrets.items():
        text = text.replace(f"{{ credential = {_quoted(name)} }}", _quoted(content))
    return parse(text, file)


def free(path: Path) -> Path:
    """Return a path where nothing is: this one, or one with a number. What is there may be somebody's only copy of a key."""
    stem, suffix = path.stem, path.suffix
    for number in range(2, _NAMES_TRIED):
        if not os.path.lexists(path):
            return path
        path = path.with_name(f"{stem}-{number}{suffix}")
    return path


def save(draft: Draft, place: Place, listen_port: int) -> Saved | Said:
    """Write the configuration and its secrets, and read them as the gateway will.

    Returns:
        What was written, or why nothing was.
    """
    made = plan(draft, place, listen_port)
    told = _prepared(place, made)
    if told is not None:
        return told
    config_mode = _PRIVATE if place.drop_in is None else _READABLE
    files = [(path, text, _READABLE if path == place.drop_in else _PRIVATE) for path, text in made.files.items()]
    told = put_all([*files, (place.config, made.text, config_mode)])
    if told is not None:
        return told
    if place.drop_in is not None:
        assert made.checked is not None  # noqa: S101 - plan() checks it
        return Saved(place.config, made.checked, for_service=True)  # nobody but systemd can give the credentials
    try:
        return Saved(place.config, load(place.config))
    except ConfigError as error:
        _take_back([path for path, _, _ in files] + [place.config])
        return Said("cannot_read_back", "", {"why": str(error.problems[0])})


def _prepared(place: Place, made: Plan) -> Said | None:
    """Make the folders, and look whether the place is free."""
    if os.path.lexists(place.config):
        return Said("file_exists", "", {"file": str(place.config)})
    for path in (place.config, *made.files):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            return said_of(error, path.parent)
    if place.drop_in is not None:
        for path in made.files:
            with contextlib.suppress(OSError):
                if path == place.drop_in or path.stat().st_size == 0:
                    path.unlink()  # ours from before, or made empty for somebody to write into
    settings = made.checked
    if settings is not None and place.drop_in is None:
        try:
            settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=settings.data_dir) as probe:
                probe.write(bytes(4096))
                probe.flush()
                os.fsync(probe.fileno())
        except OSError as error:
            return said_of(error, settings.data_dir)
    return None


def put_all(files: Sequence[tuple[Path, str, int]]) -> Said | None:
    """Put files where nothing is, each with its rights, in this order; none stays when one cannot be written.

    Returns:
        None, or why nothing was written.
    """
    put: list[Path] = []
    for path, text, mode in files:
        try:
            _put(path, text.encode(), mode)
        except FileExistsError:
            _take_back(put)
            return Said("file_exists", "", {"file": str(path)})
        except OSError as error:
            _take_back(put)
            return said_of(error, path)
        put.append(path)
    return None


def _put(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is whole or not there, also after a power cut.

    Raises:
        FileExistsError: something is there.
        OSError: it cannot be written.
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), mode)  # whatever the umask is
            os.fsync(file.fileno())
        try:
            os.link(new, path)
        except OSError as error:
            if isinstance(error, FileExistsError) or error.errno in _NO_ROOM:
                raise
            _without_links(new, path)  # a disk of a camera's kind (FAT) knows no links
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    _sync_folder(path.parent)


def _sync_folder(path: Path) -> None:
    """Bring to the disk what a folder holds, where that can be done."""
    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def replace_file(path: Path, content: bytes, expected: bytes) -> bool:
    """Put a file in the place of another one, whole also after a power cut, with the same owner and rights.

    What was there is kept beside it (:func:`before_last_change`), so that there is a way back.

    Args:
        path: the file; of a symbolic link, what it leads to.
        content: the new one.
        expected: what is there now.

    Returns:
        False, and nothing was changed, if something else is there now.

    Raises:
        OSError: it cannot be written.
    """
    path = path.resolve()
    was = path.stat()
    if path.read_bytes() != expected:
        return False
    _put_over(before_last_change(path), expected, was, lambda: True)
    return _put_over(path, content, was, lambda: path.read_bytes() == expected)


def put_back(path: Path, expected: bytes) -> bool:
    """Put in the place of a file what it was before the last change; what it is now is kept in that one's place.

    That is kept last: neither a power cut nor a full disk may take the way back.

    Args:
        path: the file; of a symbolic link, what it leads to.
        expected: what is there now.

    Returns:
        False, and nothing was changed, if something else is there now.

    Raises:
        OSError: it cannot be written, or there is nothing to put back.
    """
    path = path.resolve()
    was = path.stat()
    before = before_last_change(path)
    if not _put_over(path, before.read_bytes(), was, lambda: path.read_bytes() == expected):
        return False
    with contextlib.suppress(OSError):
        _put_over(before, expected, was, lambda: True)
    return True


def _put_over(path: Path, content: bytes, was: os.stat_result, is_still_wanted: Callable[[], bool]) -> bool:
    """Write a file, also over another one, with the owner and the rights of ``was``; tell whether that was still wanted."""
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if (was.st_uid, was.st_gid) != (os.geteuid(), os.getegid()):
                os.fchown(file.fileno(), was.st_uid, was.st_gid)
            os.fchmod(file.fileno(), stat.S_IMODE(was.st_mode))
            os.fsync(file.fileno())
        if not is_still_wanted():
            return False
        new.replace(path)
    finally:
        with contextlib.suppress(OSError):
            new.unlink()
    _sync_folder(path.parent)
    return True


def _without_links(new: Path, path: Path) -> None:
    if os.path.lexists(path):
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    new.rename(path)


def _take_back(paths: Sequence[Path]) -> None:
    """Remove what this run has written."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink()


def said_of(error: OSError, path: Path) -> Said:
    """Say why a file cannot be written."""
    values = {"file": str(path), "folder": str(path.parent), "why": error.strerror or "?"}
    if error.errno in _NO_ROOM:
        return Said("disk_full", "", values)
    if error.errno in _FORBIDDEN:
        return Said("no_rights", "", values)
    return Said("cannot_write", "", values)


def without_secrets(made: Plan) -> Plan:
    """Return a plan to show: where secrets go, not what they are."""
    return replace(made, files=dict.fromkeys(made.files, ""))
