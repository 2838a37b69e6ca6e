"""Settings changed by their owner: what is checked, what is written, and that no secret comes back out."""

import json
import os
import socket
import stat
import tomllib
from pathlib import Path

import pytest

from nes2mqtt.config.settings import load, parse, way_back
from nes2mqtt.setup.changes import desk as desk_module
from nes2mqtt.setup.changes.desk import Desk, OpenBook
from servicekit.password import PasswordHash

KEY = "ABCDEFGHIJKLMNOPQRST"
SECRETS = (KEY, "broker-canary", "token-canary-0123456789", "page-canary-password", "comment-canary", "env-canary")
FILE = """\
# comment-canary is what the password was before
name = "kitchen"   # short

[meters.house]
port = "serial:///dev/ttyUSB0"
key = { file = "KEYFILE" }   # comment-canary

[[mqtt]]
host = "10.0.0.1"
username = "me"
password = "broker-canary"

[web]
listen = "127.0.0.1:8099"
password = "page-canary-password"
token = "token-canary-0123456789"
"""


@pytest.fixture
def file(tmp_path):
    key = tmp_path / "house.key"
    key.write_text(KEY)
    key.chmod(0o600)
    made = tmp_path / "nes2mqtt.toml"
    made.write_text(FILE.replace("KEYFILE", str(key)))
    made.chmod(0o640)
    return made


@pytest.fixture
def desk(file):
    return Desk(file)


def change(*path, value):
    return {"path": list(path), "value": value}


def take(desk, *changes):
    return desk.take(desk.picture("en")["revision"], list(changes))


def check(desk, *changes):
    return desk.check(desk.picture("en")["revision"], list(changes))


def field(picture, path, name):
    (section,) = [one for one in picture["sections"] if one["path"] == list(path) and not one["absent"]]
    return next(one for one in section["fields"] if one["name"] == name)


def test_every_setting_is_shown_with_its_meaning_and_default(desk):
    picture = desk.picture("en")
    every = field(picture, ("meters", "house"), "present_every")
    assert (every["set"], every["value"], every["default"]) == (False, None, 2.0)
    assert every["meaning"].startswith("Seconds between two reads of power")
    assert field(picture, (), "name")["value"] == "kitchen"
    assert field(picture, ("history",), "keep_raw_days")["default"] == 7
    assert picture["closed"] == ""


def test_no_secret_and_no_comment_is_shown_whatever_is_asked(desk, file):
    said = [desk.picture("en"), desk.picture("da")]
    said.append(
        check(
            desk, change("mqtt", 0, "password", value="new-canary"), change("meters", "house", "key", value=KEY[::-1])
        )
    )
    said.append(check(desk, change("mqtt", 0, "host", value="10.6.6.6")))
    said.append(check(desk, change("web", "password", value="sh0rt77")))
    said.append(check(desk, change("web", "token", value=None), change("mqtt", 0, "username", value=None)))
    said.append(take(desk, change("mqtt", 0, "password", value="new-canary"), change("web", "token", value="x" * 20)))
    file.write_text(file.read_text().replace("[web]", "[web]\npasswort = 'env-canary'\n"))
    said.append(Desk(file).picture("en"))
    file.write_text(file.read_text().replace("passwort = 'env-canary'", "[mqtt.tls]\nca_file = { env = 'env-canary' }"))
    said.append(Desk(file).picture("en"))
    file.write_text("name = env-canary")
    said.append(Desk(file).picture("en"))
    words = json.dumps(said)
    for secret in (*SECRETS, "new-canary", KEY[::-1], "sh0rt77", "xxxx"):
        assert secret not in words, secret


def test_a_secret_that_names_its_place_wrongly_is_not_shown_either(desk, file):
    file.write_text(file.read_text().replace('password = "broker-canary"', 'password = { env = "env-canary" }'))
    picture = desk.picture("en")
    assert field(picture, ("mqtt", 0), "password")["where"] == "environment"
    assert "env-canary" not in json.dumps(picture)
    assert "env-canary" not in json.dumps(check(desk, change("mqtt", 0, "port", value=1884)))


def test_a_change_is_written_at_its_place_with_the_same_rights(desk, file):
    before = file.read_text()
    told = take(desk, change("meters", "house", "present_every", value=5), change("log_level", value="debug"))
    assert told["taken"]
    assert [(line["before"], line["after"]) for line in told["lines"]] == [
        ("", "present_every = 5"),
        ("", 'log_level = "debug"'),
    ]
    after = file.read_text()
    assert [line for line in after.splitlines() if line not in before.splitlines()] == [
        'log_level = "debug"',
        "present_every = 5",
    ]
    assert set(before.splitlines()) <= set(after.splitlines())
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert load(file).meters["house"].present_every == 5
    assert sorted(one.name for one in file.parent.iterdir()) == ["house.key", "nes2mqtt.toml", "nes2mqtt.toml.before"]


def test_a_secret_goes_into_a_file_of_its_own_that_replaces_none(desk, file):
    told = take(
        desk,
        change("meters", "house", "key", value="TSRQPONMLKJIHGFEDCBA"),
        change("web", "password", value="a good new password"),
    )
    assert told["taken"]
    key, password = file.with_name("house-2.key"), file.with_name("web-password")
    assert key.read_text() == "TSRQPONMLKJIHGFEDCBA\n"
    assert file.with_name("house.key").read_text() == KEY
    assert PasswordHash.parse(password.read_text().strip()).matches("a good new password")
    assert {stat.S_IMODE(one.stat().st_mode) for one in (key, password)} == {0o600}
    config = load(file)
    assert config.meters["house"].key.reveal() == "TSRQPONMLKJIHGFEDCBA"
    assert "# comment-canary" in file.read_text()


@pytest.mark.parametrize(
    ("changes", "path", "words"),
    [
        ([change("meters", "house", "present_every", value=0.01)], ["meters", "house", "present_every"], "must be at least 0.1"),
        ([change("meters", "house", "present_every", value="often")], ["meters", "house", "present_every"], "must be a number"),
        ([change("meters", "house", "present_every", value=0.5)], ["meters", "house"], "reads_per_second"),
        ([change("log_level", value="loud")], ["log_level"], 'must be one of "debug"'),
        ([change("timezone", value="Europe/Kopenhagen")], ["timezone"], "did you mean 'Europe/Copenhagen'?"),
        ([change("meters", "house", "port", value=None)], ["meters", "house", "port"], "is missing"),
        ([change("meters", "house", value=None)], ["meters"], "is missing"),
        ([change("web", "password", value="short")], ["web", "password"], "at least 8"),
        ([change("web", "password", value=None)], ["web", "password"], "in the file only"),
        ([change("web", value=None)], ["web"], "in the file only"),
        ([change("meters", "house", "key", value="wrong")], ["meters", "house", "key"], "key"),
        ([change("mqtt", 1, "port", value=1883)], ["mqtt", 1, "host"], "is missing"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_place_in_the_words_of_check_config(desk, file, changes, path, words):
    before = file.read_bytes()
    for told in (check(desk, *changes), take(desk, *changes)):
        assert not told["ok"]
        assert not told["taken"]
        (problem, *_) = told["problems"]
        assert problem["path"] == path
        assert words in problem["message"]
    assert file.read_bytes() == before
    assert len(list(file.parent.iterdir())) == 2


@pytest.mark.parametrize(
    "changes",
    [
        [change("data_dir", value="/etc")],
        [change("history", "path", value="/etc/passwd")],
        [change("meters", "house", "event_names", value="/etc/shadow")],
        [change("mqtt", 0, "tls", "key_file", value="/etc/shadow")],
        [change("web", "tls_key", value="/etc/shadow")],
        [change("meters", "house", "power_cycle", "command", value=["/bin/sh", "-c", "id"])],
        [change("meters", "house", "power_cycle", "kind", value="command")],
    ],
)
def test_what_names_a_file_or_a_program_of_the_computer_is_not_changed_from_afar(desk, changes):
    told = take(desk, *changes)
    assert not told["taken"]
    assert {one["kind"] for one in told["problems"]} == {"here_only"}


@pytest.mark.parametrize(
    "value",
    [
        {"file": "/etc/shadow"},
        {"env": "HOME"},
        {"credential": "../x"},
        ["a"],
        1,
        True,
        "",
        "two\nlines",
        "\0",
        "\ud800",
        "x" * 3000,
    ],
)
def test_a_secret_is_a_text_and_never_the_name_of_a_place(desk, value):
    told = take(desk, change("mqtt", 0, "password", value=value))
    assert not told["taken"]
    assert told["problems"]


@pytest.mark.parametrize(
    "sent",
    [
        None, {}, [1], [{}], [{"path": [], "value": 1}], [{"path": ["name"]}], [change("nothing", value=1)],
        [change("meters", "../../etc/cron", "key", value=KEY)], [change("meters", "A", "port", value="x")],
        [change("meters", "", "key", value=KEY)], [change("mqtt", -1, "host", value="x")], [change("mqtt", True, "host", value="x")],
        [change("mqtt", "0", "host", value="x")], [change("name", "x", value=1)], [change("web", {}, value=1)],
        [change("name", value=1)] * 201,
    ],
)  # fmt: skip
def test_what_is_no_list_of_changes_is_refused_without_repeating_it(desk, sent):
    revision = desk.picture("en")["revision"]
    with pytest.raises(ValueError, match=r"^(send a list|each change|there is no such)"):
        desk.take(revision, sent)


@pytest.mark.parametrize(
    "changes",
    [
        [change("mqtt", 0, "host", value="10.6.6.6")],
        [change("mqtt", 0, "port", value=4444)],
        [change("mqtt", 0, "tls", "insecure", value=True)],
        [change("meters", "house", "port", value="optical+tcp://10.6.6.6:1")],
    ],
)
def test_a_secret_goes_only_where_it_went_unless_it_is_typed_again(desk, file, changes):
    told = take(desk, *changes)
    assert not told["taken"]
    assert {one["kind"] for one in told["problems"]} == {"type_again"}
    name = ("mqtt", 0, "password") if changes[0]["path"][0] == "mqtt" else ("meters", "house", "key")
    assert take(desk, *changes, change(*name, value=KEY))["taken"]


def test_a_secret_does_not_move_to_another_broker_when_one_goes_away(desk, file):
    with file.open("a") as more:
        more.write('\n[[mqtt]]\nhost = "10.0.0.2"\nusername = "you"\npassword = "second"\n')
    assert take(desk, change("mqtt", 0, value=None), change("mqtt", 0, "host", value="10.6.6.6"))["problems"]
    assert take(desk, change("mqtt", 0, value=None))["taken"]
    (broker,) = load(file).mqtt
    assert (broker.host, broker.password.reveal()) == ("10.0.0.2", "second")


def test_a_secret_typed_at_one_place_opens_no_other(desk, file):
    """What is removed last moves another broker to the place where something was typed."""
    with file.open("a") as more:
        more.write('\n[[mqtt]]\nhost = "10.0.0.2"\nusername = "you"\npassword = "second"\n')
    told = take(
        desk,
        change("mqtt", 0, "password", value="anything"),
        change("mqtt", 1, "host", value="10.6.6.6"),
        change("mqtt", 0, value=None),
    )
    assert not told["taken"]
    assert {one["kind"] for one in told["problems"]} == {"type_again"}


def test_an_adapter_of_this_computer_may_change_without_the_key(desk, file):
    assert take(desk, change("meters", "house", "port", value="serial:///dev/ttyUSB1"))["taken"]


def test_a_file_that_was_changed_meanwhile_is_left_alone(desk, file):
    revision = desk.picture("en")["revision"]
    file.write_text(file.read_text() + "# mine\n")
    before = file.read_bytes()
    told = desk.take(revision, [change("log_level", value="debug"), change("web", "token", value="y" * 20)])
    assert not told["taken"]
    assert told["said"]["code"] == "settings_changed_meanwhile"
    assert file.read_bytes() == before
    assert len(list(file.parent.iterdir())) == 2


def test_after_a_change_nothing_more_is_taken_until_the_gateway_has_begun_anew(desk, file):
    assert take(desk, change("log_level", value="debug"))["taken"]
    assert take(desk, change("log_level", value="info"))["said"]["code"] == "settings_changed_meanwhile"
    assert load(file).log_level == "debug"


def test_a_file_that_changes_while_it_is_written_is_left_alone(desk, file, monkeypatch):
    put_all = desk_module.put_all

    def meanwhile(files):
        file.write_text(file.read_text() + "# mine\n")
        return put_all(files)

    monkeypatch.setattr(desk_module, "put_all", meanwhile)
    told = take(desk, change("web", "token", value="y" * 20))
    assert not told["taken"]
    assert file.read_text().endswith("# mine\n")
    assert len(list(file.parent.iterdir())) == 2, "the new secret was taken back"


def test_a_revision_cannot_be_tried_out(file):
    """Who knows all of a file but a password could otherwise try passwords at home."""
    assert Desk(file).picture("en")["revision"] != Desk(file).picture("en")["revision"]


def test_a_file_that_may_not_be_written_gives_the_lines_to_put_there(desk, file, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everything
    assert desk.picture("en")["closed"] == "not_writable"
    told = check(desk, change("log_level", value="debug"))
    assert told["closed"] == "not_writable"
    assert told["lines"][0]["after"] == 'log_level = "debug"'


def test_a_full_disk_changes_nothing(desk, file, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    before = file.read_bytes()
    monkeypatch.setattr("nes2mqtt.setup.changes.desk.replace_file", full)
    told = take(desk, change("web", "token", value="y" * 20))
    assert told["said"]["code"] == "disk_full"
    assert file.read_bytes() == before
    assert len(list(file.parent.iterdir())) == 2


def test_a_link_stays_a_link_and_what_it_leads_to_changes(desk, file):
    real = file.with_name("real.toml")
    file.rename(real)
    file.symlink_to(real)
    assert take(desk, change("log_level", value="debug"))["taken"]
    assert file.is_symlink()
    assert tomllib.loads(real.read_text())["log_level"] == "debug"


def test_a_windows_file_keeps_its_mark_and_line_ends(desk, file):
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    assert take(desk, change("log_level", value="debug"))["taken"]
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert content.count(b"\n") == content.count(b"\r\n")


def test_sections_come_and_go(desk, file):
    told = take(
        desk,
        change("meters", "barn", "port", value="tcp://10.0.0.9:3333"),
        change("meters", "barn", "key", value=KEY),
        change("meters", "house", "power_cycle", "kind", value="gpio"),
        change("meters", "house", "power_cycle", "line", value=17),
        change("prices", "source", value="energi-data-service"),
        change("contracts", 0, "name", value="Grid"),
        change("contracts", 0, "meter", value="house"),
        change("contracts", 0, "from", value="2026-10-01"),
        change("contracts", 0, "currency", value="DKK"),
        change("contracts", 0, "vat", value="25 %"),
        change("contracts", 0, "spot_area", value="DK1"),
        change("contracts", 0, "lines", 0, "name", value="Spot"),
        change("contracts", 0, "lines", 0, "price", value="spot"),
        change("contracts", 0, "lines", 1, "name", value="Fee"),
        change("contracts", 0, "lines", 1, "price", value="20 DKK per month"),
        change("mqtt", 0, value=None),
    )
    assert told["problems"] == []
    config = load(file)
    assert list(config.meters) == ["house", "barn"]
    assert [line.name for line in config.contracts[0].lines] == ["Spot", "Fee"]
    assert config.mqtt == ()
    assert "from = 2026-10-01" in file.read_text()


def test_the_demonstration_can_be_looked_at_and_not_changed():
    text = f'[meters.house]\nport = "tcp://a:1"\nkey = "{KEY}"\n'
    parse(text, Path("x"))
    book = OpenBook(text)
    picture = book.picture("en")
    assert picture["closed"] == "demonstration"
    assert KEY not in json.dumps(picture)
    with pytest.raises(ValueError, match="cannot be changed"):
        book.take("", [])


SECOND = [change("mqtt", 1, name, value="b") for name in ("host", "username", "client_id")]


@pytest.mark.parametrize(
    "guess",
    [
        lambda word: [change("mqtt", 0, "client_id", value=word)],
        lambda word: [*SECOND, change("mqtt", 1, "password", value=word)],
    ],
)
def test_nobody_learns_whether_he_has_guessed_a_secret(desk, guess):
    """Who is only logged in may ask what changes would do, as often as he likes."""
    for word in ("broker-canary", "another-word"):
        told = check(desk, change("mqtt", 0, "host", value="10.6.6.6"), *guess(word))
        assert {one["kind"] for one in told["problems"]} == {"type_again"}, word


def test_the_file_before_is_kept_with_the_same_rights_and_is_the_way_back(desk, file):
    assert way_back(file) == ""
    first = file.read_bytes()
    before = file.with_name("nes2mqtt.toml.before")
    assert take(desk, change("log_level", value="debug"))["before"] == str(before)
    assert (before.read_bytes(), stat.S_IMODE(before.stat().st_mode)) == (first, 0o640)
    second = file.read_bytes()
    assert take(Desk(file), change("log_level", value="info"))["taken"]
    assert before.read_bytes() == second
    assert f"cp -p {before} {file}" in way_back(file)


@pytest.mark.parametrize("write", [1, 2])
def test_a_disk_that_is_full_at_any_write_leaves_the_old_file(desk, file, monkeypatch, write):
    """First the file before is written, then the new one."""
    old, fsync, written = file.read_bytes(), os.fsync, []

    def full(descriptor):
        if stat.S_ISREG(os.fstat(descriptor).st_mode):
            written.append(descriptor)
            if len(written) == write:
                raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert take(desk, change("log_level", value="debug"))["said"]["code"] == "disk_full"
    assert file.read_bytes() == old
    assert not [one for one in file.parent.iterdir() if one.suffix == ".new"]


def test_a_place_to_listen_that_cannot_be_had_is_not_taken(desk, file):
    old = file.read_bytes()
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        for place, words in (
            (f"127.0.0.1:{taken}", "in use"),
            ("192.0.2.1:8099", "no address"),
            ("192.0.2.1:8098", "no address"),
        ):
            for told in (
                check(desk, change("web", "listen", value=place)),
                take(desk, change("web", "listen", value=place)),
            ):
                (problem,) = told["problems"]
                assert (problem["path"], told["ok"], told["taken"]) == (["web", "listen"], False, False)
                assert words in problem["message"]
    assert file.read_bytes() == old


def test_the_port_that_the_page_has_open_itself_is_no_hindrance(desk, file):
    with socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        file.write_text(file.read_text().replace("127.0.0.1:8099", f"127.0.0.1:{port}"))
        assert take(desk, change("web", "listen", value=f"0.0.0.0:{port}"))["taken"]


def test_a_file_does_not_become_too_long_to_be_read(desk, file):
    """The gateway would not start with it any more."""
    file.write_text(file.read_text() + "#" * (999_995 - len(file.read_text())))
    load(file)
    told = take(desk, change("log_level", value="debug"))
    assert [one["kind"] for one in told["problems"]] == ["too_long"]
    load(file)


def test_what_the_gateway_could_not_read_is_not_put_in_place(desk, file, monkeypatch):
    old = file.read_bytes()
    monkeypatch.setattr(desk_module, "put_all", lambda _: None)  # the new secret is not where the file says
    assert not take(desk, change("web", "token", value="y" * 20))["taken"]
    assert file.read_bytes() == old
