"""The line of a module, lent: ``osgp`` reads the simulated meter through the program on a 32-bit MicroPython."""

import asyncio
import json
import socket
from contextlib import ExitStack
from importlib.metadata import version

import pytest
from tapped import TOKEN, Tapped, until

from nesmodule.access.guesses import FREE
from osgp.ports.tap.greeting import answer, nonce_of
from osgp.ports.transport import Address, open_port


@pytest.fixture
def module(tmp_path, built):
    with ExitStack() as stack:
        rig = Tapped(tmp_path, stack, built / "stock")
        rig.start_meter()
        yield rig


def knock(rig, token, mode="raw"):
    """Greet as a program of somebody else's would; return the connection and what the module said."""
    client = rig.stack.enter_context(socket.create_connection(("127.0.0.1", rig.tap), 10))
    lines = rig.stack.enter_context(client.makefile("rb", buffering=0))
    first = lines.readline()
    nonce = nonce_of(first)
    if nonce is None:
        return client, first
    client.sendall(answer(token, mode, nonce))
    return client, lines.readline()


def test_a_gateway_elsewhere_reads_the_meter_and_the_module_goes_on_by_itself(module):
    module.start_module()
    before = until(lambda: module.live()["registers"].get("active_energy_import"), "the module's own values")
    for scheme in ("tcp", "rfc2217", "module"):
        for _ in range(3):
            # A busy computer answers late now and then.
            done = module.osgp(scheme, "read", "--json")
            if done.returncode == 0:
                break
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)["values"]
        assert found["active_energy_import"] >= before
        assert 220 < found["voltage_l1"] < 240
    again = until(lambda: module.live()["registers"].get("active_energy_import"), "the module's own values again")
    assert again >= before


def test_one_program_has_the_line_until_it_leaves_and_the_module_shows_nothing_meanwhile(module):
    module.start_module()
    until(lambda: module.live()["present"], "the module's own values")
    first, said = knock(module, TOKEN.encode())
    assert said == b"ok\r\n"
    lent = until(lambda: module.live() if "another program" in module.live()["link"]["message"] else None, "word of it")
    assert lent["present"] == {}
    assert "active_energy_import" not in lent["registers"]
    done = module.osgp("module", "read")
    assert done.returncode != 0
    assert "another program reads the meter through the module" in done.stderr
    first.shutdown(socket.SHUT_RDWR)
    until(lambda: module.live()["present"], "the module's own values again")


def test_wrong_tokens_are_few_and_never_shown(module):
    module.start_module()
    wrong = module.folder / "wrong"
    wrong.write_text("wrong-wrong-wrong-1")
    done = module.osgp("module", "read", token_file=wrong)
    assert done.returncode != 0
    assert "refuses the token" in done.stderr
    assert "wrong-wrong" not in done.stderr
    for _ in range(FREE - 1):
        assert knock(module, b"wrong-wrong-wrong-1")[1] == b"no token\r\n"
    # The next guess is not looked at, right or wrong.
    assert knock(module, TOKEN.encode())[1].startswith(b"no wait")
    done = module.osgp("module", "read")
    assert done.returncode != 0
    assert "takes no token for" in done.stderr
    assert TOKEN not in done.stderr + module.said.read_text()
    # Whom it refused it does not keep waiting.
    assert knock(module, TOKEN.encode())[0].recv(1) == b""


def test_a_module_without_a_token_does_not_listen(module):
    module.start_module(tap_token=None)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", module.tap), 5)


def test_modem_lines_switch_the_level_shifter_and_come_back_when_the_client_vanishes(module):
    module.start_module()

    async def switched(scheme):
        port = await open_port(Address.parse(f"{scheme}://127.0.0.1:{module.tap}").with_token(TOKEN), print, print)
        try:
            await port.set_lines(dtr=False)
            await port.set_lines(rts=False)
            return port.health
        finally:
            await port.close()

    for scheme in ("rfc2217", "module"):
        module.said.write_text("")
        health = asyncio.run(switched(scheme))
        until(lambda: module.said.read_text().endswith("supply True enable True\n"), "the lines' way back")
        assert "supply False enable False" in module.said.read_text()
    assert health.uptime < 600
    assert 0 < health.free_memory < 160_000
    assert health.firmware == version("nesmodule")
    assert health.wifi_strength is None
