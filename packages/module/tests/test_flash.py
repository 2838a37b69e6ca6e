"""Flashing, with stand-ins for esptool and mpremote that note what they were told and fail as the real ones do."""

import hashlib
import json
import os
import re
import shlex
import stat
import sys

import pytest

from nesmodule_build import flash
from nesmodule_build.label import Credentials, label_svg, label_text, new_credentials

IMAGE = "ESP32_GENERIC-OTA-20250911-v1.26.1.bin"
METER_KEY = "SIMULATED-METER-DEMO"
STAND_IN = """#!{python}
import json, pathlib, shutil, sys
folder = pathlib.Path({folder!r})
words = [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
with (folder / "told").open("a") as file:
    file.write(json.dumps(words) + "\\n")
for rule in json.loads((folder / "fails").read_text()):
    if rule["word"] in words and rule["times"] > 0:
        rules = json.loads((folder / "fails").read_text())
        for one in rules:
            one["times"] -= one["word"] == rule["word"]
        (folder / "fails").write_text(json.dumps(rules))
        print(rule["says"])
        sys.exit(rule["code"])
if "flash-id" in words:
    print((folder / "chip").read_text())
if "cp" in words:
    for source in words[words.index("-r") + 1 : -1]:
        source, target = pathlib.Path(source), folder / "board" / pathlib.Path(source).name
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
if "exec" in words:
    import os
    os.chdir(folder / "board")
    exec(words[-1], {{}})
"""
CHIP = """esptool v5.6.0
Connected to ESP32 on /dev/ttyUSB7:
Chip type:          ESP32-D0WD-V3 (revision v3.1)
Features:           Wi-Fi, BT, Dual Core + LP Core, 240MHz
Detected flash size: 4MB
"""


class Bench:
    def __init__(self, folder):
        self.folder = folder
        for name, text in (("chip", CHIP), ("fails", "[]"), ("told", ""), ("key", METER_KEY + "\n")):
            (folder / name).write_text(text)
        for name in ("bin", "board", "labels"):
            (folder / name).mkdir()
        for name in ("esptool", "mpremote"):
            path = folder / "bin" / name
            path.write_text(STAND_IN.format(python=sys.executable, folder=str(folder)))
            path.chmod(0o755)
        self.image = folder / IMAGE
        self.image.write_bytes(b"\xe9 firmware")
        self.sum = hashlib.sha256(self.image.read_bytes()).hexdigest()
        self.build = folder / "build"
        for name in ("start/main.py", "start/begin.mpy", "start/nesmodule/board/settings.mpy"):
            (self.build / name).parent.mkdir(parents=True, exist_ok=True)
            (self.build / name).write_text(name)
        (self.build / "stock").mkdir()
        (self.build / "stock" / "program.mpy").write_bytes(b"program")
        digest = hashlib.sha256(b"program").hexdigest()
        (self.build / "stock" / "files.txt").write_text(f"number 1\n{digest} 7 program.mpy\n")

    def fails(self, word, says, *, times=9, code=2):
        (self.folder / "fails").write_text(json.dumps([{"word": word, "says": says, "times": times, "code": code}]))

    def flash(self, *more, answer="ERASE", board="dabblerdk"):
        self.asked = []
        words = ("--port", "/dev/ttyUSB7", "--image", self.image, "--board", board, "--build", self.build)
        words = (*words, "--labels", self.folder / "labels", "--sha256", self.sum, *more)
        return flash.main([str(word) for word in words], lambda text: self.asked.append(text) or answer)

    @property
    def told(self):
        return [json.loads(line) for line in (self.folder / "told").read_text().splitlines()]


@pytest.fixture
def bench(tmp_path, monkeypatch):
    bench = Bench(tmp_path)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return bench


def test_a_board_gets_firmware_program_settings_and_a_label_of_its_own(bench, capsys):
    assert bench.flash("--key-file", bench.folder / "key", "--wifi-name", "home") == 0
    steps = [
        (
            words[0],
            next(word for word in words if word in {"flash-id", "erase-flash", "write-flash", "cp", "exec", "reset"}),
        )
        for words in bench.told
    ]
    assert steps == [
        ("esptool", "flash-id"), ("esptool", "erase-flash"), ("esptool", "write-flash"), ("mpremote", "cp"), ("mpremote", "exec"), ("mpremote", "reset"),
    ]  # fmt: skip
    assert bench.told[2][-3:] == ["write-flash", "0x1000", str(bench.image)]
    # What starts the program is copied last.
    assert bench.told[3][-2:][0].endswith("/main.py")
    assert (bench.folder / "board/a/program.mpy").read_bytes() == b"program"
    settings = json.loads((bench.folder / "board/settings.json").read_text())
    (text,) = (bench.folder / "labels").glob("*.txt")
    label = dict(re.split(r" {2,}", line, maxsplit=1) for line in text.read_text().splitlines()[1:])
    assert settings == {
        "name": text.stem, "board": "dabblerdk", "http_port": 80, "device_key": label["Key"], "access_point_key": label["Wi-Fi"],
        "key": METER_KEY, "wifi_name": "home",
    }  # fmt: skip
    for path in (bench.folder / "labels").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # No secret was in a command line, where every user of the computer can see it.
    told = (bench.folder / "told").read_text()
    for secret in (METER_KEY, *label.values()):
        assert secret not in told
    said = capsys.readouterr().out
    assert METER_KEY not in said
    assert "All of its flash is erased" in said
    assert "takes no updates" in said


def test_nothing_is_erased_without_the_word(bench, capsys):
    assert bench.flash(answer="yes") == 1
    assert [words[-1] for words in bench.told] == ["flash-id"]
    assert not list((bench.folder / "labels").iterdir())
    assert "nothing was changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("word", "says", "hint", "last"),
    [
        (
            "flash-id",
            "A fatal error occurred: Failed to connect to ESP32: No serial data received.",
            "download mode",
            "flash-id",
        ),
        (
            "erase-flash",
            "A fatal error occurred: The chip stopped responding.",
            "start this command anew",
            "erase-flash",
        ),
        ("write-flash", "A serial exception error occurred: device disconnected", "half of one", "write-flash"),
        ("cp", "mpremote: no device found", "not the whole program", ":"),
        ("reset", "mpremote: failed to access /dev/ttyUSB7", "Take its power away", "reset"),
    ],
)
def test_a_step_that_fails_ends_it_and_says_what_the_board_has_now(bench, capsys, word, says, hint, last):
    bench.fails(word, says)
    assert bench.flash() == 1
    said = capsys.readouterr().err
    assert says in said
    assert hint in said
    assert last in bench.told[-1]


def test_a_board_that_is_not_ready_yet_is_asked_again(bench):
    bench.fails("cp", "mpremote: could not enter raw repl", times=2, code=1)
    assert bench.flash() == 0
    assert sum("cp" in words for words in bench.told) == 3


def test_what_is_not_on_flash_as_it_was_written_is_told(bench, capsys):
    (bench.build / "stock/program.mpy").write_bytes(b"prOgram")
    assert bench.flash() == 1
    assert "worn out" in capsys.readouterr().err
    assert not any("reset" in words for words in bench.told)


@pytest.mark.parametrize(
    ("chip", "board", "why"),
    [
        (CHIP.replace("ESP32-D0WD-V3 (revision v3.1)", "ESP32-S3 (QFN56)"), "dabblerdk", "is an ESP32-S3"),
        (CHIP, "ustepper", "has an esp32c3"),
        (CHIP.replace("240MHz", "240MHz, Embedded PSRAM"), "dabblerdk", "PSRAM"),
        ("esptool.py v4.8\nChip is ESP32-D0WD-V3\n", "dabblerdk", "version 5"),
    ],
)
def test_another_chip_than_the_boards_is_left_alone(bench, capsys, chip, board, why):
    (bench.folder / "chip").write_text(chip)
    if board == "ustepper":
        bench.image = bench.image.rename(bench.folder / "ESP32_GENERIC_C3-20250911-v1.26.1.bin")
    assert bench.flash(board=board) == 1
    assert why in capsys.readouterr().err
    assert len(bench.told) == 1
    assert bench.asked == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ESP32_GENERIC-20250911-v1.26.1.bin", "not the firmware for this chip"),
        ("ESP32_GENERIC-OTA-20240602-v1.23.0.bin", "too old"),
        ("ESP32_GENERIC-OTA-20250911-v1.26.1.app-bin", "not the firmware for this chip"),
        ("gone", "is not there"),
    ],
)
def test_another_image_is_refused_before_the_board_is_touched(bench, capsys, name, why):
    bench.image = bench.folder / name if name == "gone" else bench.image.rename(bench.folder / name)
    assert bench.flash() == 1
    said = capsys.readouterr().err
    assert why in said
    assert "https://micropython.org/download/ESP32_GENERIC/" in said
    assert bench.told == []


def test_an_image_whose_checksum_nobody_knows_or_is_another_is_refused(bench, capsys):
    real, bench.sum = bench.sum, ""
    assert bench.flash() == 1
    assert f"--sha256 {real}" in capsys.readouterr().err
    bench.sum = "0" * 64
    assert bench.flash() == 1
    assert "damaged or another file" in capsys.readouterr().err
    assert bench.told == []


def test_a_key_that_the_module_could_not_read_is_refused_without_showing_it(bench, capsys):
    (bench.folder / "key").write_text("SIMULATED-METER")
    assert bench.flash("--key-file", bench.folder / "key") == 1
    said = capsys.readouterr().err
    assert "20 (or 16) characters" in said
    assert "SIMULATED" not in said


def test_a_dry_run_shows_the_commands_and_does_nothing(bench, capsys, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert bench.flash("--dry-run") == 0
    said = capsys.readouterr().out
    assert [shlex.split(line)[:4] for line in said.splitlines()[:3]] == [
        ["esptool", "--port", "/dev/ttyUSB7", word] for word in ("flash-id", "erase-flash", "write-flash")
    ]
    assert bench.told == bench.asked == []
    assert not list((bench.folder / "labels").iterdir())


def test_missing_tools_are_named_with_how_to_get_them(bench, capsys, monkeypatch):
    (bench.folder / "bin/mpremote").unlink()
    monkeypatch.setenv("PATH", str(bench.folder / "bin"))
    assert bench.flash() == 1
    assert "pipx install esptool && pipx install mpremote" in capsys.readouterr().err


def test_a_port_is_found_where_there_is_one_only(bench, capsys, monkeypatch):
    monkeypatch.setattr(flash, "_DEVICES", bench.folder)
    words = [
        str(word)
        for word in (
            "--image",
            bench.image,
            "--board",
            "dabblerdk",
            "--build",
            bench.build,
            "--sha256",
            bench.sum,
            "--dry-run",
        )
    ]
    assert flash.main(words) == 1
    assert "no serial port" in capsys.readouterr().err
    (bench.folder / "ttyUSB0").touch()
    assert flash.main(words) == 0
    assert f"--port {bench.folder / 'ttyUSB0'}" in capsys.readouterr().out
    (bench.folder / "ttyUSB1").touch()
    assert flash.main(words) == 1
    assert "more than one" in capsys.readouterr().err


def test_every_module_has_credentials_of_its_own_and_the_label_shows_all_of_them():
    many = [new_credentials() for _ in range(50)]
    secrets = {secret for one in many for secret in (one.device_key, one.access_point_key, one.tap_token)}
    assert len(secrets) == 150
    for one in many:
        assert 8 <= len(one.access_point_key) <= 63
        assert 16 <= len(one.tap_token) <= 64
        for secret in (one.device_key, one.access_point_key, one.tap_token):
            assert re.fullmatch(r"[a-km-np-z2-9]{4}(-[a-km-np-z2-9]{4}){3,4}", secret)
            assert secret in label_text(one)
            assert secret in label_svg(one)
            assert secret not in repr(one)
    assert "&lt;" in label_svg(Credentials("<", "a", "b", "c"))


def test_every_board_has_a_firmware():
    known = flash.tomllib.loads((flash._MODULE / "firmware.toml").read_text())
    for path in (flash._MODULE / "boards").glob("*.toml"):
        assert known[flash.tomllib.loads(path.read_text())["chip"]].keys() == {"page", "names", "offset"}
    assert all(re.fullmatch(r"[0-9a-f]{64}", value) for value in known["sha256"].values())
