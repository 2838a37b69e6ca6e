"""What is written for people is true: examples parse, the settings page is current, deploy files hold together."""

import configparser
import importlib.util
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from nes2mqtt.cli import app
from nes2mqtt.config.settings import parse
from nes2mqtt.host.secret import Secret
from nes2mqtt.setup.answers import read_answers
from nes2mqtt.setup.steps import STEPS, problems

ROOT = Path(__file__).resolve().parents[4]
METER = '\n[meters.example]\nport = "tcp://h:1"\nkey = "ABCDEFGHIJKLMNOPQRST"\n'
OF_OTHERS = {"printing.md", "print-matrix.md", "piprint", "osgp-command.md"}
"""Pages and folders of the other programs: what stands there is no configuration of the gateway."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "packages").glob("*/README.md"))]


def examples():
    for page in PAGES:
        if OF_OTHERS & {*page.relative_to(ROOT).parts}:
            continue
        text = page.read_text() if page.exists() else ""
        for match in re.finditer(r"^```toml\n(.*?)^```", text, re.DOTALL | re.MULTILINE):
            line = text.count("\n", 0, match.start()) + 2
            yield pytest.param(match[1], id=f"{page.relative_to(ROOT)}:{line}")
    for file in sorted((ROOT / "deploy").rglob("*.toml")):
        if OF_OTHERS & {*file.relative_to(ROOT).parts}:
            continue
        yield pytest.param(file.read_text(), id=str(file.relative_to(ROOT)))


@pytest.mark.parametrize("text", [*examples()])
def test_every_example_is_a_configuration(text, monkeypatch, tmp_path):
    """Places of secrets in examples do not exist here; a key is taken to be in each."""
    secret = Secret("ABCDEFGHIJKLMNOPQRST", "an example", inline=False)
    monkeypatch.setattr(Secret, "_from_file", lambda *_: secret)
    monkeypatch.setattr(Secret, "_from_env", lambda *_: secret)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials")
    if "test_meter" in text:  # answers for the first run
        file = tmp_path / "answers.toml"
        file.write_text(text)
        answers, _ = read_answers(file)
        assert not [said for step in STEPS[:-1] for said in problems(step, answers[step.name])]
        return
    parse(text if "[meters." in text else text + METER, Path("example.toml"))


def load_tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_settings_page_is_what_the_models_say():
    assert load_tool("generate_settings").main(["--check"]) == 0, "run `make reference`"


def test_every_setting_has_a_meaning():
    tool = load_tool("generate_settings")
    for title, model in tool.SECTIONS.items():
        meanings = tool.descriptions(model)
        for _, name, _ in tool.settings(model):
            assert meanings.get(name), f"{title} {name}"


def test_every_command_is_in_the_readme():
    text = (ROOT / "packages" / "nes2mqtt" / "README.md").read_text()
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        assert f"`nes2mqtt {name}" in text, name


@pytest.fixture
def unit():
    parser = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[assignment]
    parser.read(ROOT / "deploy" / "systemd" / "nes2mqtt.service")
    return parser["Service"]


def test_the_unit_hands_over_every_credential_its_configuration_names():
    unit_text = (ROOT / "deploy" / "systemd" / "nes2mqtt.service").read_text()
    config = (ROOT / "deploy" / "nes2mqtt.toml").read_text()
    named = set(re.findall(r'credential = "([^"]+)"', config))
    given = set(re.findall(r"^LoadCredential=([^:]+):", unit_text, re.MULTILINE))
    assert named == given != set()


def test_the_unit_fits_the_program(unit):
    assert unit["Type"] == "notify"
    assert unit["RestartPreventExitStatus"] == "2", "the exit code of a wrong configuration"
    assert unit["ExecStart"].endswith("run --config /etc/nes2mqtt/nes2mqtt.toml")
    assert unit["StateDirectory"] == "nes2mqtt"


def test_systemd_accepts_the_unit(tmp_path):
    text = (ROOT / "deploy" / "systemd" / "nes2mqtt.service").read_text()
    program = tmp_path / "nes2mqtt"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    file = tmp_path / "nes2mqtt.service"
    file.write_text(text.replace("/opt/nes2mqtt/bin/nes2mqtt", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, check=False)
    complaints = [line for line in done.stderr.splitlines() if "nes2mqtt.service:" in line]
    assert complaints == []


def test_the_container_gets_what_its_configuration_names():
    compose = yaml.safe_load((ROOT / "deploy" / "docker" / "compose.yaml").read_text())
    service = compose["services"]["nes2mqtt"]
    config = (ROOT / "deploy" / "docker" / "nes2mqtt.toml").read_text()
    named = set(re.findall(r'credential = "([^"]+)"', config))
    assert named == set(service["secrets"]) == set(compose["secrets"])
    (device,) = service["devices"]
    assert f'port = "serial://{device.partition(":")[2]}"' in config
    assert service["environment"]["CREDENTIALS_DIRECTORY"] == "/run/secrets"
    dockerfile = (ROOT / "deploy" / "docker" / "Dockerfile").read_text()
    assert "USER nes2mqtt" in dockerfile
    for path in re.findall(r"^COPY (?!--from)(\S+)", dockerfile, re.MULTILINE):
        assert (ROOT / path).exists(), path


def test_udev_rules_name_chips_once_and_jump_to_their_end():
    text = (ROOT / "deploy" / "udev" / "60-nes2mqtt.rules").read_text()
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    chips = re.findall(r'idVendor}=="([0-9a-f]{4})", ATTRS{idProduct}=="([0-9a-f]{4})"', text)
    assert len(chips) == len(set(chips)) == len(rules) - 3
    assert set(re.findall(r'GOTO="(\w+)"', text)) == set(re.findall(r'LABEL="(\w+)"', text))


def test_fuzz_target_runs_on_its_own_seeds():
    spec = importlib.util.spec_from_file_location("fuzz_config", ROOT / "fuzz" / "fuzz_config.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for seed in (
        b"",
        b"\x00[",
        b"\x80\x00\x01\x02",
        b"\x80" + bytes(range(256)),
        b"\x01x = 1\xff\xfe",
        bytes(range(255)),
    ):
        module.check(seed)
