"""The configuration: one TOML file, as typed models. What each setting means stands beside it and becomes the reference.

Reading the file, and turning what is wrong into lines for people, is :mod:`piprint.config.load`'s.
This module does not know files.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import quote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from piprint.config.secret import Secret
from piprint.contract import units
from servicekit.caller import network_of

__all__ = [
    "Basic",
    "BusinessCentral",
    "Certificate",
    "ClientSecret",
    "Config",
    "Cups",
    "Discovery",
    "Lease",
    "Limits",
    "Login",
    "Poll",
    "PrinterConfig",
    "Rule",
    "Scaling",
    "Web",
    "is_loopback",
]

_PUBLIC_URL = re.compile(
    r"https?://(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))(?::(?P<port>\d{1,5}))?(?:/[A-Za-z0-9._~/-]*)?"
)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252})")
_LAST_PORT = 65535

SAAS = "https://api.businesscentral.dynamics.com/v2.0"
TOKEN_HOST = "https://login.microsoftonline.com"  # noqa: S105 - an address
SCOPE = "https://api.businesscentral.dynamics.com/.default"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class _Entra(_Model):
    tenant: str = Field(min_length=1)
    """Directory (tenant) id or domain of Microsoft Entra."""
    client_id: str = Field(min_length=1)
    """Application (client) id of the app registration."""
    token_url: str = ""
    """Where tokens come from; default: Microsoft's token endpoint of the tenant."""
    scope: str = SCOPE
    """What the token shall be good for."""

    @property
    def token_endpoint(self) -> str:
        """Return the URL tokens are asked from."""
        return self.token_url or f"{TOKEN_HOST}/{self.tenant}/oauth2/v2.0/token"


class ClientSecret(_Entra):
    """OAuth2 client credentials with a secret."""

    kind: Literal["secret"] = "secret"
    secret: Secret
    """The client secret's value (not its id)."""


class Certificate(_Entra):
    """OAuth2 client credentials with a certificate; needs ``piprint[certificate]``."""

    kind: Literal["certificate"] = "certificate"
    certificate: Path
    """PEM file of the certificate uploaded to the app registration."""
    key: Path
    """PEM file of its private key; only the service may read it."""


class Basic(_Model):
    """User name and password or web service access key; only Business Central on-premises."""

    kind: Literal["basic"] = "basic"
    username: str = Field(min_length=1)
    """The Business Central user."""
    password: Secret
    """The password or web service access key."""


Login = Annotated[ClientSecret | Certificate | Basic, Field(discriminator="kind")]


class BusinessCentral(_Model):
    """Where Business Central is and how to log in."""

    url: str = ""
    """OData address, ending in /ODataV4/. Online: leave it out and give environment, the rest is known."""
    environment: str = ""
    """Online: the environment's name, such as production."""
    company: str = ""
    """Company name, or its id; needed where there is more than one."""
    extension: Literal["auto", "1.0", "2.0"] = "auto"
    """Which extension is installed: PIPrint 1.0 (web services) or ours (API pages); auto asks."""
    login: Login
    """How to log in."""
    ca_file: Path | None = None
    """PEM file of the certificate authority of an on-premises server."""
    verify: bool = True
    """Check the server's certificate. false is for a test on one desk; it is logged and shown."""
    timeout: float = Field(default=60, gt=0, le=600)
    """Seconds an answer may take, and more as it is larger; of a document, each part of it."""

    @field_validator("url")
    @classmethod
    def _is_address(cls, value: str) -> str:
        try:
            place = urlsplit(value)
            good = place.scheme in {"http", "https"} and bool(place.hostname) and place.port != 0
        except ValueError:  # brackets, or a port that is none
            good = False
        if value and not (good and place.path.startswith("/") and not re.search(r"[\s?#]", value)):
            raise ValueError("url is an address such as https://server:7048/BC/ODataV4/")
        if value and place.username is not None:
            raise ValueError("url holds a login; write user name and password under login")
        return value

    @model_validator(mode="after")
    def _place(self) -> BusinessCentral:
        if not self.url and not self.environment:
            raise ValueError("give environment (Business Central online) or url (on-premises)")
        if not self.url and isinstance(self.login, Basic):
            raise ValueError('Business Central online takes no user name and password: use kind = "secret"')
        return self

    @property
    def odata(self) -> str:
        """Return the OData address with its closing slash."""
        if self.url:
            return self.url.rstrip("/") + "/"
        tenant = "" if isinstance(self.login, Basic) else f"{quote(self.login.tenant, safe='')}/"
        return f"{SAAS}/{tenant}{quote(self.environment, safe='')}/ODataV4/"

    @property
    def root(self) -> str:
        """Return the address both OData and the API pages lie under, with its closing slash."""
        return re.sub(r"ODataV4/$", "", self.odata, flags=re.IGNORECASE)


class Poll(_Model):
    """How often to ask for work."""

    fastest: float = Field(default=1, ge=0.05, le=60)
    """Seconds between two questions while there is work."""
    usual: float = Field(default=5, ge=0.05, le=300)
    """Seconds otherwise."""
    slowest: float = Field(default=5, ge=0.05, le=3600)
    """Seconds when nothing was printed for an hour; raise it to spare calls at night."""


def _without_login(address: str, name: str) -> str:
    """Refuse a login in a printer's address: it would be shown with the address, and be sent to nobody."""
    if re.match(r"[a-z]+://[^/?#]*@", address, re.IGNORECASE):
        raise ValueError(f"{name} holds a login, which no printer is told; leave it out")
    return address


class Cups(_Model):
    """The CUPS of this host."""

    enabled: bool = True
    """Offer its queues."""
    url: str = "http://localhost:631/"
    """Where it listens."""
    offer: tuple[str, ...] = ("*",)
    """Which queues, by name; * and ? stand for any text and any character."""
    hide: tuple[str, ...] = ()
    """Which of them not."""

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        return _without_login(value, "url")


class Discovery(_Model):
    """Network printers that announce themselves (DNS-SD); needs ``piprint[discovery]``."""

    enabled: bool = False
    """Offer them, too."""
    offer: tuple[str, ...] = ("*",)
    """Which, by the name they announce."""
    hide: tuple[str, ...] = ()
    """Which of them not."""


Scaling = Literal["auto", "fit", "fill", "none"]
"""Keywords of print-scaling (PWG 5100.16)."""


class PrinterConfig(_Model):
    """A printer given by hand, or more about one that was found."""

    id: str = Field(min_length=1)
    """Its name: the CUPS queue's, the announced one, or a new one for a printer given by uri."""
    uri: str = ""
    """ipp://, ipps:// or socket://host:9100; leave out for a CUPS queue or an announced printer."""
    name: str = ""
    """The name shown in Business Central at first; default: id@host."""
    language: Literal["pdf", "zpl", "raw"] = "pdf"
    """What it takes: pdf; zpl (a label printer: labels in ZPL are passed on; PDF is drawn and sent as ZPL, which needs an uri that begins
    with socket://); raw (documents are passed on)."""
    dpi: int = Field(default=203, ge=100, le=1200)
    """Resolution of a zpl printer."""
    uncertain: Literal["hold", "reprint"] = "hold"
    """A job that may or may not have been printed (power cut): hold = Error, a person looks; reprint = again (labels)."""
    give_up_after: float = Field(default=3600, ge=1)
    """Seconds a job may wait for the printer before it goes to Error."""
    stuck_after: float = Field(default=3600, ge=1)
    """Seconds a job may be said to print without a sign of progress before it is cancelled and told as uncertain. Large documents
    get more: 20 s for each page and copy, 60 s for each megabyte."""
    ca_file: Path | None = None
    """PEM file the printer's certificate must fit (ipps)."""
    paper: tuple[str, ...] = ()
    """All sizes that are loaded, for printers that do not say: A4, Letter, 100x150mm. A page of one of them goes on it; every other goes
    where the printer puts it, or on the only one. To have every job on one of several, write a rule with paper."""
    trays: dict[str, str] = {}
    """Tray of the printer (IPP keyword) = Business Central's paper source (Upper, Lower, Manual ...); each source once."""
    duplex: bool | None = None
    """It can print both sides; default: what it says. true: whether it does is said by a rule's sides, else by the printer's own setting.
    false: every job is printed on one side."""
    color: bool | None = None
    """It can print colour; default: what it says. false: every job is printed in black, or says that this printer cannot be told to."""
    scaling: Scaling | None = None
    """What is done with a page that does not have the paper's size: auto (a larger one is made smaller), fit (made as large as the paper
    takes it), fill (fills the paper, edges may be lost), none (as it is; one that is known to be too large is refused). Default: what the
    printer is set to, but a page that it would cut is made smaller where it can be told so; auto for zpl."""

    @field_validator("id")
    @classmethod
    def _fits(cls, value: str) -> str:
        if units(value) > 250:  # noqa: PLR2004 - Text[250] of Business Central
            raise ValueError("Business Central takes at most 250 characters")
        return value

    @field_validator("uri")
    @classmethod
    def _known(cls, value: str) -> str:
        if value and not re.match(r"(ipps?|socket|winspool)://?.", value):
            raise ValueError("uri begins with ipp://, ipps://, socket:// (port 9100) or winspool:")
        return _without_login(value, "uri")


class Rule(_Model):
    """Print settings for some jobs; a later rule wins. Without a condition it is for all jobs. What somebody chose counts more."""

    printer: str = "*"
    """Printers it is for; * and ? as above."""
    report: int | None = None
    """Report id."""
    report_name: str = ""
    """Report name; * and ? as above."""
    company: str = ""
    """Company name; * and ? as above."""
    copies: int | None = Field(default=None, ge=1, le=999)
    """Print so many."""
    sides: Literal["one-sided", "two-sided", "two-sided-long-edge", "two-sided-short-edge"] | None = None
    """Print on these sides. two-sided: on both sides where the printer can and the document has several pages, turned as its pages lie."""
    color: bool | Literal["auto"] | None = None
    """Print in colour, or not. auto: in colour where the printer can."""
    scaling: Scaling | None = None
    """What is done with a page that does not have the paper's size; see scaling of a printer."""
    tray: str = ""
    """Take paper from this tray (IPP keyword, or Business Central's paper source)."""
    paper: str = ""
    """Take this size: A4, Letter, 100x150mm."""
    force: bool = False
    """Also where somebody chose otherwise in Business Central; the job says so then."""


class Lease(_Model):
    """Several processors with the same host id: who has a job, and when another may take it over."""

    seconds: float = Field(default=120, ge=1, le=3600)
    """A job whose processor gives no sign for so long is taken over."""


class Limits(_Model):
    """What is too much."""

    attempts: int = Field(default=3, ge=1, le=100)
    """Times a job is tried before it goes to Error."""
    document_mb: int = Field(default=350, ge=1)
    """Largest document; Business Central itself stops at 350."""
    keep_free_mb: int = Field(default=200, ge=0)
    """Take no job when less would be left on the disk."""
    parallel_calls: int = Field(default=4, ge=1, le=5)
    """Calls to Business Central at once; it processes 5 per user."""


class Web(_Model):
    """The status page."""

    enabled: bool = True
    """Show it."""
    listen: str = "127.0.0.1:8632"
    """Address and port. Only this host can see it unless you change that; then set a password."""
    password: Secret | None = None
    """Asked for when set; needed to listen on other addresses than this host's own."""
    public_url: str = ""
    """The address people type when a reverse proxy is in front, with its path: "https://example.org/print/"."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses or networks of reverse proxies that say who is behind them: ["127.0.0.1", "10.0.0.0/8"]."""
    allowed_hosts: tuple[str, ...] = ()
    """More names this page is called by: ["print.example.org"]. Addresses, and the names of this host, need not be given."""

    @property
    def path(self) -> str:
        """Return the path the page stands below, with a slash at both ends: ``/`` or ``/print/``."""
        return urlsplit(self.public_url).path if self.public_url else "/"

    @field_validator("public_url")
    @classmethod
    def _is_public(cls, value: str) -> str:
        if not value:
            return value
        found = _PUBLIC_URL.fullmatch(value)
        if not found or int(found["port"] or 0) > _LAST_PORT:
            raise ValueError(
                "is an address such as https://example.org/print/; write it as the browser shows it, without user, "
                "question mark or #"
            )
        return value if value.endswith("/") else f"{value}/"

    @field_validator("trusted_proxies")
    @classmethod
    def _are_proxies(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                network = network_of(text)
            except ValueError:
                raise ValueError(
                    "are addresses or networks, such as 127.0.0.1 or 192.168.1.0/24. Names do not work: the address of a name may "
                    "change hands"
                ) from None
            if network.prefixlen == 0:
                raise ValueError(
                    f"{text} is every address there is: anybody could then say to be anybody. Name the proxy's"
                )
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _are_names(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_NAME.fullmatch(text) for text in value):
            raise ValueError("are host names alone, without http:// or port")
        return value


class Config(_Model):
    """All settings."""

    host: str = Field(default_factory=lambda: socket.gethostname().split(".")[0] or "piprint", min_length=1)
    """This processor's name in Business Central (HostID). Two processors with one name share its printers and jobs."""
    data_dir: Path | None = None
    """Journal and spool; default: /var/lib/piprint of the service ($STATE_DIRECTORY), else ~/.local/share/piprint."""
    log: Literal["text", "json"] = "text"
    """Form of the log lines."""
    business_central: BusinessCentral
    """Where Business Central is."""
    poll: Poll = Poll()
    """How often to ask for work."""
    cups: Cups = Cups()
    """The CUPS of this host."""
    discovery: Discovery = Discovery()
    """Announced network printers."""
    printers: tuple[PrinterConfig, ...] = ()
    """Printers given by hand, and more about those found."""
    rules: tuple[Rule, ...] = ()
    """Print settings for some jobs."""
    lease: Lease = Lease()
    """Sharing jobs between processors."""
    limits: Limits = Limits()
    """What is too much."""
    web: Web = Web()
    """The status page."""

    @field_validator("host")
    @classmethod
    def _fits(cls, value: str) -> str:
        if units(value) > 250:  # noqa: PLR2004 - Text[250] of Business Central
            raise ValueError("Business Central takes at most 250 characters")
        return value

    @property
    def environment(self) -> str:
        """Return the word jobs are named with at the printers: the environment, or the server's instance."""
        bc = self.business_central
        return bc.environment or bc.odata.rstrip("/").removesuffix("/ODataV4").rsplit("/", 1)[-1]


def is_loopback(address: str) -> bool:
    """Tell whether an address is one that only this host reaches."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
