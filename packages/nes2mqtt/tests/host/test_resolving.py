"""A host on its way to the resolver."""

import socket
import subprocess
import sys

import pytest

from nes2mqtt.host.resolving import for_resolver


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_an_address_or_a_plain_name_is_the_same_as_before(host):
    assert socket.getaddrinfo(for_resolver(host), 80) == socket.getaddrinfo(host, 80)


def test_a_name_with_other_letters_stays_a_text():
    assert for_resolver("zähler.local") == "zähler.local"


def test_an_address_does_not_load_the_letters_of_the_world():
    code = (
        "import socket, sys; from nes2mqtt.host.resolving import for_resolver; "
        "socket.getaddrinfo(for_resolver('127.0.0.1'), 80); print('encodings.idna' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
