"""The questions of the first run, as data, and what can be decided about their answers without asking anybody.

Answers are texts by the name of their field, as a form sends them and a terminal reads them. :data:`STEPS` is what both
front ends put; :func:`problems` says what is wrong with the answers of one step.

This module does not know how anything is asked, tried or written.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import available_timezones

from nes2mqtt.setup.said import Said
from osgp.errors import KeyFormatError, MisuseError
from osgp.key import MeterKey
from osgp.key_text import read_key
from osgp.optical.key import PASSWORD_SIZE, OpticalKey
from osgp.ports.transport import Address

__all__ = [
    "STEPS",
    "Answers",
    "Field",
    "Kind",
    "Step",
    "StepName",
    "address_of",
    "form_of",
    "id_from",
    "key_of",
    "problems",
    "written_key",
]

Answers = Mapping[str, str]

LEAST_PASSWORD = 10
MOST_ANSWER = 1000
"""Characters of an answer; a key as a list of numbers is a tenth of that."""
MOST_NAME = 60
_HIGHEST_PORT = 65535
_ID = re.compile(r"[a-z0-9_]{1,40}")
_FEW_CHARACTERS = 4


class StepName(StrEnum):
    """The steps, in their order."""

    PASSWORD = "password"  # noqa: S105 - the name of a step
    PORT = "port"
    KEY = "key"
    NAME = "name"
    MQTT = "mqtt"
    CHECK = "check"


class Kind(StrEnum):
    """How an answer is given."""

    TEXT = "text"
    PASSWORD = "password"  # noqa: S105 - a kind
    """Chosen here: not shown, and kept by password managers."""
    SECRET = "secret"  # noqa: S105 - a kind
    """Handed out by somebody else: not shown, and kept by no password manager."""
    CHOICE = "choice"
    PORT = "port"
    """One of the serial ports that were found, or an address typed."""
    BROKER = "broker"
    """One of the brokers that were found, or a name or address typed."""
    ZONE = "zone"
    """A time zone."""


@dataclass(frozen=True, slots=True)
class Field:
    """One answer. Its words are ``field_NAME`` and ``help_NAME``, those of a choice ``choice_NAME_VALUE``."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    default: str = ""
    only_if: tuple[str, tuple[str, ...]] | None = None
    """Asked only if another field of this step has one of these values."""
    needed: bool = True

    def is_asked(self, answers: Answers) -> bool:
        """Tell whether the other answers leave this one to be given."""
        return self.only_if is None or answers.get(self.only_if[0], "") in self.only_if[1]


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked at once. Its words are ``step_NAME`` and ``intro_NAME``."""

    name: StepName
    fields: tuple[Field, ...] = ()


_PUBLISHES = ("use", ("homeassistant", "fhem"))

STEPS = (
    Step(
        StepName.PASSWORD,
        (
            Field("password", Kind.PASSWORD),
            Field("again", Kind.PASSWORD),
            Field("reach", Kind.CHOICE, ("home", "here"), "home"),
        ),
    ),
    Step(
        StepName.PORT,
        (
            Field("port", Kind.PORT),
            Field("socket", Kind.CHOICE, ("find", "mep", "optical"), "find"),
        ),
    ),
    Step(
        StepName.KEY,
        (
            Field("key", Kind.SECRET),
            Field("padding", Kind.CHOICE, ("zeros", "blanks"), "zeros", ("socket", ("optical",))),
        ),
    ),
    Step(
        StepName.NAME,
        (
            Field("name", Kind.TEXT),
            Field("id", Kind.TEXT, needed=False),
            Field("timezone", Kind.ZONE),
        ),
    ),
    Step(
        StepName.MQTT,
        (
            Field("use", Kind.CHOICE, ("none", "homeassistant", "fhem"), "none"),
            Field("host", Kind.BROKER, only_if=_PUBLISHES),
            Field("broker_port", Kind.TEXT, only_if=_PUBLISHES, needed=False),
            Field("username", Kind.TEXT, only_if=_PUBLISHES, needed=False),
            Field("broker_password", Kind.SECRET, only_if=_PUBLISHES, needed=False),
            Field("tls", Kind.CHOICE, ("no", "yes"), "no", _PUBLISHES),
        ),
    ),
    Step(StepName.CHECK),
)
"""All of them."""


def problems(step: Step, answers: Answers) -> list[Said]:
    """Return what is wrong with the answers of a step, as far as they tell it themselves; empty when nothing is."""
    found = []
    for field in step.fields:
        answer = answers.get(field.name, "")
        if not field.is_asked(answers):
            continue
        if field.needed and not answer.strip():
            found.append(Said("empty", field.name))
        elif len(answer) > MOST_ANSWER or (not answer.isprintable() and field.kind is not Kind.SECRET):
            found.append(Said("unreadable", field.name))
        elif field.choices and answer not in field.choices:
            found.append(Said("no_choice", field.name))
    if found:
        return found
    decide = {
        StepName.PASSWORD: _password,
        StepName.PORT: _port,
        StepName.KEY: _key,
        StepName.NAME: _name,
        StepName.MQTT: _mqtt,
    }.get(step.name)
    return decide(answers) if decide is not None else []


# The password of the page


_COMMON = frozenset(
    [
        "1234567890",
        "12345678910",
        "0123456789",
        "0987654321",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "qwertyuiop",
        "qwertzuiop",
        "asdfghjkl1",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "passwort123",
        "adgangskode",
        "kodeord123",
        "adminadmin",
        "administrator",
        "changeme123",
        "letmein123",
        "welcome123",
        "willkommen",
        "willkommen1",
        "velkommen1",
        "iloveyou123",
        "homeassistant",
        "raspberrypi",
        "raspberry123",
        "qwerty12345",
        "qwerty123456",
        "abcdefghij",
        "abcdefghijk",
        "abc1234567",
        "abcd123456",
        "aa12345678",
        "football123",
        "baseball123",
        "sunshine123",
        "princess123",
        "nes2mqtt123",
        "1111111111",
        "unknown123",
        "secret1234",
        "testtest123",
        "strommaaler",
        "stromzaehler",
        "elektricitet",
    ]
)
"""Passwords of ten characters and more that every guesser tries first."""


def _password(answers: Answers) -> list[Said]:
    password = answers["password"]
    if len(password) < LEAST_PASSWORD:
        return [Said("password_short", "password", {"least": LEAST_PASSWORD})]
    if password.lower() in _COMMON or len(set(password)) < _FEW_CHARACTERS:
        return [Said("password_common", "password")]
    if answers["again"] != password:
        return [Said("passwords_differ", "again")]
    return []


# The port


def address_of(answers: Answers) -> Address:
    """Return the address of a port as somebody typed or chose it, on the socket that is told; MEP where none is.

    Raises:
        MisuseError: it is no address.
    """
    typed = answers["port"].strip()
    if re.fullmatch(r"tty\w+", typed):
        typed = f"/dev/{typed}"
    elif re.fullmatch(r"(?:[\w.-]+|\[[0-9a-fA-F:.]+\]):\d+", typed):
        typed = f"tcp://{typed}"
    elif typed.startswith("/"):
        typed = f"serial://{typed}"
    scheme, colon, rest = typed.partition(":")
    optical = {"serial": "optical", "tcp": "optical+tcp"}
    if answers.get("socket") == "optical":
        scheme = optical.get(scheme, scheme)
    elif answers.get("socket") == "mep":
        scheme = {other: name for name, other in optical.items()}.get(scheme, scheme)
    return Address.parse(f"{scheme}{colon}{rest}")


def _port(answers: Answers) -> list[Said]:
    try:
        address_of(answers)
    except MisuseError:
        return [Said("port_form", "port")]
    return []


# The key


def key_of(text: str, *, optical: bool) -> MeterKey:
    """Read a key in any form people hand on.

    Raises:
        KeyFormatError: it has none.
    """
    return OpticalKey.parse(text) if optical else MeterKey.parse(text)


def form_of(key: MeterKey) -> tuple[str, int]:
    """Return how a key was written: ``characters``, ``hex`` or ``numbers``, and how many of them."""
    count, _, kind = key.form.partition(" ")
    return {"hex digits": "hex", "decimal numbers": "numbers"}.get(kind, "characters"), int(count)


def written_key(text: str, *, optical: bool) -> str:
    """Return a key as it is written into its file: in characters if it was handed out so, so that people can compare it, else in hex.

    Raises:
        KeyFormatError: the text is no key.
    """
    key = key_of(text, optical=optical)
    whole, _ = read_key(text, lambda size: 1 <= size <= PASSWORD_SIZE) if optical else read_key(text)
    plain = whole.decode("latin-1")
    with contextlib.suppress(KeyFormatError):
        if plain.isprintable() and plain.isascii() and key_of(plain, optical=optical).secret == key.secret:
            return plain
    return whole.hex()


def _key(answers: Answers) -> list[Said]:
    optical = answers.get("socket") == "optical"
    try:
        key_of(answers["key"], optical=optical)
    except KeyFormatError:
        code = "key_form_optical" if optical else "key_form"
        return [Said(code, "key", {"count": len(answers["key"].strip())})]
    return []


# Name, id, time zone


_SPELT = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"})


def id_from(name: str) -> str:
    """Make the short name for topics from the name people use: ``Mormors hus`` becomes ``mormors_hus``."""
    plain = unicodedata.normalize("NFKD", name.lower().translate(_SPELT)).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:40].rstrip("_") or "house"


def _name(answers: Answers) -> list[Said]:
    found = []
    if len(answers["name"].strip()) > MOST_NAME:
        found.append(Said("name_long", "name", {"most": MOST_NAME}))
    short = answers.get("id", "").strip()
    if short and not _ID.fullmatch(short):
        found.append(Said("id_form", "id"))
    if answers["timezone"].strip() not in available_timezones():
        found.append(Said("no_zone", "timezone"))
    return found


# The broker


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _mqtt(answers: Answers) -> list[Said]:
    if answers["use"] == "none":
        return []
    found = []
    host = answers["host"].strip()
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}", host) and not _is_address(host.strip("[]")):
        found.append(Said("host_form", "host"))
    port = answers.get("broker_port", "").strip()
    if port and not (
        port.isascii() and port.isdigit() and len(port) <= len(str(_HIGHEST_PORT)) and 0 < int(port) <= _HIGHEST_PORT
    ):
        found.append(Said("broker_port_form", "broker_port"))
    if answers.get("broker_password") and not answers.get("username", "").strip():
        found.append(Said("user_missing", "username"))
    return found
