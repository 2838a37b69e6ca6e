"""Changed settings on trial: taken back unless their owner comes to the page in time."""

import asyncio
import stat

import pytest

from nes2mqtt.runtime import gateway, service
from nes2mqtt.runtime.owners_desk import OwnersDesk
from nes2mqtt.setup import writing
from nes2mqtt.setup.changes import desk as desk_module
from nes2mqtt.setup.changes.trial import SECONDS, Trial

FILE = """\
[meters.house]
port = "tcp://127.0.0.1:1"   # the cellar's
key = "ABCDEFGHIJKLMNOPQRST"

[web]
listen = "127.0.0.1:8099"
password = "page-canary-password"
"""
MOVED = {"path": ["web", "listen"], "value": "127.0.0.1:0"}
OTHER = {"path": ["log_level"], "value": "debug"}


@pytest.fixture
def file(tmp_path):
    made = tmp_path / "nes2mqtt.toml"
    made.write_text(FILE)
    made.chmod(0o640)
    return made


class Watched(OwnersDesk):
    """Notes when the gateway is to begin anew."""

    def __init__(self, file):
        super().__init__(file)
        self.began: list[bool] = []
        self.when_changed = lambda: self.began.append(True)


def take(file, *changes):
    """Change settings in the browser; return the desk of the gateway that begins anew with them."""
    desk = OwnersDesk(file)
    told = desk.take(desk.picture("en")["revision"], list(changes))
    assert told["taken"], told
    anew = Watched(file)
    assert told["on_trial"] is anew.waits_for_owner
    return anew


@pytest.mark.virtual_clock
async def test_a_page_that_nobody_opens_at_its_new_address_goes_back_to_the_old_one(file):
    desk = take(file, MOVED, OTHER)
    assert "127.0.0.1:0" in file.read_text()
    begin = asyncio.get_running_loop().time()
    await desk.keep_trial()
    assert asyncio.get_running_loop().time() - begin >= SECONDS
    assert desk.began == [True]
    assert file.read_text() == FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    again = OwnersDesk(file)
    assert not again.waits_for_owner
    assert [one.name for one in file.parent.iterdir()] == ["nes2mqtt.toml", "nes2mqtt.toml.before"]


@pytest.mark.virtual_clock
async def test_a_page_that_was_opened_there_stays(file):
    desk = take(file, MOVED)
    asyncio.get_running_loop().call_later(SECONDS - 1, desk.owner_is_here)
    await desk.keep_trial()
    assert desk.began == []
    assert not desk.waits_for_owner
    assert "127.0.0.1:0" in file.read_text()
    assert not OwnersDesk(file).waits_for_owner


@pytest.mark.virtual_clock
async def test_other_settings_are_not_on_trial(file):
    desk = take(file, OTHER)
    await desk.keep_trial()
    assert asyncio.get_running_loop().time() < SECONDS
    assert desk.began == []


@pytest.mark.virtual_clock
async def test_a_restart_ends_no_trial(file):
    take(file, MOVED)
    desk = OwnersDesk(file)
    await desk.keep_trial()
    assert file.read_text() == FILE


@pytest.mark.virtual_clock
async def test_who_edits_the_file_meanwhile_has_the_last_word(file):
    desk = take(file, MOVED)
    edited = file.read_text() + "# mine\n"
    file.write_text(edited)
    await desk.keep_trial()
    assert desk.began == []
    assert file.read_text() == edited
    assert not OwnersDesk(file).waits_for_owner


@pytest.mark.virtual_clock
async def test_settings_that_cannot_be_taken_back_stay_and_the_log_says_so(file, caplog):
    desk = take(file, MOVED)
    file.with_name("nes2mqtt.toml.before").unlink()
    await desk.keep_trial()
    assert desk.began == []
    assert "cannot be changed back" in caplog.text


@pytest.mark.virtual_clock
async def test_a_disk_that_fills_up_while_they_are_taken_back_leaves_the_way_back(file, monkeypatch):
    desk = take(file, MOVED)
    moved, put_over = file.read_bytes(), writing._put_over

    def full(path, *rest):
        if path == file:
            raise OSError(28, "No space left on device")
        return put_over(path, *rest)

    monkeypatch.setattr(writing, "_put_over", full)
    await desk.keep_trial()
    assert file.read_bytes() == moved
    assert file.with_name("nes2mqtt.toml.before").read_text() == FILE
    monkeypatch.undo()
    await Watched(file).keep_trial()
    assert file.read_text() == FILE
    assert file.with_name("nes2mqtt.toml.before").read_bytes() == moved


def test_a_power_cut_before_the_file_was_changed_leaves_nothing_on_trial(file):
    Trial(file).begin(b"what was never written")
    assert not OwnersDesk(file).waits_for_owner


def test_a_change_that_cannot_be_written_leaves_nothing_on_trial(file, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(desk_module, "replace_file", full)
    desk = OwnersDesk(file)
    assert not desk.take(desk.picture("en")["revision"], [MOVED])["taken"]
    assert [one.name for one in file.parent.iterdir()] == ["nes2mqtt.toml"]


def test_another_change_ends_the_trial_of_the_one_before(file):
    take(file, MOVED)
    assert not take(file, OTHER).waits_for_owner


def test_the_process_keeps_the_trial_from_when_the_gateway_runs(file, monkeypatch):
    take(file, MOVED)
    became, order = [], []
    monkeypatch.setattr("nes2mqtt.setup.changes.trial.SECONDS", 0)
    monkeypatch.setattr("nes2mqtt.runtime.owners_desk.SECONDS", 0)
    monkeypatch.setattr(service, "become", became.append)
    monkeypatch.setattr("nes2mqtt.host.log.set_up", lambda *_: None)
    monkeypatch.setattr(service.process, "keep_to_ourselves", lambda: None)
    monkeypatch.setattr(service, "_allow_open_files", lambda: None)

    async def run(*_, desk, started, **__):
        await asyncio.sleep(0)  # a start may take long
        order.append("started")
        started()
        changed = asyncio.Event()
        desk.when_changed = changed.set
        await changed.wait()
        return True

    class Noted(OwnersDesk):
        async def keep_trial(self):
            order.append("trial")
            await super().keep_trial()

    monkeypatch.setattr("nes2mqtt.runtime.owners_desk.OwnersDesk", Noted)
    monkeypatch.setattr(gateway, "run", run)
    assert service.main(file) == 0
    assert order == ["started", "trial"]
    assert became == [file]
    assert file.read_text() == FILE
