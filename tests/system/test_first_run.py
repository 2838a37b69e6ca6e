"""From an empty disk to the first reading by clicks, in Chromium, with the mistakes people make on the way; and in a terminal.

The gateway, the meter and the broker are processes, as a user starts them; the meter is at a pseudo-terminal.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import resource
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from browser import chromium
from harness import BIN, KEY, Part, meter, running, until
from playwright.sync_api import expect, sync_playwright

from free_ports import free_port

PASSWORD = "correct horse battery"
BROKER_PASSWORD = "broker secret"
SWAPPED = "BACDEFGHIJKLMNOPQRST"
MOST_SECONDS = 180
WAIT = 60_000
expect.set_options(timeout=WAIT)

pytestmark = [pytest.mark.xdist_group("chromium"), pytest.mark.takes_long]


def bound_by_rights():
    """Return what lets root open only what its bits allow, as anybody else."""
    drop = "-dac_override,-dac_read_search"
    return ["setpriv", f"--bounding-set={drop}", f"--inh-caps={drop}"] if os.geteuid() == 0 else []


def first_run(folder, port, *, demonstration):
    """Return a first run in the browser, not started; it has an empty folder for its configuration."""
    config = folder / "config" / "nes2mqtt.toml"
    config.parent.mkdir()
    what = ["demo", "--folder", str(folder / "var"), "--setup"] if demonstration else ["setup", "--browser", "--config"]
    command = [*bound_by_rights(), str(BIN / "nes2mqtt"), *what, str(config), "--port", str(port)]
    return Part("gateway", command, folder, {"XDG_DATA_HOME": str(folder / "data"), "STATE_DIRECTORY": "", "LANG": "C"})


def broker_with_a_user(folder, port):
    users = folder / "users"
    program = shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert program, "the Debian package mosquitto is missing"
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "gateway", BROKER_PASSWORD], check=True, capture_output=True)
    conf = folder / "broker.conf"
    conf.write_text(f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file {users}\nuser root\n")
    return Part("broker", [program, "-c", str(conf)], folder)


def pages(context, troubles):
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text))
    return page


def link(part):
    return until(lambda: re.search(r"http://127\.0\.0\.1:\d+/setup#\S+", part.log), seconds=60, what="the link")[0]


def errors(page):
    box = page.locator(".setup-errors")
    expect(box).to_be_visible()
    expect(box).to_be_focused()
    return box


def submit(page, name="Test and continue"):
    page.get_by_role("button", name=name, exact=True).click()


def narrow(page):
    """Nothing is wider than the screen."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [1440, 390])
def test_from_an_empty_disk_to_the_first_reading_with_twelve_mistakes_on_the_way(tmp_path, width):
    port, broker_port = free_port(), free_port()
    adapter = tmp_path / "ttyMETER"
    parts = meter(tmp_path, f"pty:{adapter}"), broker_with_a_user(tmp_path, broker_port)
    setup = first_run(tmp_path, port, demonstration=width == 1440)
    troubles: list[str] = []
    with running(*parts, setup), sync_playwright() as playwright:
        browser = chromium(playwright)
        context = browser.new_context(viewport={"width": width, "height": 844}, locale="en-GB")
        page = pages(context, troubles)
        until(adapter.exists, 60, "the meter")
        address = link(setup)
        began = time.monotonic()
        if width == 1440:
            until(lambda: "online" in setup.log, seconds=60, what="the demonstration")
            page.goto(f"http://127.0.0.1:{port}/")
            page.get_by_role("link", name="Connect your own meter").click()
            expect(page.get_by_role("heading", name="The code")).to_be_focused()
            page.get_by_label("Code").fill(address.partition("#")[2].lower().replace("-", " "))
            submit(page, "Continue")
        else:
            page.goto(address)
        expect(page.get_by_role("heading", name="A password for the page")).to_be_focused()
        assert "#" not in page.url
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_label("The same once more").fill(PASSWORD)
        submit(page, "Continue")

        # Wrong port, port without rights, busy port.
        typed = page.locator("#field-port-typed")
        typed.fill("/dev/ttyNOTHING")
        submit(page)
        expect(errors(page)).to_contain_text("There is no /dev/ttyNOTHING now")
        narrow(page)
        device = adapter.resolve()
        mode = device.stat().st_mode & 0o777
        device.chmod(0)
        typed.fill(str(adapter))
        submit(page)
        expect(errors(page)).to_contain_text("may not open")
        device.chmod(mode)
        busy = os.open(device, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(busy, fcntl.LOCK_EX)
        submit(page)
        expect(errors(page)).to_contain_text("Another program uses")
        os.close(busy)
        submit(page)
        expect(page.get_by_role("heading", name="The key of the meter")).to_be_focused()
        expect(page.locator(".setup-note")).to_contain_text("A meter answers at its MEP port")

        # Wrong key, swapped digits, port pulled; then the key with quotes.
        key = page.get_by_label("Key", exact=True)
        key.fill("this is not my key")
        expect(page.locator("#understood")).to_contain_text("Not a key yet")
        submit(page)
        expect(errors(page)).to_contain_text("it has 18 characters")
        key.fill(SWAPPED)
        submit(page)
        expect(errors(page)).to_contain_text("refuses this key")
        submit(page)
        expect(errors(page)).to_contain_text("was not asked again")
        parts[0].kill()
        key.fill(f'"{KEY}"')
        expect(page.locator("#understood")).to_contain_text("20 characters")
        submit(page)
        expect(errors(page)).to_contain_text(re.compile("plugged in|Unplug"))
        adapter.unlink(missing_ok=True)
        parts[0].start()
        until(adapter.exists, 60, "the meter")
        submit(page)
        expect(page.get_by_role("heading", name="Name and time")).to_be_focused()
        expect(page.locator(".setup-note")).to_contain_text("The key is right (20 characters)")
        expect(page.locator(".setup-note")).to_contain_text("NES 83332-3I, no. ")
        narrow(page)

        # The browser is loaded anew, and a second one takes over; then the first one again.
        page.reload()
        expect(page.get_by_role("heading", name="Name and time")).to_be_focused()
        other = pages(browser.new_context(locale="da-DK"), troubles)
        other.goto(address)
        other.get_by_label("Adgangskode").fill("forkert kode")
        submit(other, "Fortsæt")
        expect(errors(other)).to_contain_text("Adgangskoden er forkert")
        other.get_by_label("Adgangskode").fill(PASSWORD)
        submit(other, "Fortsæt")
        submit(other, "Overtag den her")
        expect(other.get_by_role("heading", name="Navn og tid")).to_be_focused()
        page.get_by_label("Time zone").fill("Europe/Copenhagen")
        submit(page, "Continue")
        submit(page, "Take it over here")
        page.get_by_label("Time zone").fill("Europe/Copenhagen")
        submit(page, "Continue")

        # The broker refuses, then its password is wrong.
        page.get_by_label("Home Assistant").check()
        page.get_by_label("Broker").fill("127.0.0.1")
        page.get_by_label("Port").fill("1")
        submit(page, "Continue")
        expect(errors(page)).to_contain_text("no broker listens at port 1")
        expect(page.get_by_role("button", name="Continue anyway")).to_be_visible()
        narrow(page)
        page.get_by_label("Port").fill(str(broker_port))
        page.get_by_label("User", exact=True).fill("gateway")
        page.get_by_label("Password of the user").fill("wrong")
        submit(page, "Continue")
        expect(errors(page)).to_contain_text("refuses this user and password")
        expect(page.get_by_role("button", name="Continue anyway")).to_be_hidden()
        page.get_by_label("Password of the user").fill(BROKER_PASSWORD)
        submit(page, "Continue")

        # The disk is full: this process may write no byte more (setrlimit(2)).
        expect(page.get_by_role("heading", name="Check and save")).to_be_focused()
        shown = page.content()
        assert not [secret for secret in (KEY, PASSWORD, BROKER_PASSWORD, "scrypt:") if secret in shown]
        narrow(page)
        assert setup.process is not None
        limits = resource.prlimit(setup.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(setup.process.pid, resource.RLIMIT_FSIZE, (0, limits[1]))
        submit(page, "Save and start")
        expect(errors(page)).to_contain_text("The disk is full")
        assert list((tmp_path / "config").iterdir()) == []
        resource.prlimit(setup.process.pid, resource.RLIMIT_FSIZE, limits)
        process = setup.process.pid
        submit(page, "Save and start")
        expect(page.locator("#first-power")).to_be_visible(timeout=60_000)
        took = time.monotonic() - began
        assert abs(int(page.locator("#first-power").get_attribute("data-value"))) < 30_000
        submit(page, "Open the page")
        expect(page.locator("#now-value")).to_be_visible()
        assert page.url == f"http://127.0.0.1:{port}/"

        # The same process runs the gateway; the set-up is gone; nothing secret is in its log or open to others.
        assert setup.process.poll() is None
        assert setup.process.pid == process
        assert page.request.get(f"http://127.0.0.1:{port}/setup").status == 404
        assert page.request.get(f"http://127.0.0.1:{port}/api/v1/setup/state").status == 404
        assert not [secret for secret in (KEY, PASSWORD, BROKER_PASSWORD) if secret in setup.log]
        written = sorted((tmp_path / "config").iterdir())
        assert [path.name for path in written] == ["house.key", "mqtt-password", "nes2mqtt.toml", "web-password"]
        assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
        until(lambda: "connected to broker" in setup.log.partition("set-up from")[2], what="the broker")
        assert took < MOST_SECONDS
        browser.close()
    allowed = ("Failed to load resource", "[DOM]")
    assert [trouble for trouble in troubles if not any(words in trouble for words in allowed)] == []


class Terminal:
    """A program at a terminal of its own (pty(7)): what it prints, and what is typed there."""

    def __init__(self, command, env):
        self.pid, self._ours = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], command, env)
        self.text = ""
        self._read = 0

    def expect(self, words, seconds=60):
        """Wait until it prints this after what was waited for before."""
        end = time.monotonic() + seconds
        wanted = re.compile(r"\s+".join(map(re.escape, words.split())))
        while (found := wanted.search(self.text, self._read)) is None:
            left = end - time.monotonic()
            assert left > 0, f"{words!r} did not come:\n{self.text[-2000:]}"
            if select.select([self._ours], [], [], left)[0]:
                with contextlib.suppress(OSError):
                    self.text += os.read(self._ours, 4096).decode(errors="replace")
        self._read = found.end()

    def type(self, line, at):
        self.expect(at)
        os.write(self._ours, f"{line}\n".encode())

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, 15)
        os.waitpid(self.pid, 0)
        os.close(self._ours)


def test_the_same_in_a_terminal_and_then_the_gateway_runs_there(tmp_path):
    adapter, config = tmp_path / "ttyMETER", tmp_path / "config" / "nes2mqtt.toml"
    config.parent.mkdir()
    port = free_port()
    env = {**os.environ, "XDG_DATA_HOME": str(tmp_path / "data"), "LANG": "C", "STATE_DIRECTORY": ""}
    with running(meter(tmp_path, f"pty:{adapter}")):
        until(adapter.exists, 60, "the meter")
        command = [str(BIN / "nes2mqtt"), "setup", "--config", str(config), "--port", str(port)]
        terminal = Terminal(command, env)
        try:
            terminal.type(PASSWORD, "Password")
            terminal.type(PASSWORD, "once more")
            terminal.type("", "Who may open the page? [1]:")
            terminal.type(str(adapter), "Adapter")
            terminal.type("", "Which socket of the meter? [1]:")
            terminal.type(SWAPPED, "Key (not shown")
            terminal.expect("refuses this key")
            terminal.type(f"'{KEY}'", "Key (not shown")  # getpass throws away what was typed before it asked
            terminal.type("", "Name")
            terminal.type("", "Short name")
            terminal.type("Europe/Copenhagen", "Time zone")
            terminal.type("", "For [1]:")
            terminal.type("", "Save this? [Y/n]")
            terminal.expect("The page: http://")
            terminal.expect("meter house: online")
            assert not [secret for secret in (KEY, PASSWORD, SWAPPED) if secret in terminal.text]
        finally:
            terminal.end()
    assert {path.name for path in Path(config.parent).iterdir()} == {"house.key", "nes2mqtt.toml", "web-password"}


def test_a_configuration_that_is_there_is_never_touched(tmp_path):
    config = tmp_path / "nes2mqtt.toml"
    config.write_text("this = is [ not TOML")
    for what in (["setup", "--config"], ["setup", "--browser", "--config"], ["demo", "--setup"]):
        done = subprocess.run(
            [BIN / "nes2mqtt", *what, config], capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
        )
        assert done.returncode == 2
        assert "changes no configuration" in done.stderr
    assert config.read_text() == "this = is [ not TOML"
