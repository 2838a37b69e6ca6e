"""The pages about the command tell the truth: options, commands in examples, keys of JSON documents."""

import importlib.util
import json
import re
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from osgp.cli import app

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "osgp-command.md").read_text(encoding="utf-8")
COMMANDS = get_command(app).commands  # type: ignore[attr-defined]
EXAMPLES = [
    line.split("#")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("osgp ")
]
KEYS = dict(re.findall(r"^\| `osgp ([a-z-]+)[^`]*` \| (.+) \|$", PAGE, re.MULTILINE))


def test_reference_is_up_to_date():
    spec = importlib.util.spec_from_file_location("command_reference", ROOT / "tools" / "generate_reference.py")
    generator = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generator)
    committed = (ROOT / "docs" / "reference" / "osgp-command.md").read_text(encoding="utf-8")
    assert committed == generator.command_page(), "run `make reference`"
    assert all(f"\n## osgp {name}\n" in committed for name in COMMANDS)


@pytest.mark.parametrize("line", EXAMPLES)
def test_every_example_is_a_command_with_options_it_has(line):
    words = shlex.split(line.split("|")[0].split(">")[0])
    known = {option for parameter in COMMANDS[words[1]].params for option in parameter.opts}
    assert {word for word in words[2:] if word.startswith("-") and word != "-"} <= known


def test_every_command_has_an_example():
    assert {line.split()[1] for line in EXAMPLES} == set(COMMANDS)


def test_every_picture_is_there():
    for picture in re.findall(r"\]\((images/[^)]+)\)", PAGE):
        assert (ROOT / "docs" / picture).is_file()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("ports", []),
        ("probe", ["tcp://denmark"]),
        ("login-test", ["-p", "tcp://denmark"]),
        ("read", ["-p", "tcp://denmark"]),
        ("tariffs", ["-p", "tcp://denmark"]),
        ("watch", ["-p", "tcp://denmark", "--count", "1"]),
        ("events", ["-p", "tcp://denmark"]),
        ("outages", ["-p", "tcp://denmark"]),
        ("selfreads", ["-p", "tcp://denmark"]),
        ("tables", ["-p", "tcp://denmark", "BT52"]),
        ("trace", ["-p", "tcp://denmark", "BT52"]),
        ("dump", ["-p", "tcp://denmark", "a.json"]),
        ("diff", ["one.csv", "two.csv"]),
        ("decode", ["one.csv"]),
        ("write", ["-p", "tcp://denmark", "BT13", "--hex", "00"]),
        ("call", ["EP17"]),
    ],
)
def test_json_has_the_keys_that_are_promised(osgp, denmark, tmp_path, command, words):
    (tmp_path / "one.csv").write_text("52,UTC,7,1a0b16081e0500\n60,G,1,00\n")
    (tmp_path / "two.csv").write_text("52,UTC,7,1a0b16081e0500\n60,G,1,41\n")
    first = osgp(command, "--json", *words).out.split("\n{")[0]
    document = json.loads(first)
    promised = re.findall(r"`([a-z_]+)`", KEYS[command])
    assert [*document] == promised[: len(document)]
    for name, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            assert set(value[0]) <= set(promised), name
