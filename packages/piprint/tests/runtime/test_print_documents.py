"""The guide and the generated pages say what the program does: every example parses, every page is up to date."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from piprint.cli import app
from piprint.config.load import parse
from piprint.config.settings import Config

ROOT = Path(__file__).resolve().parents[4]
GUIDE = ROOT / "docs" / "printing.md"
DEPLOY = ROOT / "deploy" / "piprint"
LOGIN = '[business_central]\nenvironment = "x"\n[business_central.login]\nkind = "secret"\ntenant = "t"\nclient_id = "c"\nsecret = "s"\n'


def _tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def _credentials(tmp_path, monkeypatch):
    for name in ("client-secret", "web-password"):
        (tmp_path / name).write_text("secret")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))


EXAMPLES = re.findall(r"```toml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_of_the_guide_is_a_good_configuration(number):
    example = EXAMPLES[number]
    # Settings of the first level stand before the first section, so an example that has some goes first.
    text = example if "[business_central" in example else f"{example}\n{LOGIN}"
    parse(text, GUIDE)


def test_there_are_examples():
    assert len(EXAMPLES) >= 8


@pytest.mark.parametrize("name", ["piprint.toml", "container.toml"])
def test_the_example_files_are_good_configurations(name):
    parse((DEPLOY / name).read_text(encoding="utf-8"), DEPLOY / name)


@pytest.mark.parametrize("tool", ["generate_print_settings", "generate_print_command"])
def test_the_generated_pages_are_up_to_date(tool):
    assert _tool(tool).main(["--check"]) == 0, "run `make reference`"


def test_every_setting_says_what_it_means():
    settings = _tool("generate_print_settings")
    for model in settings.SECTIONS.values():
        for name, info in model.model_fields.items():
            assert info.description or name == "kind", f"{model.__name__}.{name}"
    sections = set(settings.SECTIONS.values())
    reached = {found for info in Config.model_fields.values() for found in settings._models(info.annotation)}
    assert reached <= sections


def test_every_command_and_every_option_explains_itself():
    for name, command in get_command(app).commands.items():
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name} {parameter.name}"


def test_the_guide_mentions_every_command_people_need_and_no_other():
    known = set(get_command(app).commands)
    named = set(re.findall(r"piprint ([a-z][a-z-]+)", re.sub(r"```toml.*?```", "", GUIDE.read_text(), flags=re.DOTALL)))
    assert {"doctor", "printers", "jobs", "test-page", "reprint", "report", "init"} <= named
    commands = set(re.findall(r"(?m)^(?:sudo )?piprint ([a-z][a-z-]+)", GUIDE.read_text()))
    assert commands <= known


def test_every_picture_and_page_the_guide_names_is_there():
    for target in re.findall(r"\]\((?!http|#)([^)#]+)", GUIDE.read_text(encoding="utf-8")):
        assert (GUIDE.parent / target).exists(), target


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_finds_nothing_wrong_with_the_service(tmp_path):
    program = tmp_path / "piprint"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / "piprint.service"
    unit.write_text((DEPLOY / "piprint.service").read_text().replace("/opt/piprint/bin/piprint", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    complaints = [line for line in done.stderr.splitlines() if "piprint.service" in line]
    assert (done.returncode, complaints) == (0, [])


def test_the_service_is_told_not_to_start_again_what_a_start_cannot_mend():
    unit = (DEPLOY / "piprint.service").read_text()
    assert "RestartPreventExitStatus=2 3\n" in unit
    assert re.search(r"WatchdogSec=\d+\n", unit)
    seconds = int(re.findall(r"TimeoutStopSec=(\d+)", unit)[0])
    assert seconds > 20, "the processor gets 20 s to end in good order"


def test_the_starter_files_keep_no_secret_of_their_own():
    for file in DEPLOY.glob("*.toml"):
        login = tomllib.loads(file.read_text())["business_central"]["login"]
        assert isinstance(login["secret"], dict)
