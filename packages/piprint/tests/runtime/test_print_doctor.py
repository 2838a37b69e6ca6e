"""``piprint doctor``: for every thing that can be wrong, the right step says so, with what to do, and no other step does."""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from piprint.bc.job import Claim
from piprint.clock import utc_now
from piprint.config.load import parse
from piprint.contract import JobState
from piprint.doctor import business_central as examined
from piprint.doctor.business_central import business_central
from piprint.doctor.finding import Finding, State, lines, summary
from piprint.doctor.host import configuration, host
from piprint.simulate.login import Accounts
from piprint.simulate.server import StandIn

SECRET = "Zq8-canary-of-a-secret"
ACCOUNTS = Accounts(secret=SECRET)


async def _examine(text: str, folder: Path) -> dict[str, Finding]:
    config = parse(text, Path("p.toml"))
    found = {finding.name: finding async for finding in business_central(config, folder / "data")}
    for finding in found.values():
        assert SECRET not in finding.told + finding.fix
    return found


def _only_problem(found: dict[str, Finding]) -> Finding:
    """Return the one problem; before it all is well, after it all is skipped."""
    states = [finding.state for finding in found.values()]
    assert states.count(State.PROBLEM) == 1, found
    at = states.index(State.PROBLEM)
    assert set(states[:at]) <= {State.OK, State.NOTE}
    assert set(states[at + 1 :]) <= {State.SKIPPED}
    (problem,) = (finding for finding in found.values() if finding.state is State.PROBLEM)
    assert problem.fix
    return problem


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
async def test_all_is_well_with_either_extension(tmp_path, extension, config_text):
    async with StandIn(extension=extension, accounts=ACCOUNTS) as bc:
        found = await _examine(config_text(bc, tmp_path), tmp_path)
    assert {finding.state for finding in found.values()} == {State.OK}
    assert list(found) == ["network", "clock", "login", "environment", "company and extension", "rights", "alone"]


@pytest.mark.parametrize(
    ("changes", "step", "cause"),
    [
        ({"client_id": "77777777-0000-0000-0000-000000000000"}, "login", "client:"),
        ({"secret": "not the secret"}, "login", "secret:"),
        ({"company": "Nowhere Ltd."}, "company and extension", "has no company 'Nowhere Ltd.'"),
        ({"url": "http://127.0.0.1:9/BC/ODataV4/"}, "network", "no connection"),
        ({"url": "http://no-such-host.invalid/BC/ODataV4/"}, "network", "no-such-host.invalid"),
        ({"token_url": "http://127.0.0.1:9/token"}, "login", "no connection"),
    ],
)
async def test_a_wrong_setting_is_named(tmp_path, changes, step, cause, config_text):
    async with StandIn(accounts=ACCOUNTS) as bc:
        problem = _only_problem(await _examine(config_text(bc, tmp_path, **changes), tmp_path))
    assert problem.name == step
    assert cause in problem.told


async def test_a_wrong_tenant_is_named(tmp_path, config_text):
    async with StandIn(accounts=ACCOUNTS) as bc:
        wrong = bc.token_url.replace(ACCOUNTS.tenant, "99999999-0000-0000-0000-000000000000")
        problem = _only_problem(await _examine(config_text(bc, tmp_path, token_url=wrong), tmp_path))
    assert (problem.name, problem.told[:7]) == ("login", "tenant:")
    assert "Tenant ID" in problem.fix


@pytest.mark.parametrize(
    ("password", "access", "words"),
    [("not the password", "granted", "web service access key"), (SECRET, "no permission set", "Users, that user")],
)
async def test_on_premises_the_fix_is_in_users(tmp_path, password, access, words, config_text):
    accounts = Accounts(username="PRINT", password=SECRET)
    async with StandIn(accounts=accounts) as bc:
        bc.login.access = access
        head, login = config_text(bc, tmp_path).split("[business_central.login]")
        basic = f'[business_central.login]\nkind = "basic"\nusername = "PRINT"\npassword = "{password}"\n'
        problem = _only_problem(await _examine(head + basic + login[login.index("[cups]") :], tmp_path))
    assert words in problem.fix
    assert "Entra" not in problem.fix


async def test_an_expired_secret_is_named(tmp_path, config_text):
    async with StandIn(accounts=Accounts(secret=SECRET, secret_expired=True)) as bc:
        problem = _only_problem(await _examine(config_text(bc, tmp_path), tmp_path))
    assert problem.name == "login"
    assert "expired" in problem.told
    assert "New client secret" in problem.fix


@pytest.mark.parametrize("extension", ["1.0", "2.0"])
@pytest.mark.parametrize(("access", "words"), [("unregistered", "Enabled"), ("no permission set", "PIPrintProcessor")])
async def test_a_missing_row_or_permission_set_is_named(tmp_path, access, words, extension, config_text):
    async with StandIn(accounts=ACCOUNTS, extension=extension) as bc:
        bc.login.access = access
        problem = _only_problem(await _examine(config_text(bc, tmp_path), tmp_path))
    assert words in problem.told + problem.fix
    assert problem.name == "rights"


async def test_a_missing_extension_is_named(tmp_path, config_text):
    async with StandIn(accounts=ACCOUNTS) as bc:
        bc.faults.add("status", path="/BC/api/", status=404, times=0)
        bc.faults.add("status", path="PIPrint", status=404, times=0)
        problem = _only_problem(await _examine(config_text(bc, tmp_path), tmp_path))
    assert problem.name == "company and extension"
    assert "Extension Management" in problem.told + problem.fix


async def test_a_missing_environment_is_named(tmp_path, config_text):
    async def refuse(_: web.Request) -> web.Response:
        return web.json_response(
            {"error": {"code": "NoEnvironment", "message": "Environment does not exist."}}, status=404
        )

    async with StandIn(accounts=ACCOUNTS) as bc:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", refuse)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/BC/ODataV4/"
        problem = _only_problem(await _examine(config_text(bc, tmp_path, url=url), tmp_path))
        await runner.cleanup()
    assert problem.name == "environment"
    assert "admin center" in problem.fix


@pytest.mark.parametrize(("ca", "words"), [(True, ""), (False, "authority this host does not know")])
async def test_tls_is_checked_and_what_is_wrong_is_told(tmp_path, ca, words, config_text):
    async with StandIn(accounts=ACCOUNTS, tls=True) as bc:
        text = config_text(bc, tmp_path)
        if not ca:
            text = text.replace(f"ca_file = '{bc.ca_file}'\n", "")
        found = await _examine(text, tmp_path)
    if ca:
        assert "certificate is good" in found["network"].told
    else:
        assert words in _only_problem(found).told


async def test_a_ca_file_that_is_none_is_told(tmp_path, config_text):
    async with StandIn(accounts=ACCOUNTS) as bc:
        text = config_text(bc, tmp_path).replace("timeout = 5\n", f"timeout = 5\nca_file = '{tmp_path}/none.pem'\n")
        found = await _examine(text, tmp_path)
    assert found["network"].state is State.PROBLEM
    assert "ca_file" in found["network"].told


async def test_a_wrong_clock_is_told(tmp_path, monkeypatch, config_text):
    monkeypatch.setattr(examined, "utc_now", lambda: utc_now() + timedelta(minutes=7))
    async with StandIn(accounts=ACCOUNTS) as bc:
        problem = _only_problem(await _examine(config_text(bc, tmp_path), tmp_path))
    assert problem.name == "clock"
    assert "7 minutes ahead" in problem.told


async def test_another_processor_of_the_same_name_is_told(tmp_path, config_text):
    async with StandIn(accounts=ACCOUNTS) as bc:
        bc.database.insert_processor({"host_id": "pi", "instance_id": "other1", "version": "0.1.0"})
        bc.database.insert_processor({"host_id": "elsewhere", "instance_id": "other2", "version": "0.1.0"})
        found = await _examine(config_text(bc, tmp_path), tmp_path)
    assert found["alone"].state is State.NOTE
    assert "other1" in found["alone"].told
    assert "other2" not in found["alone"].told


async def test_with_the_old_extension_another_processor_shows_by_its_claims(tmp_path, config_text):
    claim = Claim.new("pi", "other1", 1)
    async with StandIn(accounts=ACCOUNTS, extension="1.0") as bc:
        printer = bc.database.insert_printer({"host_id": "pi", "printer_id": "far"})
        job = bc.people.print(printer.row_no, b"%PDF-1.4")
        bc.database.change_job(job, {"status": JobState.PRINTING, "message": claim.message})
        found = await _examine(config_text(bc, tmp_path), tmp_path)
    assert "other1" in found["alone"].told


# --- this host ----------------------------------------------------------------------------------------------------------


async def _host(text: str) -> dict[str, Finding]:
    return {finding.name: finding async for finding in host(parse(text, Path("p.toml")))}


async def test_the_host_is_in_order_and_nothing_is_made(tmp_path, config_text):
    async with StandIn() as bc:
        found = await _host(config_text(bc, tmp_path))
    assert {finding.state for finding in found.values()} <= {State.OK, State.NOTE}
    assert "reads a PDF" in found["check of PDFs"].told
    assert "will be made" in found["data folder"].told
    assert not (tmp_path / "data").exists()


async def test_a_full_disk_a_taken_port_and_an_open_folder_are_told(tmp_path, config_text):
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        async with StandIn() as bc:
            text = config_text(bc, tmp_path, web=f"127.0.0.1:{port}").replace(
                "keep_free_mb = 1", "keep_free_mb = 900000000"
            )
            found = await _host(text)
    assert found["disk"].state is State.PROBLEM
    assert found["status page"].state is State.PROBLEM
    assert "chmod 700" in found["data folder"].fix


async def test_the_page_of_another_piprint_is_not_taken_for_this_ones(tmp_path, config_text, run_service):
    async with StandIn() as bc:
        mine = config_text(bc, tmp_path)
        async with run_service(mine) as url:
            web = url.removeprefix("http://").rstrip("/")
            of_this = await _host(config_text(bc, tmp_path, web=web))
            of_another = await _host(config_text(bc, tmp_path / "another", web=web))
    assert (of_this["status page"].state, of_another["status page"].state) == (State.OK, State.NOTE)
    assert "web.listen" in of_another["status page"].fix


async def test_the_journal_is_looked_at_and_left_as_it_was(tmp_path, config_text, run_service):
    async with StandIn() as bc:
        text = config_text(bc, tmp_path)
        async with run_service(text):
            used = (await _host(text))["journal"]
        lock = tmp_path / "data" / "piprint.lock"
        lock.write_text("4711\n")
        free = (await _host(text))["journal"]
    assert (used.state, used.told) == (State.OK, "in use by the running processor")
    assert (free.state, free.told) == (State.OK, "free; no processor runs with it now")
    assert lock.read_text() == "4711\n"


async def test_a_file_in_place_of_the_data_folder_is_told(tmp_path, config_text):
    (tmp_path / "data").touch()
    async with StandIn() as bc:
        found = await _host(config_text(bc, tmp_path))
    assert found["data folder"].state is State.PROBLEM


_LOOK_AT_THE_HOST = """
from pathlib import Path
from piprint.config.load import parse
from piprint.doctor.host import host

async def look():
    async for finding in host(parse(sys.argv[1], Path("p.toml"))):
        if finding.name == sys.argv[2]:
            print(finding.state.name, finding.fix)
            break

drop_rights()
asyncio.run(look())
"""


async def test_a_journal_of_somebody_else_is_told(locked_folder, as_nobody, config_text):
    locked_folder.chmod(0o755)
    (locked_folder / "data").mkdir(mode=0o700 if os.geteuid() == 0 else 0)
    async with StandIn() as bc:
        found = await asyncio.to_thread(as_nobody, _LOOK_AT_THE_HOST, config_text(bc, locked_folder), "journal")
    assert found == "NOTE run piprint doctor as the service's user, or as root\n"


async def test_a_folder_of_somebody_else_is_told(locked_folder, as_nobody, config_text):
    async with StandIn() as bc:
        found = await asyncio.to_thread(as_nobody, _LOOK_AT_THE_HOST, config_text(bc, locked_folder), "data folder")
    assert found.startswith("PROBLEM ")
    assert f"sudo install -d -o USER {locked_folder}/data;" in found, "the owner of what is above stays"


# --- configuration and words --------------------------------------------------------------------------------------------


def test_without_a_configuration_it_says_to_write_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPRINT_CONFIG", raising=False)
    monkeypatch.setattr("piprint.config.load.PLACES", (Path("piprint.toml"),))
    loaded, (finding,) = configuration(None)
    assert loaded is None
    assert finding.state is State.PROBLEM
    assert "piprint init" in finding.fix


def test_each_mistake_of_the_configuration_is_a_problem_and_files_that_miss_are_told(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    file = tmp_path / "piprint.toml"
    file.write_text('[business_central]\nenvironment = 1\n[business_central.login]\nkind = "secret"\ntenant = "t"\n')
    loaded, found = configuration(file)
    assert loaded is None
    assert [finding.name for finding in found] == ["line 2", "line 3", "line 3"]
    file.write_text(
        '[business_central]\nenvironment = "x"\n[business_central.login]\nkind = "certificate"\ntenant = "t"\n'
        'client_id = "c"\ncertificate = "/none.pem"\nkey = "/none.key"\n'
    )
    loaded, found = configuration(file)
    assert loaded is not None
    assert [finding.name for finding in found if finding.state is State.PROBLEM] == ["login.certificate", "login.key"]


def test_a_credential_is_found_beside_the_file_when_typed_by_hand(tmp_path, monkeypatch):
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "x")
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    (tmp_path / "client-secret").write_text(SECRET)
    file = tmp_path / "piprint.toml"
    file.write_text(
        '[business_central]\nenvironment = "x"\n[business_central.login]\nkind = "secret"\ntenant = "t"\n'
        'client_id = "c"\nsecret = { credential = "client-secret" }\n'
    )
    loaded, _ = configuration(file)
    assert loaded is not None
    assert loaded.secrets == (SECRET,)


def test_lines_are_aligned_and_cannot_be_drawn_over():
    found = [
        Finding("One", "name", State.OK, "fine"),
        Finding("One", "a\x1b[2Jname that is far too long for its column", State.PROBLEM, "bad " * 40, "do " * 40),
        Finding("Two", "last", State.SKIPPED),
    ]
    plain = list(lines(found, color=False))
    assert plain[0] == "One"
    assert plain[1] == "  ok      name                    fine"
    assert all(len(line) <= 110 for line in plain)
    assert not any("\x1b" in line for line in plain)
    assert any("→ do" in line for line in plain)
    assert "\x1b[31mproblem \x1b[0m" in "\n".join(lines(found, color=True))
    assert summary(found).startswith("1 problem;")
    assert summary(found[:1]) == "Everything works."
