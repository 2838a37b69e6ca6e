"""The configuration file: every mistake becomes a line that says where, what and how to mend it; no value is repeated."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piprint.config.first_file import Answers, starter_text, write_starter
from piprint.config.load import data_dir, find, listen, load, parse
from piprint.config.problems import ConfigProblems
from piprint.config.settings import Basic, Certificate, ClientSecret
from piprint.errors import ConfigError

CANARY = "Zq8-canary-of-a-secret"
GOOD = f"""\
host = "office"

[business_central]
environment = "production"

[business_central.login]
kind = "secret"
tenant = "contoso.onmicrosoft.com"
client_id = "11111111-2222-3333-4444-555555555555"
secret = "{CANARY}"
"""

MISTAKES = [
    ("host = office", 1, "", "this is not TOML: the value is not understood; text stands in quotes"),
    ('host = "a"\nhost = "b"', 2, "", "a setting or section is written twice"),
    ('host = "C:\\print"', 1, "", "a backslash in a text is written twice"),
    ("[web\n", 1, "", "this is not TOML"),
    ("", None, "business_central", "is missing; add a section [business_central]"),
    (GOOD.replace("tenant = ", "tennant = "), 8, "business_central.login.tennant", "did you mean 'tenant'?"),
    (GOOD.replace("client_id = ", "client-id = "), 9, "business_central.login.client-id", "did you mean 'client_id'?"),
    (
        GOOD.replace(f'secret = "{CANARY}"', ""),
        6,
        "business_central.login.secret",
        "is missing; add a line: secret = {",
    ),
    (GOOD.replace('kind = "secret"\n', ""), 6, "business_central.login", 'add the line kind = "secret"'),
    (GOOD.replace('kind = "secret"', 'kind = "oauth"'), 6, "business_central.login", 'must be one of "secret"'),
    (GOOD.replace('environment = "production"', ""), 3, "business_central", "give environment"),
    (GOOD.replace(f'"{CANARY}"', '{ env = "NOT_SET_ANYWHERE" }'), 10, "business_central.login.secret", "is not set"),
    (GOOD.replace(f'"{CANARY}"', '{ file = "/nowhere" }'), 10, "business_central.login.secret", "cannot be read"),
    (GOOD.replace(f'"{CANARY}"', f'{{ text = "{CANARY}" }}'), 10, "business_central.login.secret", "a secret is"),
    *(
        (GOOD.replace('environment = "production"', f'url = "{url}"'), 4, "business_central.url", words)
        for url, words in (
            ("bc.example:7048/BC/ODataV4/", "url is an address such as"),
            ("https://bc.example", "url is an address such as"),
            ("https://[x/", "url is an address such as"),
            ("https://bc.example:x/", "url is an address such as"),
            ("https://bc.example:99999/", "url is an address such as"),
            ("https://:7048/", "url is an address such as"),
            ("https://bc.example/BC/ODataV4/?tenant=default", "url is an address such as"),
            (f"https://pi:{CANARY}@bc.example/BC/ODataV4/", "write user name and password under login"),
        )
    ),
    (GOOD + "[poll]\nusual = 0\n", 12, "poll.usual", "must be at least 0.05"),
    (GOOD + '[poll]\nusual = "5"\nfastest = "fast"\n', 13, "poll.fastest", "must be a number, without quotes"),
    (GOOD + "[poll]\n# calm\nfastest = 9\n", 13, "poll.fastest", "must not be more than poll.usual"),
    (GOOD + "[poll]\nusual = 60\n", 11, "poll.slowest", "must not be less than poll.usual"),
    (GOOD + '[web]\nlisten = "0.0.0.0:8632"\n', 12, "web.listen", "add password = ..."),
    (GOOD + '[web]\nlisten = "8632"\n', 12, "web.listen", "must be an address and a port"),
    (GOOD + '[printers]\nid = "a"\n', 11, "printers", "two brackets: [[printers]]"),
    (GOOD + '[[printers]]\nuri = "ipp://x/"\n', 11, "printers.id", "is missing; add a line: id ="),
    (GOOD + '[[printers]]\nid = "a"\nuri = "lpd://x"\n', 13, "printers.uri", "uri begins with ipp://"),
    (GOOD + f'[[printers]]\nid = "a"\nuri = "ipp://pi:{CANARY}@x/"\n', 13, "printers.uri", "uri holds a login"),
    (GOOD + f'[cups]\nurl = "http://pi:{CANARY}@localhost:631/"\n', 12, "cups.url", "url holds a login"),
    (GOOD + '[[printers]]\nid = "a"\n\n[[printers]]\nid = "a"\n', 15, "printers.id", "another [[printers]] section"),
    (
        GOOD + '[[printers]]\nid = "a"\nlanguage = "pcl"\n',
        13,
        "printers.language",
        'must be one of "pdf", "zpl", "raw"',
    ),
    (GOOD + '[[printers]]\nid = "a"\ntrays = { one = 1 }\n', 13, "printers.trays.one", "must be text in quotes"),
    (GOOD + '[[printers]]\nid = "a"\npaper = ["A4", "foolscap?"]\n', 13, "printers.paper", "is no paper; write A4"),
    (
        GOOD + '[[printers]]\nid = "a"\n[printers.trays]\ntray-1 = "top"\n',
        14,
        "printers.trays.tray-1",
        "must be one of Upper",
    ),
    (
        GOOD + '[[printers]]\nid = "a"\ntrays = { tray-1 = "258" }\n',
        13,
        "printers.trays.tray-1",
        "must be one of Upper",
    ),
    (
        GOOD + '[[printers]]\nid = "a"\n[printers.trays]\ntray-1 = "Upper"\ntray-2 = "1"\n',
        15,
        "printers.trays.tray-2",
        "tray-1 has this paper source already",
    ),
    (GOOD + '[[rules]]\npaper = "100x"\n', 12, "rules.paper", "is no paper"),
    (GOOD + '[[rules]]\nreport = "1306a"\n', 12, "rules.report", "must be a whole number"),
    (GOOD + "[cups]\nenabled = false\n", 12, "cups.enabled", "no printer is left"),
    (GOOD + '[cups]\noffer = "*"\n', 12, "cups.offer", "must be a list"),
    (GOOD + "[cups]\noffer = [\n  1,\n]\n", 13, "cups.offer", "must be text in quotes"),
    (GOOD + "[limits]\nparallel_calls = 50\n", 12, "limits.parallel_calls", "must be at most 5"),
    ("a = " + "[" * 5000, None, "", "nested far too deeply"),
]


@pytest.mark.parametrize(("text", "line", "setting", "words"), MISTAKES)
def test_each_mistake_has_its_place_and_its_mending(text, line, setting, words):
    with pytest.raises(ConfigProblems) as caught:
        parse(text, Path("piprint.toml"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.setting) == (line, setting)
    assert words in problem.message
    place = "piprint.toml" if line is None else f"piprint.toml:{line}"
    assert str(caught.value).startswith(f"{place}: ")
    assert CANARY not in str(caught.value)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file():
    with pytest.raises(ConfigProblems) as caught:
        parse(GOOD.replace("tenant = ", "tennant = ") + "[poll]\nusual = 0\n", Path("p.toml"))
    assert [problem.line for problem in caught.value.problems] == [8, 12]


@given(st.text(max_size=30), st.sampled_from(["tenant", "client_id", "kind", "secret"]))
def test_a_secret_in_any_place_is_never_repeated(noise, place):
    text = GOOD.replace(f"{place} = ", f'{place} = {{ x = "{CANARY}" }} # ') + f"\n# {noise.encode().hex()}"
    with pytest.raises(ConfigProblems) as caught:
        parse(text, Path("p.toml"))
    assert CANARY not in str(caught.value)
    assert CANARY not in repr(caught.value.problems)


def test_a_good_file_is_read_and_its_secret_stays_out_of_sight(tmp_path):
    file = tmp_path / "piprint.toml"
    file.write_text("\ufeff" + GOOD, encoding="utf-8")
    file.chmod(0o600)
    loaded = load(file)
    assert loaded.secrets == (CANARY,)
    assert loaded.warnings == ()
    assert loaded.config.business_central.odata.endswith("/contoso.onmicrosoft.com/production/ODataV4/")
    assert CANARY not in repr(loaded.config)


@pytest.mark.parametrize(
    ("mode", "form", "warned"),
    [
        (0o644, f'"{CANARY}"', True),
        (0o640, f'"{CANARY}"', True),
        (0o600, f'"{CANARY}"', False),
        (0o644, "{ file = '%s' }", False),
    ],
)
def test_a_secret_in_a_file_others_may_read_is_warned_about(tmp_path, mode, form, warned):
    secret = tmp_path / "secret"
    secret.write_text(CANARY + "\n")
    file = tmp_path / "piprint.toml"
    file.write_text(GOOD.replace(f'"{CANARY}"', form.replace("%s", str(secret))))
    file.chmod(mode)
    loaded = load(file)
    assert loaded.secrets == (CANARY,)
    assert any("chmod 600" in warning for warning in loaded.warnings) is warned
    assert all(CANARY not in warning for warning in loaded.warnings)


def test_what_is_dangerous_is_warned_about(tmp_path):
    file = tmp_path / "piprint.toml"
    file.write_text(
        '[business_central]\nurl = "http://bc.local:7048/BC/ODataV4/"\nverify = false\n'
        '[business_central.login]\nkind = "basic"\nusername = "P"\npassword = "smørrebrød"\n'
    )
    file.chmod(0o600)
    words = "\n".join(load(file).warnings)
    assert "verify = false" in words
    assert "http:" in words
    assert "ASCII" in words
    assert "smørrebrød" not in words


def test_addresses_are_put_together_whatever_the_names():
    online = parse(GOOD.replace('"production"', '"Test 1/2"'), Path("p.toml")).business_central
    assert online.odata.endswith("/Test%201%2F2/ODataV4/")
    own = parse(
        GOOD.replace('environment = "production"', 'url = "https://bc.example/BC/odatav4"'), Path("p.toml")
    ).business_central
    assert (own.odata, own.root) == ("https://bc.example/BC/odatav4/", "https://bc.example/BC/")


@pytest.mark.parametrize("what", ["missing", "folder", "latin1"])
def test_a_file_that_cannot_be_read_is_told_without_a_traceback(tmp_path, what):
    file = tmp_path / "piprint.toml"
    if what == "folder":
        file.mkdir()
    elif what == "latin1":
        file.write_bytes('host = "kø"'.encode("latin1"))
    with pytest.raises(ConfigProblems, match=r"cannot be read|is a folder|UTF-8"):
        load(file)


def test_the_file_is_looked_for_where_it_may_be(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIPRINT_CONFIG", raising=False)
    monkeypatch.setattr("piprint.config.load.PLACES", (Path("piprint.toml"), tmp_path / "etc" / "piprint.toml"))
    with pytest.raises(ConfigError, match="piprint init"):
        find(None)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "piprint.toml").touch()
    assert find(None) == tmp_path / "etc" / "piprint.toml"
    (tmp_path / "piprint.toml").touch()
    assert find(None) == Path("piprint.toml")
    monkeypatch.setenv("PIPRINT_CONFIG", str(tmp_path / "other.toml"))
    with pytest.raises(ConfigError, match=r"other\.toml: there is no such file; write one with: piprint init"):
        find(None)
    (tmp_path / "given.toml").touch()
    assert find(tmp_path / "given.toml") == tmp_path / "given.toml"


def test_the_data_folder_is_the_set_one_then_systemds_then_the_users(monkeypatch, tmp_path):
    config = parse(GOOD, Path("p"))
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/piprint:/second")
    assert data_dir(config) == Path("/var/lib/piprint")
    monkeypatch.delenv("STATE_DIRECTORY")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_dir(config) == tmp_path / "piprint"
    assert data_dir(parse(f'data_dir = "{tmp_path}/own"\n' + GOOD, Path("p"))) == tmp_path / "own"


@pytest.mark.parametrize(
    ("text", "parts"),
    [("127.0.0.1:0", ("127.0.0.1", 0)), ("[::1]:8632", ("::1", 8632)), ("localhost:80", ("localhost", 80))],
)
def test_listen_is_split(text, parts):
    assert listen(text) == parts


@pytest.mark.parametrize("text", ["", ":", "1.2.3.4", "1.2.3.4:", ":80", "a:70000", "a:-1", "a:x", "a:²"])
def test_listen_refuses_what_it_does_not_understand(text):
    with pytest.raises(ValueError, match="an address and a port"):
        listen(text)


_words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(words=st.lists(_words, min_size=5, max_size=5))
def test_a_starter_file_says_what_was_answered(words):
    host, environment, company, tenant, secret = words
    answers = Answers(host=host, environment=environment, company=company, tenant=tenant, client_id="id", secret=secret)
    config = parse(starter_text(answers), Path("p"))
    login = config.business_central.login
    assert isinstance(login, ClientSecret)
    assert (config.host, config.business_central.environment, config.business_central.company) == (
        host,
        environment,
        company,
    )
    assert (login.tenant, login.secret.get_secret_value()) == (tenant, secret)
    assert secret not in repr(answers) or len(secret) < 4


def test_a_starter_file_for_each_kind_of_login(tmp_path):
    (tmp_path / "pw").write_text("x")
    basic = Answers(
        place="on-premises",
        url="https://bc:7048/BC/ODataV4/",
        login="basic",
        username="P",
        secret_file=str(tmp_path / "pw"),
    )
    assert isinstance(parse(starter_text(basic), Path("p")).business_central.login, Basic)
    certificate = Answers(login="certificate", tenant="t", client_id="c", certificate="/c.pem", key="/k.pem")
    assert isinstance(parse(starter_text(certificate), Path("p")).business_central.login, Certificate)


def test_a_starter_file_is_private_and_never_overwrites(tmp_path):
    file = tmp_path / "new" / "piprint.toml"
    write_starter(file, Answers(tenant="t", client_id="c", secret="s3cret"))
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(ConfigError, match="there is a configuration already"):
        write_starter(file, Answers())
    assert "s3cret" in file.read_text()


_WRITE_A_STARTER_FILE = """
from pathlib import Path
from piprint.errors import ConfigError
from piprint.config.first_file import Answers, write_starter

drop_rights()
try:
    write_starter(Path(sys.argv[1]), Answers())
except ConfigError as error:
    print(error)
"""


def test_a_starter_file_that_cannot_be_written_is_told(locked_folder, as_nobody):
    file = locked_folder / "piprint.toml"
    assert f"{file}: cannot be written: Permission denied" in as_nobody(_WRITE_A_STARTER_FILE, str(file))
    assert not file.exists()


_READ_A_SECRET = """
from pathlib import Path
from piprint.config.load import credentials_beside, parse
from piprint.config.problems import ConfigProblems

file = Path(sys.argv[1])
text = file.read_text()
credentials_beside(file)
drop_rights()
try:
    parse(text, file)
except ConfigProblems as problems:
    print(problems)
"""


def test_a_secret_that_only_root_may_read_is_told_with_sudo(locked_folder, as_nobody):
    locked_folder.chmod(0o755)
    file = locked_folder / "piprint.toml"
    file.write_text(GOOD.replace(f'"{CANARY}"', '{ credential = "client-secret" }'))
    secret = locked_folder / "client-secret"
    secret.write_text(CANARY)
    secret.chmod(0o600 if os.geteuid() == 0 else 0)
    told = as_nobody(_READ_A_SECRET, str(file))
    assert "cannot be read: Permission denied; put sudo before a command typed by hand" in told
    assert CANARY not in told


def test_a_credential_that_is_missing_is_told_with_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    text = GOOD.replace(f'"{CANARY}"', '{ credential = "client-secret" }')
    with pytest.raises(ConfigProblems, match="write the secret, alone, into a file of that name in") as caught:
        parse(text, tmp_path / "piprint.toml")
    assert str(tmp_path) in str(caught.value)


def test_p2_duplex_is_what_a_printer_can_and_the_file_is_told_how_to_use_it(tmp_path: Path) -> None:
    file = tmp_path / "piprint.toml"
    printer = '\n[[printers]]\nid = "Office"\nduplex = {duplex}\n'
    for duplex, rules, warned in (
        ("true", "", True),
        ("false", "", False),
        ("true", '[[rules]]\nsides = "one-sided"\n', False),
        ("true", '[[rules]]\nprinter = "Slips"\nsides = "one-sided"\n', True),
        ("true", '[[rules]]\nprinter = "off*"\nsides = "two-sided"\n', False),
    ):
        file.write_text(GOOD + printer.format(duplex=duplex) + rules)
        words = "\n".join(load(file).warnings)
        assert ('printer = "Office" and sides = "two-sided"' in words) is warned


def test_p6_labels_of_unknown_size_are_told(tmp_path: Path) -> None:
    file = tmp_path / "piprint.toml"
    for paper, warned in (("", True), ('paper = ["100x150mm"]\n', False)):
        file.write_text(GOOD + f'\n[[printers]]\nid = "L"\nuri = "socket://x"\nlanguage = "zpl"\n{paper}')
        assert ("the size of its labels is not known" in "\n".join(load(file).warnings)) is warned


def test_p6_scaling_is_one_of_four_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblems, match="scaling"):
        parse(GOOD + '\n[[rules]]\nscaling = "shrink"\n', tmp_path / "x")


@pytest.mark.parametrize("proxy", ['public_url = "https://example.org/print/"', 'trusted_proxies = ["127.0.0.1"]'])
@pytest.mark.parametrize(
    ("more", "warned"), [("", True), ('password = "horse battery"', False), ("enabled = false", False)]
)
def test_p8_a_page_behind_a_proxy_without_a_password_is_warned_of(tmp_path, proxy, more, warned):
    file = tmp_path / "piprint.toml"
    file.write_text(f"{GOOD}\n[web]\n{proxy}\n{more}\n")
    file.chmod(0o600)
    assert any("the page has no password" in warning for warning in load(file).warnings) is warned


def test_p6_zpl_without_a_network_port_is_told_to_draw_no_pdf(tmp_path: Path) -> None:
    file = tmp_path / "piprint.toml"
    for uri, warned in (("", True), ('uri = "ipp://x/printers/L"\n', True), ('uri = "socket://x"\n', False)):
        file.write_text(GOOD + f'\n[[printers]]\nid = "L"\nlanguage = "zpl"\npaper = ["A6"]\n{uri}')
        assert ("PDFs are refused" in "\n".join(load(file).warnings)) is warned
