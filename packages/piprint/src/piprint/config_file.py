"""The configuration file: find it, read it, and turn every mistake in it into a line that a person can act on.

A line names the file, the line, the setting, what is wrong and what to write instead. Nothing here ever repeats a value of
the file: any of them may be a secret in the wrong place.

This module does not know which settings there are; it asks the models of :mod:`piprint.config`. The first file is written
by :mod:`piprint.starter`.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails

from piprint.config import Basic, Certificate, Config
from piprint.errors import ConfigError

__all__ = [
    "ConfigProblems",
    "Loaded",
    "Problem",
    "data_dir",
    "find",
    "is_loopback",
    "key_lines",
    "listen",
    "load",
    "parse",
]

PLACES = (Path("piprint.toml"), Path("/etc/piprint/piprint.toml"))
"""Where the file is looked for when nobody says where it is."""

_OTHERS = 0o077
_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend.

    Attributes:
        line: in the file, from 1; None for the file as a whole.
        setting: as the file writes it, such as ``business_central.login.tenant``; "" for the file as a whole.
        message: what is wrong and what to write instead.
    """

    line: int | None
    setting: str
    message: str


class ConfigProblems(ConfigError):
    """The file cannot be used; :attr:`problems` says why, all at once, in the order of the file."""

    def __init__(self, file: Path, problems: Sequence[Problem]) -> None:
        self.file = file
        self.problems = tuple(problems)
        super().__init__("\n".join(self._line(problem) for problem in problems))

    def _line(self, problem: Problem) -> str:
        place = f"{self.file}:{problem.line}" if problem.line is not None else str(self.file)
        return f"{place}: {problem.setting}: {problem.message}" if problem.setting else f"{place}: {problem.message}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A usable configuration.

    Attributes:
        config: the settings.
        file: where they stand.
        warnings: what works but should not stay so.
        secrets: the texts that no log line, page or report may show.
    """

    config: Config
    file: Path
    warnings: tuple[str, ...]
    secrets: tuple[str, ...]


def find(given: Path | None) -> Path:
    """Return the configuration file: the one given, ``$PIPRINT_CONFIG``, or the first there is of :data:`PLACES`.

    Raises:
        ConfigError: there is none; the message says how to get one.
    """
    named = given or (Path(os.environ["PIPRINT_CONFIG"]) if os.environ.get("PIPRINT_CONFIG") else None)
    if named is not None:
        if not named.exists():
            raise ConfigError(f"{named}: there is no such file; write one with: piprint init --config {named}")
        return named
    for place in PLACES:
        if place.exists():
            return place
    looked = " and ".join(str(place) for place in PLACES)
    raise ConfigError(f"there is no configuration yet (looked for {looked}); write one with: piprint init")


def load(file: Path) -> Loaded:
    """Read a file.

    Raises:
        ConfigProblems: it cannot be read or used; says everything that is wrong.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except IsADirectoryError:
        raise ConfigProblems(file, [Problem(None, "", "is a folder; name the file in it")]) from None
    except OSError as error:
        raise ConfigProblems(file, [Problem(None, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigProblems(file, [Problem(None, "", "is not UTF-8 text; save it as UTF-8")]) from None
    config = parse(text, file)
    secrets = tuple(secret.get_secret_value() for _, secret in _secrets(config))
    return Loaded(config, file, tuple(_warnings(config, tomllib.loads(text), file)), secrets)


def parse(text: str, file: Path) -> Config:
    """Turn a file's text into settings.

    Raises:
        ConfigProblems: says everything that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblems(file, [_no_toml(error, text)]) from None
    except RecursionError:
        raise ConfigProblems(file, [Problem(None, "", "is nested far too deeply to be a configuration")]) from None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        found = _explain(error.errors(include_url=False, include_input=False))
    else:
        found = list(_contradictions(config))
        if not found:
            return config
    lines = key_lines(text)
    problems = {Problem(_line_of(lines, path), _dotted(path), message): None for path, message in found}
    raise ConfigProblems(file, sorted(problems, key=lambda problem: problem.line or 0))


def data_dir(config: Config) -> Path:
    """Return where journal and spool are kept: the setting, systemd's StateDirectory=, or the user's own folder."""
    if config.data_dir is not None:
        return config.data_dir.expanduser()
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "piprint"


def listen(text: str) -> tuple[str, int]:
    """Split ``address:port``, also ``[::1]:8632``.

    Raises:
        ValueError: it is no such text.
    """
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not address or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:  # noqa: PLR2004
        raise ValueError('must be an address and a port, such as "127.0.0.1:8632"')
    return address, int(port)


def is_loopback(address: str) -> bool:
    """Tell whether only this host reaches an address it listens on."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"


def _contradictions(config: Config) -> Iterator[tuple[_Path, str]]:
    """Yield what each setting allows by itself, but not together with the others."""
    try:
        address, _ = listen(config.web.listen)
    except ValueError as error:
        yield ("web", "listen"), str(error)
    else:
        if config.web.enabled and not is_loopback(address) and config.web.password is None:
            yield (
                ("web", "listen"),
                "others than this host could use the page; add password = ... below [web], or listen on 127.0.0.1",
            )
    first: dict[str, int] = {}
    for index, printer in enumerate(config.printers):
        if first.setdefault(printer.id, index) != index:
            yield ("printers", index, "id"), "another [[printers]] section has this id; give each its own"
    if not config.cups.enabled and not config.discovery.enabled and not any(each.uri for each in config.printers):
        yield ("cups", "enabled"), "no printer is left: switch cups or discovery on, or add [[printers]] with a uri"
    if config.poll.fastest > config.poll.usual:
        yield ("poll", "fastest"), "must not be more than poll.usual"
    if config.poll.usual > config.poll.slowest:
        yield ("poll", "slowest"), "must not be less than poll.usual; it is the pace when little is printed"


def _warnings(config: Config, data: Mapping[str, Any], file: Path) -> Iterator[str]:
    inline = [_dotted(path) for path, _ in _secrets(config) if isinstance(_at(data, path), str)]
    if inline and _mode(file) & _OTHERS:
        yield (
            f"{file} holds a secret ({', '.join(inline)}) and other users of this host may read it; "
            f"type: chmod 600 {file}"
        )
    bc = config.business_central
    if not bc.verify:
        yield (
            "business_central.verify = false: the server's certificate is not checked, so anybody in between can read and "
            "change everything; give ca_file instead"
        )
    if bc.odata.startswith("http:"):
        yield "business_central.url begins with http: login and documents travel readable; switch on TLS in the server"
    if isinstance(bc.login, Certificate) and _mode(bc.login.key) & _OTHERS:
        yield f"other users of this host may read the private key {bc.login.key}; type: chmod 600 {bc.login.key}"
    if isinstance(bc.login, Basic) and not bc.login.password.get_secret_value().isascii():
        yield "business_central.login.password has characters that Business Central does not take (only ASCII works)"


def _mode(file: Path) -> int:
    """Return a file's permission bits; 0 where it is not there or rights work another way (Windows)."""
    try:
        return file.stat().st_mode & 0o777 if os.name == "posix" else 0
    except OSError:
        return 0


def _secrets(model: BaseModel, path: _Path = ()) -> Iterator[tuple[_Path, SecretStr]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield (*path, name), value
        elif isinstance(value, BaseModel):
            yield from _secrets(value, (*path, name))


def _at(data: Any, path: _Path) -> object:
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data


# --- where a setting stands ---------------------------------------------------------------------------------------------


def key_lines(text: str) -> dict[_Path, int]:
    """Return the line (from 1) on which each key of a TOML text begins.

    A key begins on the first line that :mod:`tomllib` needs to know of it: the text is read up to each line's end. Where
    that is no TOML yet, inside a value of several lines, the next lines belong to the same beginning.
    """
    lines: dict[_Path, int] = {}
    written = text.splitlines(keepends=True)
    begin = 0
    for end, line in enumerate(written, 1):
        if begin == end - 1 and line.lstrip()[:1] in {"", "#"}:
            begin = end
            continue
        try:
            data = tomllib.loads("".join(written[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for path in _paths(data):
            lines.setdefault(path, begin + 1)
        begin = end
    return lines


def _paths(data: Any, base: _Path = ()) -> Iterator[_Path]:
    members: Iterable[tuple[str | int, Any]] = ()
    if isinstance(data, dict):
        members = data.items()
    elif isinstance(data, list):
        members = enumerate(data)
    for step, value in members:
        path = (*base, step)
        yield path
        yield from _paths(value, path)


def _line_of(lines: Mapping[_Path, int], path: _Path) -> int | None:
    """Return the line of a key, or of the nearest section around it that is written."""
    return next((lines[path[:length]] for length in range(len(path), 0, -1) if path[:length] in lines), None)


def _dotted(path: _Path) -> str:
    return ".".join(step for step in path if isinstance(step, str))


# --- what is wrong with it ----------------------------------------------------------------------------------------------

_TYPES = {
    "string_type": 'must be text in quotes, such as "text"',
    "bool_type": "must be true or false, without quotes",
    "bool_parsing": "must be true or false, without quotes",
    "int_type": "must be a whole number, without quotes",
    "int_parsing": "must be a whole number, without quotes",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number, without quotes",
    "float_parsing": "must be a number, without quotes",
    "finite_number": "must be an ordinary number",
    "path_type": 'must be a path in quotes, such as "/etc/piprint/file"',
    "tuple_type": 'must be a list, such as ["A4", "A5"]',
    "dict_type": "must be a section of its own: [name]",
    "model_type": "must be a section of its own: [name]",
    "model_attributes_type": "must be a section of its own: [name]",
    "string_too_short": "must not be empty",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_SECTION_LISTS = {"printers", "rules"}


def _no_toml(error: tomllib.TOMLDecodeError, text: str) -> Problem:
    """Explain a text that is no TOML; tomllib tells the place only within its message."""
    reason, _, place = str(error).partition(" (at ")
    words = place.replace(",", "").replace(")", "").split()
    line = int(words[1]) if words[:1] == ["line"] else max(1, len(text.rstrip("\n").splitlines()))
    hint = ""
    if reason == "Invalid value":
        hint = "; text belongs in quotes, yes and no are written true and false"
    elif reason.startswith("Unescaped"):
        hint = r"; write a backslash as \\, or use 'single quotes'"
    elif reason.startswith("Cannot"):
        hint = "; the same section or setting stands here a second time"
    return Problem(line, "", f"this is not TOML ({reason[:1].lower() + reason[1:]}){hint}")


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _follow(location: Sequence[str | int]) -> tuple[_Path, type[BaseModel] | None]:
    """Turn pydantic's place of an error into the file's.

    Returns:
        the path as the file has it, and the model its last name is (or should be) a field of. Of a section that has
        several kinds, pydantic names the kind as a step of its own, which the file does not have.
    """
    path: list[str | int] = []
    model: type[BaseModel] | None = Config
    owner = model
    kinds: dict[str, type[BaseModel]] = {}
    for step in location:
        if kinds and step in kinds:
            model, kinds = kinds[str(step)], {}
            continue
        path.append(step)
        if isinstance(step, int):
            continue
        owner, field = model, model.model_fields.get(step) if model else None
        models = list(_models_in(field.annotation)) if field else []
        if field is not None and field.discriminator:
            kinds = {each.model_fields[str(field.discriminator)].default: each for each in models}
        model = models[0] if models else None
    return tuple(path), owner


def _explain(errors: Sequence[ErrorDetails]) -> list[tuple[_Path, str]]:
    """Say what is wrong where; a setting is not called missing when it stands there with a slip of the pen."""
    followed = [(error, *_follow(error["loc"])) for error in errors]
    meant = {
        (*path[:-1], _close(str(path[-1]), owner))
        for error, path, owner in followed
        if error["type"] == "extra_forbidden"
    }
    return [
        (path, _message(error, path, owner))
        for error, path, owner in followed
        if error["type"] != "missing" or path not in meant
    ]


def _message(error: ErrorDetails, path: _Path, owner: type[BaseModel] | None) -> str:
    kind, context = error["type"], error.get("ctx", {})
    name = str(path[-1]) if path else ""
    if kind == "extra_forbidden":
        return _unknown(name, owner)
    if kind == "missing":
        return _missing(name, owner)
    if kind == "tuple_type" and name in _SECTION_LISTS:
        return f"must be written with two brackets: [[{name}]]"
    if kind in _TYPES:
        return _TYPES[kind]
    if kind in _BOUNDS:
        bound, words = _BOUNDS[kind]
        return f"must be {words} {context[bound]}"
    if kind == "value_error":
        return str(context["error"])
    if kind in {"literal_error", "union_tag_invalid"}:
        choices = str(context.get("expected") or context.get("expected_tags")).replace("'", '"')
        return f"must be one of {choices.replace(' or ', ', ')}"
    if kind == "union_tag_not_found":
        return 'says no kind; add the line kind = "secret" (or "certificate", or "basic")'
    return error["msg"][:1].lower() + error["msg"][1:]


def _close(name: str, owner: type[BaseModel] | None) -> str:
    """Return the setting that a wrong name looks like; "" when there is none."""
    return next(
        iter(difflib.get_close_matches(name.replace("-", "_").lower(), list(owner.model_fields) if owner else [], 1)),
        "",
    )


def _unknown(name: str, owner: type[BaseModel] | None) -> str:
    close = _close(name, owner)
    if close:
        return f"there is no such setting; did you mean {close}?"
    return f"there is no such setting here; there are: {', '.join(owner.model_fields if owner else ())}"


_EXAMPLES = {
    "tenant": '"contoso.onmicrosoft.com"',
    "client_id": '"the application (client) id"',
    "secret": '{ file = "/etc/piprint/client-secret" }',
    "password": '{ file = "/etc/piprint/password" }',
    "username": '"PRINT"',
    "certificate": '"/etc/piprint/certificate.pem"',
    "key": '"/etc/piprint/key.pem"',
    "id": '"the queue\'s name"',
}


def _missing(name: str, owner: type[BaseModel] | None) -> str:
    field = owner.model_fields.get(name) if owner else None
    if field is not None and any(_models_in(field.annotation)):
        section = "business_central.login" if name == "login" else name
        return f"is missing; add a section [{section}], or begin anew with: piprint init"
    return f"is missing; add a line: {name} = {_EXAMPLES.get(name, '...')}"
