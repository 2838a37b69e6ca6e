"""What failed in TLS mode, for the meter's owner: what happened, what it means, what to do next.

This module does not know when anything fails.
"""

from __future__ import annotations

from osgp.errors import KeyRejected, LinkRefused, ResponseTimeout, TlsError, TlsUnavailable, WriteUncertain

__all__ = [
    "downgraded",
    "hellos_failed",
    "key_refused",
    "key_refused_now",
    "no_answer",
    "no_tls",
    "no_tls_now",
    "worn_out",
    "write_unanswered",
    "write_without_session",
]


def no_answer(step: str, times: int) -> ResponseTimeout:
    """Nothing came.

    Args:
        step: what was being done: ``reading BT23``; so in all of these.
        times: how often it was tried.
    """
    return ResponseTimeout(
        f"the meter did not answer while {step} in TLS: asked {times} times. "
        "Check the cable, the baud rate and that the MEP port is switched on"
    )


def no_tls(step: str, times: int) -> TlsUnavailable:
    """The meter declined each hello as one without TLS does."""
    return TlsUnavailable(
        f"the meter does not begin a TLS session: it refused {_often(times)} while {step}. Older meters speak "
        'RC4 only: choose security "rc4" if yours is one'
    )


def no_tls_now(step: str, times: int) -> LinkRefused:
    """The same of a meter that spoke TLS on this connection."""
    return LinkRefused(
        f"the meter spoke TLS before and now refuses it: {_often(times)} while {step}. Most likely what we "
        "send is damaged on the way, or another program talks to it on the same line; check the cable and its length"
    )


def downgraded() -> TlsUnavailable:
    """The same where the meter had spoken TLS on any connection, so that it is not asked in RC4 mode."""
    return TlsUnavailable(
        "the meter spoke TLS before and refuses it now. It is not asked in the weaker RC4 mode, because somebody on the line "
        'could have made the meter look so. If the grid company took TLS away, choose security "rc4-plain" or "rc4"; '
        "otherwise look what is connected to the line"
    )


def hellos_failed(step: str, times: int) -> TlsError:
    """The meter answered each hello with an error of TLS mode."""
    return TlsError(
        f"the meter knows TLS and begins no session: it answered {times} hellos with an error while {step}. "
        "Check the cable and its length. If it lasts, ask the grid company whether TLS is set up in the meter, or choose "
        'security "rc4-plain"'
    )


def worn_out(step: str, last: str | None) -> TlsError:
    """Session after session broke; ``last`` says how the last one did."""
    return TlsError(
        f"the TLS session broke again and again while {step}, last: {last or 'the meter had none'}. "
        "Check the cable and its length, and that no other program talks to the meter on the same line"
    )


def key_refused(step: str, times: int) -> KeyRejected:
    """The meter never took the key."""
    return KeyRejected(
        f"the meter refuses the key, as basic and as advanced key: it refused {times} handshakes in a row while {step}. "
        "Compare the key with the letter of your grid company; ask it whether the key was changed"
    )


def key_refused_now(step: str, times: int) -> LinkRefused:
    """The meter took the key before."""
    return LinkRefused(
        f"the meter took the key before and now refuses it: it refused {times} handshakes in a row while {step}. "
        "Most likely what we send is damaged on the way; check the cable and its length"
    )


def write_unanswered(step: str) -> WriteUncertain:
    """No reply to a write."""
    return WriteUncertain(f"no answer came while {step}, {_UNCERTAIN}")


def write_without_session(step: str) -> WriteUncertain:
    """The meter says that there is no session, in answer to a write."""
    return WriteUncertain(f"the TLS session broke while {step}, {_UNCERTAIN}")


_UNCERTAIN = "and the meter does not say whether it was done. Read the table to see, before writing again"


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times in a row"
