"""Who may in: tokens by client credentials as Microsoft Entra gives them, or user name and password on-premises.

Answers of the token endpoint follow Microsoft, "OAuth 2.0 client credentials flow on the Microsoft identity platform" and
"Microsoft Entra authentication and authorization error codes" (AADSTS...). This module does not know HTTP.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from piprint.errors import PiprintError
from piprint.simulate.refusal import Refusal

__all__ = ["Access", "Accounts", "Login", "TokenRefusal"]

SCOPE = "https://api.businesscentral.dynamics.com/.default"

Access = Literal["granted", "unregistered", "no permission set"]
"""What Business Central's page "Microsoft Entra applications" says of the app: a row with the permission set, no row, or a
row without it."""


@dataclass(frozen=True, slots=True)
class Accounts:
    """The one app registration and the one user there are.

    Attributes:
        tenant: directory id; the token URL holds it.
        client_id: application id.
        secret: the client secret.
        secret_expired: it was right once.
        certificate: PEM of the certificate that client assertions are signed with; b"" takes none.
        username: for Basic; "" takes no Basic, as online.
        password: its password.
        token_seconds: how long a token lives.
    """

    tenant: str = "11111111-2222-3333-4444-555555555555"
    client_id: str = "66666666-7777-8888-9999-000000000000"
    secret: str = field(default="stand-in-secret", repr=False)
    secret_expired: bool = False
    certificate: bytes = b""
    username: str = ""
    password: str = field(default="", repr=False)
    token_seconds: float = 4500


class TokenRefusal(PiprintError):
    """The token endpoint refuses.

    Args:
        error: OAuth2's error (RFC 6749, 5.2).
        number: of the AADSTS message.
        message: for people.
        status: of HTTP.
    """

    def __init__(self, error: str, number: int, message: str, *, status: int = 400) -> None:
        super().__init__(message)
        self.error = error
        self.number = number
        self.status = status

    def body(self, moment: datetime) -> dict[str, object]:
        """Return the answer's JSON."""
        trace, correlation = uuid.uuid4(), uuid.uuid4()
        return {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {moment:%Y-%m-%d %H:%M:%SZ}",
            "error_codes": [self.number],
            "timestamp": f"{moment:%Y-%m-%d %H:%M:%SZ}",
            "trace_id": str(trace),
            "correlation_id": str(correlation),
        }


CheckAssertion = Callable[[str, bytes, str, str, datetime], bool]
"""Checks a client assertion: the JWT, the certificate, client id, audience and time; True when it is good."""


class Login:
    """Gives tokens and checks them.

    Args:
        accounts: who may in; may be replaced at any time.
        now: the server's clock.
        check_assertion: see :data:`CheckAssertion`.
    """

    def __init__(self, accounts: Accounts, now: Callable[[], datetime], check_assertion: CheckAssertion) -> None:
        self.accounts = accounts
        self.access: Access = "granted"
        self._now = now
        self._check_assertion = check_assertion
        self._tokens: dict[str, datetime] = {}

    def token(self, tenant: str, form: Mapping[str, str], audience: str) -> dict[str, object]:
        """Answer a request for a token.

        Args:
            tenant: as in the URL.
            form: the body's fields.
            audience: the token endpoint's own URL, as assertions name it.

        Raises:
            TokenRefusal: with the reason.
        """
        accounts = self.accounts
        if tenant != accounts.tenant:
            raise TokenRefusal(
                "invalid_request",
                90002,
                f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID.",
            )
        if form.get("grant_type") != "client_credentials":
            raise TokenRefusal("unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
        client = form.get("client_id", "")
        if client != accounts.client_id:
            raise TokenRefusal(
                "unauthorized_client", 700016, f"Application with identifier '{client}' was not found in the directory."
            )
        self._check_credential(form, audience)
        if form.get("scope") != SCOPE:
            raise TokenRefusal("invalid_scope", 70011, "The provided request must include a 'scope' input parameter.")
        now = self._now()
        self._tokens = {token: until for token, until in self._tokens.items() if until > now}
        token = f"stand-in.{secrets.token_urlsafe(24)}"
        self._tokens[token] = now + timedelta(seconds=accounts.token_seconds)
        seconds = int(accounts.token_seconds)
        return {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token}

    def expire_tokens(self) -> None:
        """Let all tokens given so far be refused from now on."""
        self._tokens.clear()

    def authorize(self, header: str | None) -> None:
        """Check a request's Authorization header.

        Raises:
            Refusal: 401 or 403.
        """
        scheme, _, value = (header or "").partition(" ")
        good = self._token_holds(value) if scheme.lower() == "bearer" else self._knows(scheme, value)
        if not good or self.access == "unregistered":
            raise Refusal(
                "Authentication_InvalidCredentials",
                "The server has rejected the client credentials.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if self.access == "no permission set":
            raise Refusal(
                "Authorization_RequestDenied",
                "Sorry, the current permissions prevented the action. (TableData 90000 PIPrintPrinter Read: PIPrint)",
            )

    def _check_credential(self, form: Mapping[str, str], audience: str) -> None:
        accounts = self.accounts
        if "client_assertion" in form:
            if not accounts.certificate or not self._check_assertion(
                form["client_assertion"], accounts.certificate, accounts.client_id, audience, self._now()
            ):
                raise TokenRefusal(
                    "invalid_client",
                    700027,
                    "The certificate with identifier used to sign the client assertion is not registered on application.",
                    status=401,
                )
            return
        if not form.get("client_secret"):
            raise TokenRefusal(
                "invalid_client",
                7000218,
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
                status=401,
            )
        if not secrets.compare_digest(form["client_secret"].encode(), accounts.secret.encode()):
            raise TokenRefusal(
                "invalid_client",
                7000215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, "
                f"not the client secret ID, for a secret added to app '{accounts.client_id}'.",
                status=401,
            )
        if accounts.secret_expired:
            raise TokenRefusal(
                "invalid_client",
                7000222,
                f"The provided client secret keys for app '{accounts.client_id}' are expired.",
                status=401,
            )

    def _token_holds(self, token: str) -> bool:
        until = self._tokens.get(token)
        return until is not None and self._now() < until

    def _knows(self, scheme: str, value: str) -> bool:
        if scheme.lower() != "basic" or not self.accounts.username:
            return False
        try:
            given = base64.b64decode(value, validate=True)
        except binascii.Error:
            return False
        return secrets.compare_digest(given, f"{self.accounts.username}:{self.accounts.password}".encode())
