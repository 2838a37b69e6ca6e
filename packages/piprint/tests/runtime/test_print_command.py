"""The command: what goes wrong is a line for people and an exit code, never a traceback; no secret is ever shown."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tomllib
from functools import partial
from pathlib import Path

import pytest

from piprint.cli import main
from piprint.config import load as config_file
from piprint.journal.backup import back_up
from piprint.journal.store import Journal
from piprint.simulate.server import StandIn

VERSION = (Path(__file__).parents[4] / "VERSION").read_text().strip()
SECRET = "Zq8-canary-of-a-secret"


@pytest.fixture
def piprint(monkeypatch, capsys, tmp_path):
    """Run the command; return its exit code, what it says and what it complains about."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPRINT_CONFIG", raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("piprint.config.load.PLACES", ())

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["piprint", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        code = ended.value.code
        return code if isinstance(code, int) else 0, said.out, said.err

    return run


@pytest.fixture
def in_thread(piprint):
    """Run the command while a stand-in lives in this loop: the command brings a loop of its own."""

    async def run(*arguments: str) -> tuple[int, str, str]:
        return await asyncio.to_thread(piprint, *arguments)

    return run


def test_version_and_help(piprint):
    assert piprint("version") == (0, f"piprint {VERSION}\n", "")
    assert piprint("--version") == (0, f"piprint {VERSION}\n", "")
    code, out, _ = piprint("--help")
    assert code == 0
    for command in (
        "init",
        "run",
        "doctor",
        "printers",
        "jobs",
        "test-page",
        "reprint",
        "simulate",
        "demo",
        "report",
        "backup",
        "restore",
    ):
        assert command in out


@pytest.mark.parametrize("command", ["run", "printers", "jobs", "test-page x", "reprint 1", "backup x", "restore x"])
def test_without_a_configuration_it_says_how_to_get_one(piprint, command):
    code, out, err = piprint(*command.split())
    assert (code, out) == (2, "")
    assert "piprint init" in err


def test_doctor_without_a_configuration_says_how_to_get_one(piprint):
    code, out, _ = piprint("doctor")
    assert code == 1
    assert "piprint init" in out
    assert "1 problem;" in out


@pytest.mark.parametrize("command", ["printers", "jobs", "test-page x", "reprint 1", "backup x", "restore x"])
def test_a_mistake_in_the_configuration_is_told_by_line(piprint, tmp_path, command):
    (tmp_path / "p.toml").write_text(f'[business_central]\nenvironment = "x"\ncompani = "{SECRET}"\n')
    name, *rest = command.split()
    code, _, err = piprint(name, "--config", "p.toml", *rest)
    assert code == 2
    assert "p.toml:3: business_central.compani: there is no such setting; did you mean 'company'?" in err
    assert SECRET not in err


def test_a_mistake_of_ours_is_a_line_too(piprint, tmp_path, monkeypatch):
    monkeypatch.setattr("piprint.config.load.find", lambda _: 1 / 0)
    code, _, err = piprint("printers")
    assert code == 1
    assert "a mistake in piprint (ZeroDivisionError). Please report it" in err


def test_run_becomes_the_processor_with_nothing_secret_on_its_command_line(piprint, tmp_path, monkeypatch):
    became = []

    def execve(program, command, environment):
        became.append((program, command, environment))
        raise SystemExit(0)

    monkeypatch.setattr("os.execve", execve)
    (tmp_path / "p.toml").touch()
    assert piprint("run", "-c", "p.toml")[0] == 0
    ((program, command, environment),) = became
    assert program == sys.executable
    assert command[1:] == ["-P", "-m", "piprint.runtime.process", "p.toml"]
    assert environment["MALLOC_ARENA_MAX"] == "1"


@pytest.mark.parametrize(("former", "code"), [("piprint.process", 2), ("piprint.document_process", 0)])
def test_h1_programs_still_start_by_the_name_they_had(tmp_path, former, code):
    (tmp_path / "p.toml").write_text("[busines_central]\n")
    command = [sys.executable, "-P", "-m", former, str(tmp_path / "p.toml")]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    assert ("did you mean" in done.stderr) == bool(code)


# --- init ---------------------------------------------------------------------------------------------------------------


def test_init_takes_all_from_options_and_doctor_is_next(piprint, tmp_path):
    code, out, _ = piprint(
        "init", "--tenant", "contoso.onmicrosoft.com", "--client-id", "1-2-3", "--environment", "sandbox",
        "--secret-file", "/etc/piprint/secret", "--company", "CRONUS",
    )  # fmt: skip
    assert code == 0
    assert "piprint doctor --config piprint.toml" in out
    file = tmp_path / "piprint.toml"
    assert file.stat().st_mode & 0o777 == 0o600
    written = tomllib.loads(file.read_text())["business_central"]
    assert written == {
        "environment": "sandbox",
        "company": "CRONUS",
        "login": {
            "kind": "secret",
            "tenant": "contoso.onmicrosoft.com",
            "client_id": "1-2-3",
            "secret": {"file": "/etc/piprint/secret"},
        },
    }
    code, _, err = piprint("init", "--tenant", "t", "--client-id", "c", "--environment", "e", "--secret-file", "f")
    assert code == 2
    assert "there is a configuration already" in err


def test_init_says_what_is_missing_where_nobody_can_be_asked(piprint, tmp_path):
    code, _, err = piprint("init", "--tenant", "t")
    assert code == 2
    assert "--client-id, --environment or --url, --secret-file" in " ".join(err.split())
    assert not (tmp_path / "piprint.toml").exists()


def test_init_asks_and_keeps_the_secret_off_the_screen(piprint, tmp_path, monkeypatch):
    answers = iter(["y", "production", "contoso.onmicrosoft.com", "1-2-3", SECRET, ""])
    hidden = []

    def prompt(text: str, *, default: str | None = None, hide_input: bool = False, **_: object) -> str:
        answer = next(answers)
        if hide_input:
            hidden.append(text)
        return answer or (default or "")

    monkeypatch.setattr("typer.prompt", prompt)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: next(answers) == "y")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    code, out, _ = piprint("init")
    assert code == 0
    assert SECRET not in out
    assert hidden == ["Client secret (its value)"]
    assert tomllib.loads((tmp_path / "piprint.toml").read_text())["business_central"]["login"]["secret"] == SECRET


# --- with a processor, and without --------------------------------------------------------------------------------------


async def test_commands_ask_the_running_processor(tmp_path, config_text, run_service, ask_page, in_thread, cups):
    async with StandIn() as bc, run_service(config_text(bc, tmp_path, cups=cups.url)) as url:
        await ask_page(url, until=lambda now: now["connection"]["state"] == "connected" and now["printers"])
        file = tmp_path / "piprint.toml"
        file.write_text(file.read_text().replace("127.0.0.1:0", url.removeprefix("http://").rstrip("/")))
        options = ("--config", str(file))
        code, out, _ = await in_thread("printers", *options)
        assert code == 0
        assert next(line for line in out.splitlines() if line.startswith("Office")).split()[1:3] == ["idle", "yes"]
        code, out, _ = await in_thread("test-page", "Office", *options)
        assert (code, out) == (0, "The test page is printed on Office.\n")
        code, _, err = await in_thread("test-page", "Nowhere", *options)
        assert (code, err) == (1, "piprint: this host has no printer Nowhere\n")
        code, _, err = await in_thread("reprint", "99", *options)
        assert (code, err) == (1, "piprint: Business Central has no job 99 any more\n")
        row = next(row.row_no for row in bc.database.tables.printers.values() if row.printer_id == "Office")
        job = bc.people.print(row, b"no PDF at all")
        await ask_page(url, until=lambda now: now["history"])
        code, out, _ = await in_thread("jobs", *options)
        assert code == 0
        assert out.splitlines()[1].split()[:3] == [str(job.row_no), "Office", "error"]
        assert "  Standard Sales - Invoice  " in out
        code, out, _ = await in_thread("reprint", str(job.row_no), *options)
        assert (code, out) == (0, f"Job {job.row_no} is now Queued in Business Central.\n")
        code, out, _ = await in_thread("doctor", "--json", *options)
        assert code == 0
        assert {finding["state"] for finding in json.loads(out)} <= {"ok", "note"}
    code, out, err = await in_thread("jobs", *options)
    assert code == 0
    assert "does not run" in err
    assert str(job.row_no) in out
    assert "  Standard Sales - Invoice  " in out


async def test_without_a_processor_what_is_possible_is_done_directly(tmp_path, config_text, in_thread, cups):
    file = tmp_path / "piprint.toml"
    options = ("--config", str(file))
    async with StandIn() as bc:
        file.write_text(config_text(bc, tmp_path, cups=cups.url, web="127.0.0.1:9"))
        code, out, err = await in_thread("printers", "--json", *options)
        assert code == 0
        assert "Office" in {printer["id"] for printer in json.loads(out)}
        code, out, err = await in_thread("printers", *options)
        assert "Not asked whether Business Central offers them" in err
        assert "Office" in out
        before = len(cups.ledger("Office"))
        code, out, _ = await in_thread("test-page", "Office", *options)
        assert (code, out) == (0, "The test page is printed on Office.\n")
        assert len(cups.ledger("Office")) == before + 1
        code, _, err = await in_thread("test-page", "Nowhere", *options)
        assert code == 1
        assert "it has: " in err
        assert await in_thread("jobs", *options) == (
            0,
            "No jobs yet.\n",
            f"The processor does not run; this is its journal in {tmp_path / 'data'}.\n\n",
        )
        code, _, err = await in_thread("reprint", "99", *options)
        assert (code, err) == (1, "piprint: Business Central has no job 99 (any more)\n")
        printer = bc.database.insert_printer({"host_id": "pi", "printer_id": "Office"})
        job = bc.people.print(printer.row_no, b"%PDF-1.4")
        code, out, _ = await in_thread("reprint", str(job.row_no), *options)
        assert (code, out) == (0, f"Job {job.row_no} is now Queued; it prints when a processor runs.\n")


async def test_a_report_holds_everything_but_secrets(tmp_path, config_text, run_service, ask_page, in_thread, cups):
    async with StandIn() as bc:
        bc.login.accounts = type(bc.login.accounts)(secret=SECRET)
        text = config_text(bc, tmp_path, cups=cups.url) + 'password = "canary-of-the-page"\n'
        async with run_service(text) as url:
            file = tmp_path / "piprint.toml"
            file.write_text(file.read_text().replace("127.0.0.1:0", url.removeprefix("http://").rstrip("/")))
            file.chmod(0o600)
            code, out, _ = await in_thread("report", "--config", str(file))
            assert code == 0
            for part in (
                f"piprint {VERSION}, problem report",
                "Settings",
                "Printers",
                "Business Central",
                "State",
                "Log",
            ):
                assert part in out
            assert "started as pi" in out, "the log"
            assert '"instance"' in out, "the state"
            tokens = list(bc.login._tokens)
            assert tokens
            for secret in (SECRET, "canary-of-the-page", *tokens):
                assert secret not in out
            code, out, _ = await in_thread("report", "--config", str(file), "--out", str(tmp_path / "report.txt"))
            assert "Look it over" in out
            assert SECRET not in (tmp_path / "report.txt").read_text()


def test_a_report_is_written_without_a_configuration(piprint):
    code, out, _ = piprint("report")
    assert code == 0
    assert "there is no configuration" in out


def test_a_report_that_cannot_be_written_is_told(piprint):
    code, _, err = piprint("report", "--out", "nowhere/report.txt")
    assert code == 2
    assert "nowhere/report.txt cannot be written: No such file or directory; name another file" in err


def test_a_wrong_fault_script_or_address_is_told(piprint, tmp_path):
    (tmp_path / "faults.json").write_text('[{"kind": "storm"}]')
    for arguments, words in [
        (("--faults", "faults.json"), "a fault's kind is one of"),
        (("--faults", "none.json"), "none.json"),
        (("--listen", "nowhere"), "an address and a port"),
    ]:
        code, _, err = piprint("simulate", *arguments)
        assert code == 2
        assert words in " ".join(err.split())


def test_the_stand_in_tells_its_address_and_a_configuration_for_it_until_it_is_stopped(tmp_path):
    command = [
        Path(sys.executable).with_name("piprint"),
        "simulate",
        "--listen",
        "127.0.0.1:0",
        "--tls",
        "--language",
        "da",
    ]
    # A shell lets programs it starts in the background ignore Ctrl-C, and those theirs (POSIX, 2.11): undone here.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdout=pipe, text=True, preexec_fn=heard) as process:  # noqa: PLW1509 - no threads here
        told = []
        for line in process.stdout:
            told.append(line)
            if "Ctrl-C" in line:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
    page = re.match(r"Business Central's stand-in is at (https://127\.0\.0\.1:[1-9]\d*)/", told[0])
    settings = tomllib.loads("".join(told[told.index("  [business_central]\n") : -1]))["business_central"]
    assert settings["url"].startswith(page[1])
    assert settings["login"]["token_url"].startswith(page[1])
    assert settings["ca_file"].endswith(".pem")
    assert (rest, process.returncode) == ("stopped\n", 0)


def test_a_stand_in_whose_port_is_taken_says_what_to_do(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        command = [Path(sys.executable).with_name("piprint"), "simulate", "--listen", address]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert f"cannot listen on {address}: Address already in use; give another --listen" in done.stderr


# --- backup and restore -------------------------------------------------------------------------------------------------


def test_s9_backup_and_restore_say_what_is_in_it_and_what_comes_next(piprint, tmp_path):
    (tmp_path / "piprint.toml").write_text(
        f"data_dir = '{tmp_path / 'data'}'\n[business_central]\nenvironment = 'x'\n[business_central.login]\n"
        f"kind = 'secret'\ntenant = 't'\nclient_id = 'c'\nsecret = '{SECRET}'\n"
    )
    options = ("--config", "piprint.toml")
    code, _, err = piprint("backup", "saved", *options)
    assert code == 3
    assert "there is no journal" in err
    journal = asyncio.run(Journal.open(tmp_path / "data", durable=False))
    code, out, _ = piprint("backup", "saved", *options)
    assert code == 0
    assert "saved: 0." in out
    assert "jobs in work and their documents are not" in out
    code, _, err = piprint("restore", "saved", *options)
    assert code == 3
    assert "another piprint (process" in err
    asyncio.run(journal.close())
    code, out, _ = piprint("restore", "saved", *options)
    assert code == 0
    assert "kept as" in out
    assert "not printed again" in out
    code, _, err = piprint("restore", "nothing", *options)
    assert (code, "there is no file nothing" in err) == (3, True)


SHIPPED = Path(__file__).parents[4] / "deploy" / "piprint"


@pytest.fixture
def service_folder(tmp_path, monkeypatch):
    """Root at a shell, on a host where the unit and the configuration are installed as they are shipped."""
    folder = tmp_path / "var" / "lib" / "private" / "piprint"
    unit = tmp_path / "piprint.service"
    unit.write_text((SHIPPED / "piprint.service").read_text())
    shipped = (SHIPPED / "piprint.toml").read_text()
    assert "127.0.0.1:8632" in shipped
    # Another piprint may run on this host, where its page always is.
    (tmp_path / "piprint.toml").write_text(shipped.replace("127.0.0.1:8632", "127.0.0.1:9"))
    (tmp_path / "client-secret").write_text(SECRET)
    monkeypatch.setattr(config_file, "SERVICE_DIRS", (tmp_path / "var" / "lib" / "piprint", folder))
    monkeypatch.setattr(config_file, "SERVICE_UNITS", (unit,))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", lambda *_: None)
    for name in ("STATE_DIRECTORY", "CREDENTIALS_DIRECTORY", "PIPRINT_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return folder


@pytest.mark.parametrize("link", [True, False], ids=["as systemd links it", "without the link"])
def test_s9_sudo_backup_and_restore_mean_the_journal_of_the_installed_service(piprint, tmp_path, service_folder, link):
    service_folder.mkdir(mode=0o700, parents=True)
    if link:
        (tmp_path / "var" / "lib" / "piprint").symlink_to("private/piprint")
    named = str(tmp_path / "var" / "lib" / "piprint") if link else str(service_folder)
    options = ("--config", "piprint.toml")
    journal = asyncio.run(Journal.open(service_folder, durable=False))
    code, out, err = piprint("backup", "saved", *options)
    assert (code, err) == (0, "")
    assert f"the journal of {named}" in out
    code, _, err = piprint("restore", "saved", *options)
    assert code == 3, "the service runs"
    assert "nothing was changed. Stop it first (sudo systemctl stop piprint)" in err
    assert "jobs" in piprint("jobs", *options, "--json")[1]
    asyncio.run(journal.close())
    before = journal.instance
    code, out, _ = piprint("restore", "saved", *options)
    assert code == 0
    assert f"The journal in {named} is saved now." in out
    again = asyncio.run(Journal.open(service_folder, durable=False))
    assert again.instance != before, "it is the restored one"
    asyncio.run(again.close())
    assert f"this is its journal in {named}" in piprint("jobs", *options)[2]
    assert not (tmp_path / "home").exists()


def test_s9_restored_on_a_new_host_before_the_service_ran(piprint, tmp_path, service_folder):
    """systemd takes /var/lib/piprint over as the state directory when it starts the service."""
    journal = asyncio.run(Journal.open(tmp_path / "old", durable=False))
    asyncio.run(journal.close())
    back_up(tmp_path / "old", tmp_path / "saved")
    code, _, _ = piprint("restore", "saved", "--config", "piprint.toml")
    assert code == 0
    assert (tmp_path / "var" / "lib" / "piprint" / "journal.sqlite").exists()


def test_s9_restore_says_where_it_is_printed_again_all_the_same(piprint, tmp_path):
    text = (
        f"data_dir = '{tmp_path / 'data'}'\n[business_central]\nenvironment = 'x'\n[business_central.login]\n"
        f"kind = 'secret'\ntenant = 't'\nclient_id = 'c'\nsecret = '{SECRET}'\n"
    )
    (tmp_path / "piprint.toml").write_text(text)
    asyncio.run(asyncio.run(Journal.open(tmp_path / "data", durable=False)).close())
    piprint("backup", "saved", "--config", "piprint.toml")
    assert piprint("restore", "saved", "--config", "piprint.toml")[1].endswith("not printed again, but reported so.\n")
    labels = "[[printers]]\nid = 'Labels'\nuri = 'socket://10.0.0.9:9100'\nuncertain = 'reprint'\n"
    (tmp_path / "piprint.toml").write_text(text + labels)
    out = piprint("restore", "saved", "--config", "piprint.toml")[1]
    assert 'but for the printers with uncertain = "reprint" (Labels): there it is printed, and told.' in out
