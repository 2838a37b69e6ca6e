"""The whole start of a module on MicroPython, with stand-ins for chip and radio: a simulated meter at the UART, and Wi-Fi that goes away."""

import http.client
import json
import shutil
from contextlib import ExitStack
from pathlib import Path

import pytest
from micropythons import interpreter
from tapped import KEY, Tapped, until


def write(path, text):
    """Give a file another text at once: somebody may be reading it."""
    part = path.with_suffix(".part")
    part.write_text(text)
    part.rename(path)


STANDINS = Path(__file__).parent / "on_module" / "standins"
HEAP = "120k"
DEVICE_KEY = "k7m2-pq9x-w4hd"


@pytest.fixture
def module(tmp_path):
    with ExitStack() as stack:
        yield Tapped(tmp_path, stack, None)


def log(module, key):
    """Return the log as who logged in with a key sees it; None for who is led to the login."""
    cookie = ""
    if key:
        _, headers, _ = ask(module.page, "POST", "/login", b"key=" + key.encode())
        cookie = headers["Set-Cookie"].partition(";")[0]
    status, _, text = ask(module.page, "GET", "/log", cookie=cookie)
    return None if status == 303 else text


def ask(port, method, path, body=b"", cookie=""):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, {"Cookie": cookie} if cookie else {})
        answered = connection.getresponse()
        return answered.status, answered.headers, answered.read().decode()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def test_a_module_reads_its_meter_through_the_uart_with_wifi_and_without(module, built):
    module.start_meter()
    flash = module.folder / "flash"
    shutil.copytree(built / "start", flash)
    shutil.copytree(built / "stock", flash / "a")
    (flash / "uart").write_text(f"127.0.0.1:{module.meter}")
    air = flash / "air.json"
    air.write_text(json.dumps({"Heim": "right password"}))
    settings = {
        "device_key": DEVICE_KEY, "access_point_key": "label-key-123", "wifi_name": "Heim", "wifi_password": "right password", "name": "house",
        "key": KEY, "ntp": "127.0.0.1", "http_port": module.page,
    }  # fmt: skip
    (flash / "settings.json").write_text(json.dumps(settings))
    program = module.start(
        *interpreter(32), "-X", f"heapsize={HEAP}", flash / "main.py",
        cwd=flash, env={"MICROPYPATH": f"{STANDINS}:.:.frozen"}, stdout=module.stack.enter_context(module.said.open("w")),
    )  # fmt: skip
    before = until(lambda: module.live() if module.live()["present"] else None, "a present value", 180)
    assert 220 < before["present"]["voltage_l1"] < 240
    write(air, "{}")
    told = before["link"]["replies"]
    after = until(lambda: module.live() if module.live()["link"]["replies"] > told + 3 else None, "more replies", 180)
    assert after["link"]["state"] == "online"
    assert after["registers"]["active_energy_import"] >= before["registers"].get("active_energy_import", 0)
    until(lambda: log(module, None) is None, "the login", 180)
    lines = until(lambda: [line for line in [log(module, DEVICE_KEY)] if "Wi-Fi is gone" in line], "the log", 180)[0]
    assert "Wi-Fi is there" in lines
    for secret in (KEY, "right password", DEVICE_KEY, "label-key-123"):
        assert secret not in lines
    assert program.poll() is None
    said = module.said.read_text()
    assert said.startswith("name house\n")
    assert "starts again" not in said
    assert "point open" not in said
