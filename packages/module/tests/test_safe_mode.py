"""From a program that fails to safe mode, and by a signed package to one that works: as files in a folder, on a 32-bit MicroPython."""

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pytest
from micropythons import interpreter
from signing import listed, pem

from free_ports import free_port
from nesmodule_build.sign import modulus_of, package_of, rsa_signer

FAILS = b"def main(confirm, ask_for_safe_mode):\n    print('fails')\n    raise ValueError\n"
WORKS = b"def main(confirm, ask_for_safe_mode):\n    confirm()\n    print('works')\n"
PASSWORD = "device-kéy 7!"


class Module:
    def __init__(self, folder, start):
        self.flash, self.folder = folder / "flash", folder
        shutil.copytree(start, self.flash)
        (self.flash / "main.py").unlink()
        self.key = pem()
        (self.flash / "update_key").write_bytes(modulus_of(self.key))
        (self.flash / "settings.json").write_text(
            json.dumps({"device_key": PASSWORD, "line": "-", "key": "SIMULATED-METER-DEMO"})
        )
        self.write(self.flash / "a", FAILS, 7)
        self.port = free_port()
        self.safe = None

    def write(self, slot, program, number):
        slot.mkdir()
        (slot / "program.py").write_bytes(program)
        (slot / "files.txt").write_bytes(listed({"program.py": program}, number))

    def start(self):
        """Start once; return what the program said, or ``safe`` when safe mode answers."""
        script = Path(__file__).parent / "on_module" / "start_flash.py"
        words = [*interpreter(32), "-X", "heapsize=70k", str(script), str(self.port)]
        with (self.folder / "said").open("w") as said:
            process = subprocess.Popen(
                words, cwd=self.flash, env={"MICROPYPATH": ".:.frozen"}, stdout=said, stderr=subprocess.DEVNULL
            )
        while process.poll() is None:
            try:
                self.page()
            except OSError:
                time.sleep(0.05)
            else:
                self.safe = process
                return "safe"
        return (self.folder / "said").read_text().split("\n")[0]

    def page(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as answer:
            return answer.read().decode()

    def send(self, path, data=b"", password=PASSWORD):
        headers = {"X-Key": urllib.parse.quote(password, safe="!")} if password else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def package(self, number, key=None):
        slot = self.folder / f"package{number}{key is None}"
        self.write(slot, WORKS, number)
        return package_of(slot, rsa_signer(key or self.key))


@pytest.fixture
def module(tmp_path, built):
    module = Module(tmp_path, built / "start")
    yield module
    if module.safe is not None:
        module.safe.kill()
        module.safe.wait()


def test_three_bad_starts_lead_to_safe_mode_and_a_signed_package_out_of_it(module):
    assert [module.start() for _ in range(4)] == ["fails", "fails", "fails", "safe"]
    page = module.page()
    assert "started three times" in page
    assert "SIMULATED" not in page
    assert PASSWORD not in page
    code, said = module.send("/update", module.package(8, pem()))
    assert (code, "not signed" in said) == (409, True)
    code, said = module.send("/update", module.package(8))
    assert (code, "starts the new program" in said) == (200, True)
    assert module.safe.wait(60) == 0
    assert [module.start() for _ in range(5)] == ["works"] * 5


def test_nobody_without_the_password_sends_a_program_and_guesses_are_few(module):
    for _ in range(4):
        module.start()
    package = module.package(8)
    for password in ("", "wrong", PASSWORD[:-1], PASSWORD + "x", "\t"):
        code, said = module.send("/update", package, password)
        assert (code, "not the key" in said) == (403, True)
    assert module.send("/update", package)[0] == 429
    assert module.send("/start", b"")[0] == 429
    assert "Safe mode" in module.page()
    assert not (module.flash / "b").exists()


def test_the_program_that_is_there_is_started_when_somebody_says_so(module):
    for _ in range(4):
        module.start()
    assert module.send("/nothing")[0] == 404
    assert module.send("/start")[0] == 200
    assert module.safe.wait(60) == 0
    assert module.start() == "fails"
