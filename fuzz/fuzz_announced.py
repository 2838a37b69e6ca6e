"""Any bytes from the home network, whole or cut, are no error and leave at most sixteen services with a local name and addresses.

python fuzz/fuzz_announced.py -max_total_time=600
"""

from __future__ import annotations

import ipaddress
import re
import sys

import nes2mqtt.setup.services as under_test
from nes2mqtt.setup.services import Heard

_KINDS = ("_mqtt._tcp", "_secure-mqtt._tcp")
_NUMBER = 4711
_MOST = 16
_HIGHEST_PORT = 65535


def check(data: bytes) -> None:
    """Raise AssertionError, or anything else, if the invariant does not hold for ``data``."""
    heard = Heard(_KINDS, _NUMBER)
    middle = len(data) // 2
    for message in (data, data[:middle], data[middle:]):
        heard.take(_NUMBER.to_bytes(2, "big") + message[2:])
    services = heard.services()
    assert len(services) <= _MOST
    for service in services:
        assert service.kind in _KINDS
        assert re.fullmatch(r"[a-z0-9-]{1,63}\.local", service.host)
        assert 0 < service.port <= _HIGHEST_PORT
        assert len(service.addresses) <= _MOST
        assert all(ipaddress.IPv4Address(address).is_private for address in service.addresses)


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in (Heard.take, under_test._name, under_test._records):  # noqa: SLF001
        atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
