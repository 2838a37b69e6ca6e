"""Whatever a stranger sends, a tap stays shut, and whatever a client sends, what comes out is bounded and the same in any pieces.

What a module says of itself is values of the right kind, or nothing.

python fuzz/fuzz_tap.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from nesmodule.tap.rfc2217 import Server
from osgp.ports.tap.greeting import LONGEST_LINE, NONCE, Hello, nonce_of
from osgp.ports.tap.health import ModuleHealth


def _served(pieces: list[bytes]) -> tuple[bytes, bytes, bool, bool]:
    server = Server(lambda: b"{}")
    line = b"".join(server.receive(piece) for piece in pieces)
    return line, server.to_send(), server.dtr, server.rts


def check(data: bytes) -> None:
    """Raise AssertionError, or anything else, if the invariant does not hold for ``data``."""
    hello = Hello(b"a-token-that-nobody-has", bytes(NONCE))
    hello.receive(data)
    assert hello.mode == ""
    assert hello.wrong or len(data) <= LONGEST_LINE
    nonce = nonce_of(data)
    assert nonce is None or len(nonce) == NONCE
    whole = _served([data])
    assert whole == _served([data[at : at + 1] for at in range(len(data))])
    assert len(whole[0]) <= len(data)
    assert len(whole[1]) <= 24 * len(data)
    health = ModuleHealth.parse(data)
    assert health is None or health.wifi_strength is None or health.wifi_strength < 0


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(("osgp", "nesmodule")):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
