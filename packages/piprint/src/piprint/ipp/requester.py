"""The name under which the program asks printers and CUPS: the requesting-user-name (RFC 8011, 4.1.3 and 9.3).

CUPS shows a job's name only to the user who made the job, so it stays the same: ``piprint``, the account of our service.
CUPS 2.4.17 ends, and 2.4.18 refuses, when a job's owner has no account on its computer (OpenPrinting CUPS, issues 1555 and 1557);
Debian 12 took that over in 2.4.2-3+deb12u10. So a program that was started by hand, where there is no such account, takes the name
of whoever started it.

This module knows only the accounts of this computer, not those of another.
"""

from __future__ import annotations

import os
import pwd
from ipaddress import ip_address

__all__ = ["REQUESTER", "requester"]

REQUESTER = "piprint"
"""The usual name."""


def requester(host: str) -> str:
    """Return the name for requests to this host (a name or an address)."""
    return _here() if _is_here(host) else REQUESTER


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _here() -> str:
    try:
        return pwd.getpwnam(REQUESTER).pw_name
    except KeyError:
        pass
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's number without a name
        return REQUESTER
