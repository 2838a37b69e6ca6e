"""The first configuration file: a few answers become a commented TOML file with the rights a file with secrets needs.

This module does not know how the answers were got, nor whether they are true: ``piprint doctor`` tells.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from piprint.errors import ConfigError

__all__ = ["Answers", "starter_text", "write_starter"]


@dataclass(frozen=True, slots=True, repr=False)
class Answers:
    """What has to be known to begin. Not shown by ``repr``: there may be a secret in it.

    Attributes:
        host: this processor's name in Business Central; "" for this host's name.
        place: Business Central online, or a server of one's own.
        environment: online: the environment's name.
        url: on-premises: the OData address.
        company: "" where there is only one.
        login: how to log in.
        tenant: for ``secret`` and ``certificate``.
        client_id: for ``secret`` and ``certificate``.
        username: for ``basic``.
        token_url: where tokens come from, when it is not Microsoft (the stand-in).
        secret: the client secret or password itself; "" to write ``secret_file`` into the file.
        secret_file: where the secret or password stands.
        certificate: PEM file.
        key: PEM file.
    """

    host: str = ""
    place: Literal["online", "on-premises"] = "online"
    environment: str = "production"
    url: str = ""
    company: str = ""
    login: Literal["secret", "certificate", "basic"] = "secret"
    tenant: str = ""
    client_id: str = ""
    username: str = ""
    token_url: str = ""
    secret: str = ""
    secret_file: str = "/etc/piprint/client-secret"  # noqa: S105 - a place
    certificate: str = ""
    key: str = ""


_TEXT = """\
# piprint: prints what people print in Business Central on the printers of this host.
# All settings: docs/reference/piprint-settings.md. After a change: piprint doctor, then restart the service.

{host}

[business_central]
{place}
{company}

[business_central.login]
{login}

# Printers: every queue of this host's CUPS is offered. Less, or more:
# [cups]
# offer = ["Office*", "Labels"]
# hide = ["*_old"]
#
# Printers in the network that announce themselves, without CUPS (needs piprint[discovery]):
# [discovery]
# enabled = true
#
# A printer by its address, and what it does not tell by itself:
# [[printers]]
# id = "labels"
# uri = "socket://192.168.1.40:9100"
# language = "zpl"             # a PDF is drawn and sent as ZPL
# paper = ["100x150mm"]
# uncertain = "reprint"        # after a power cut a label may print twice rather than not at all
#
# Rules: print settings for some jobs; a later rule wins.
# [[rules]]
# printer = "Office*"
# report = 1306
# copies = 2
# sides = "two-sided"

[web]
listen = "127.0.0.1:8632"      # the status page; only this host sees it
"""


def _quoted(text: str) -> str:
    """Write text as a TOML basic string; JSON's escapes are TOML's, but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _secret(answers: Answers) -> str:
    if answers.secret:
        return f"{_quoted(answers.secret)}     # keep this file mode 0600"
    return f"{{ file = {_quoted(answers.secret_file)} }}"


def starter_text(answers: Answers) -> str:
    """Return the file's text; it holds the secret when ``answers.secret`` does."""
    host = (
        f"host = {_quoted(answers.host)}" if answers.host else '# host = "office"          # default: this host\'s name'
    )
    host += "\n# Two processors with one host share its printers and jobs."
    if answers.place == "online":
        place = f"environment = {_quoted(answers.environment)}"
    else:
        place = f'url = {_quoted(answers.url)}\n# ca_file = "/etc/piprint/ca.pem"    # when the server\'s certificate is your own'
    company = (
        f"company = {_quoted(answers.company)}"
        if answers.company
        else '# company = "CRONUS Danmark A/S"   # needed where there is more than one'
    )
    if answers.login == "basic":
        login = f'kind = "basic"\nusername = {_quoted(answers.username)}\npassword = {_secret(answers)}'
    else:
        login = (
            f'kind = "{answers.login}"\ntenant = {_quoted(answers.tenant)}\nclient_id = {_quoted(answers.client_id)}\n'
        )
        if answers.token_url:
            login += f"token_url = {_quoted(answers.token_url)}\n"
        if answers.login == "secret":
            login += f"secret = {_secret(answers)}"
        else:
            login += f"certificate = {_quoted(answers.certificate)}\nkey = {_quoted(answers.key)}"
    return _TEXT.format(host=host, place=place, company=company, login=login)


def write_starter(file: Path, answers: Answers) -> None:
    """Write a first configuration, mode 0600; a file that is there stays as it is.

    Raises:
        ConfigError: there is a file already, or it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigError(
            f"{file}: there is a configuration already, and it stays; edit it, or name another file"
        ) from None
    except OSError as error:
        raise ConfigError(f"{file}: cannot be written: {error.strerror}; name another file with --config") from None
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(starter_text(answers))
