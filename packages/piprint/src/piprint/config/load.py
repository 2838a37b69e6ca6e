"""Find the configuration file, read it, and check the rules that concern several settings together.

:mod:`piprint.config.problems` turns mistakes into readable messages. :mod:`piprint.config.first_file` writes the file
that a new installation starts with. This module does not know on which line a setting stands. It does not know how the
settings are used.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, SecretStr, ValidationError

from piprint.config.problems import ConfigProblems, problems_of
from piprint.config.settings import Basic, Certificate, Config, PrinterConfig, Rule, Web, is_loopback
from piprint.config.wildcard import matches
from piprint.documents.paper import PAPER_SOURCES, read_paper, source_by_name
from piprint.errors import ConfigError
from servicekit.problems import Problem, dotted, not_toml, problems_at
from servicekit.text_file import decode
from servicekit.toml_lines import Path as SettingPath

__all__ = [
    "Loaded",
    "credentials_beside",
    "data_dir",
    "data_dir_at_shell",
    "find",
    "listen",
    "load",
    "parse",
]

PLACES = (Path("piprint.toml"), Path("/etc/piprint/piprint.toml"))
"""The places in which the file is looked for when no place is given."""

SERVICE_DIRS = (Path("/var/lib/piprint"), Path("/var/lib/private/piprint"))
"""The folders in which the installed service may keep its journal: that of ``StateDirectory=piprint``, and the folder
to which it leads with ``DynamicUser=yes`` (systemd.exec(5))."""
SERVICE_UNITS = tuple(
    Path(folder) / "piprint.service"
    for folder in ("/etc/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system")
)

_OTHERS = 0o077
_PAPER = 'is no paper; write A4, Letter, or a size such as "100x150mm" or "4x6in"'


@dataclass(frozen=True, slots=True)
class Loaded:
    """A usable configuration.

    Attributes:
        config: the settings.
        file: the file with the settings.
        warnings: sentences about settings that work but should be changed.
        secrets: the texts that no log line, page or report may show.
    """

    config: Config
    file: Path
    warnings: tuple[str, ...]
    secrets: tuple[str, ...]


def find(given: Path | None) -> Path:
    """Return the configuration file: the one given, ``$PIPRINT_CONFIG``, or the first there is of :data:`PLACES`.

    Raises:
        ConfigError: there is no configuration file; the message says how to get one.
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


def credentials_beside(file: Path) -> None:
    """Let a command typed by hand find ``{ credential = "name" }`` where LoadCredential= takes it from: beside the file.

    Under systemd nothing is changed: there a credential that is not passed on is a mistake to be told.
    """
    if "NOTIFY_SOCKET" not in os.environ:
        os.environ.setdefault("CREDENTIALS_DIRECTORY", str(file.absolute().parent))


def load(file: Path) -> Loaded:
    """Read a file.

    Raises:
        ConfigProblems: the file cannot be read or used; the error lists everything that is wrong.
    """
    try:
        text = decode(file.read_bytes())
    except IsADirectoryError:
        raise ConfigProblems([Problem(file, None, "", "is a folder; name the file in it")]) from None
    except OSError as error:
        raise ConfigProblems([Problem(file, None, "", f"cannot be read: {error.strerror}")]) from None
    except UnicodeDecodeError:
        raise ConfigProblems([Problem(file, None, "", "is not UTF-8 text; save it as UTF-8")]) from None
    config = parse(text, file)
    secrets = tuple(secret.get_secret_value() for _, secret in _secrets(config))
    return Loaded(config, file, tuple(_warnings(config, tomllib.loads(text), file)), secrets)


def parse(text: str, file: Path) -> Config:
    """Turn a file's text into settings.

    Raises:
        ConfigProblems: the settings cannot be used; the error lists everything that is wrong.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigProblems([not_toml(error, text, file)]) from None
    except RecursionError:
        raise ConfigProblems([Problem(file, None, "", "is nested far too deeply to be a configuration")]) from None
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigProblems(problems_of(error, text, file)) from None
    problems = problems_at(_contradictions(config), text, file)
    if problems:
        raise ConfigProblems(problems)
    return config


def data_dir(config: Config) -> Path:
    """Return where journal and spool are kept: the setting, systemd's StateDirectory=, or the user's own folder."""
    if config.data_dir is not None:
        return config.data_dir.expanduser()
    state = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    if state:
        return Path(state)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "piprint"


def data_dir_at_shell(config: Config) -> Path:
    """Return the folder of the journal that a command typed by hand shall use.

    For root this is the journal of the installed service, because no shell has the service's ``$STATE_DIRECTORY``. If
    the service has not run yet, systemd takes over the files in that folder when the service starts.
    """
    if config.data_dir is None and not os.environ.get("STATE_DIRECTORY") and _is_root():
        for place in SERVICE_DIRS:
            if place.is_dir():
                return place
        if any(unit.exists() for unit in SERVICE_UNITS):
            return SERVICE_DIRS[0]
    return data_dir(config)


def listen(text: str) -> tuple[str, int]:
    """Split ``address:port``, also ``[::1]:8632``.

    Raises:
        ValueError: the text does not have this form.
    """
    address, _, port = text.rpartition(":")
    address = address.removeprefix("[").removesuffix("]")
    if not address or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:  # noqa: PLR2004
        raise ValueError('must be an address and a port, such as "127.0.0.1:8632"')
    return address, int(port)


def _contradictions(config: Config) -> Iterator[tuple[SettingPath, str]]:
    """Yield contradictions between settings, and texts that only other modules can check, such as paper names."""
    yield from _web(config.web)
    if not config.cups.enabled and not config.discovery.enabled and not any(each.uri for each in config.printers):
        yield ("cups", "enabled"), "no printer is left: switch cups or discovery on, or add [[printers]] with a uri"
    if config.poll.fastest > config.poll.usual:
        yield ("poll", "fastest"), "must not be more than poll.usual"
    if config.poll.usual > config.poll.slowest:
        yield ("poll", "slowest"), "must not be less than poll.usual; it is the pace when little is printed"
    first: dict[str, int] = {}
    for index, printer in enumerate(config.printers):
        if first.setdefault(printer.id.casefold(), index) != index:
            yield ("printers", index, "id"), "another [[printers]] section has this id; give each its own"
        for name, message in _printer(printer):
            yield ("printers", index, *name), message
    for index, rule in enumerate(config.rules):
        if rule.paper and read_paper(rule.paper) is None:
            yield ("rules", index, "paper"), _PAPER


def _web(web: Web) -> Iterator[tuple[SettingPath, str]]:
    try:
        address, _ = listen(web.listen)
    except ValueError as error:
        yield ("web", "listen"), str(error)
        return
    if web.enabled and not is_loopback(address) and web.password is None:
        yield (
            ("web", "listen"),
            "others than this host could use the page; add password = ... below [web], or listen on 127.0.0.1",
        )


def _printer(printer: PrinterConfig) -> Iterator[tuple[SettingPath, str]]:
    for position, paper in enumerate(printer.paper):
        if read_paper(paper) is None:
            yield ("paper", position), _PAPER
    given: dict[int, str] = {}
    for tray, source in printer.trays.items():
        number = source_by_name(source)
        if number is None or number not in PAPER_SOURCES:
            yield ("trays", tray), f"must be one of {', '.join(PAPER_SOURCES.values())}"
        elif given.setdefault(number, tray) != tray:
            yield ("trays", tray), f"{given[number]} has this paper source already; give each tray its own"


def _warnings(config: Config, data: Mapping[str, Any], file: Path) -> Iterator[str]:
    inline = [dotted(path) for path, _ in _secrets(config) if isinstance(_at(data, path), str)]
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
    if bc.odata.startswith("http:") and not is_loopback(urlsplit(bc.odata).hostname or ""):
        yield "business_central.url begins with http: login and documents travel readable; switch on TLS in the server"
    if isinstance(bc.login, Certificate) and _mode(bc.login.key) & _OTHERS:
        yield f"other users of this host may read the private key {bc.login.key}; type: chmod 600 {bc.login.key}"
    web = config.web
    if web.enabled and web.password is None and (web.public_url or web.trusted_proxies):
        yield (
            "the page has no password, but a reverse proxy in front (web.public_url, web.trusted_proxies): whoever reaches that proxy sees "
            "the names of documents and companies, and can start jobs again; add password = ... below [web]"
        )
    for printer in config.printers:
        yield from _doubts(printer, config.rules)
    if isinstance(bc.login, Basic) and not bc.login.password.get_secret_value().isascii():
        yield "business_central.login.password has characters that Business Central does not take (only ASCII works)"


def _doubts(printer: PrinterConfig, rules: Iterable[Rule]) -> Iterator[str]:
    """Yield a warning for each of a printer's settings that people may misunderstand."""
    if printer.duplex and not any(rule.sides and matches(rule.printer, printer.id) for rule in rules):
        yield (
            f"printer {printer.id}: duplex = true says that it can print both sides, not that it shall; to have every job on both "
            f'sides, add below [[rules]]: printer = "{printer.id}" and sides = "two-sided"; to leave it to the printer, take '
            "duplex = true away if the printer tells by itself that it can"
        )
    if printer.language != "zpl":
        return
    if not printer.uri.startswith("socket://"):
        yield (
            f'printer {printer.id}: language = "zpl" without uri = "socket://...": labels in ZPL are passed on, and PDFs are refused, '
            "as they are drawn for printers on a network port only"
        )
    elif not printer.paper:
        yield (
            f"printer {printer.id}: the size of its labels is not known, so nobody can check whether a page fits; "
            'add paper = ["100x150mm"], or what the labels have'
        )


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0


def _mode(file: Path) -> int:
    """Return a file's permission bits; 0 where it is not there or rights work another way (Windows)."""
    try:
        return file.stat().st_mode & 0o777 if os.name == "posix" else 0
    except OSError:
        return 0


def _secrets(model: BaseModel, path: SettingPath = ()) -> Iterator[tuple[SettingPath, SecretStr]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, SecretStr):
            yield (*path, name), value
        elif isinstance(value, BaseModel):
            yield from _secrets(value, (*path, name))


def _at(data: Any, path: SettingPath) -> object:
    for step in path:
        data = data.get(step) if isinstance(data, Mapping) else None
    return data
