"""Exit codes of the ``osgp`` command: published, so that scripts can tell failures apart.

This module does not know what fails when.
"""

from __future__ import annotations

from enum import IntEnum

from osgp.errors import KeyRejected, MisuseError, OsgpError, TransportError

__all__ = ["ExitCode", "exit_code"]


class ExitCode(IntEnum):
    """What the command ended with."""

    OK = 0
    METER = 1
    USAGE = 2
    KEY = 3
    PORT = 4
    DIFFERENT = 5
    INTERRUPTED = 130

    @property
    def meaning(self) -> str:
        """Return what it means, for the documentation."""
        return _MEANING[self]


_MEANING = {
    ExitCode.OK: "all went well",
    ExitCode.METER: "the meter or the line to it: no answer, a refusal, a reply that cannot be believed",
    ExitCode.USAGE: "the command line or a file given on it is wrong; nothing was sent",
    ExitCode.KEY: "the meter refused the key",
    ExitCode.PORT: "the serial port or network connection cannot be opened, or was lost",
    ExitCode.DIFFERENT: "`osgp diff` found differences",
    ExitCode.INTERRUPTED: "ended by Ctrl-C",
}


def exit_code(error: OsgpError) -> ExitCode:
    """Return the exit code for an error."""
    if isinstance(error, KeyRejected):
        return ExitCode.KEY
    if isinstance(error, TransportError):
        return ExitCode.PORT
    return ExitCode.USAGE if isinstance(error, MisuseError) else ExitCode.METER
