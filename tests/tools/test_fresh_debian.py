"""What `make test-fresh` makes of the README, of this machine and of pytest's words; the trees themselves it tests by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

import fresh_debian
from fresh_debian import Failed, judged, readme_packages
from fresh_host import Host

LOG = Path("log")
ALL = "....\n5000 passed in 700.12s (0:11:40)\n"


def test_the_readme_says_what_is_run():
    assert readme_packages() == ["git", "make", "python3-venv"]


def test_a_readme_that_says_something_else_is_noticed(monkeypatch, tmp_path):
    (tmp_path / "README.md").write_text("## Try it now\n\n```sh\nmake run\n```\n")
    monkeypatch.setattr(fresh_debian, "ROOT", tmp_path)
    with pytest.raises(Failed, match="no longer shows"):
        readme_packages()


def test_all_passed():
    assert judged(ALL, 0, "13", LOG) == "5000 passed in 700.12s (0:11:40)"


def test_what_failed_is_told():
    text = f"FAILED tests/a.py::test_b - no\nERROR tests/c.py\n1 failed, 1 error, 3 passed in 1.00s\n{'x' * 5000}"
    with pytest.raises(Failed, match=r"(?s)ended with 2 \(1 failed.*FAILED tests/a.py::test_b.*ERROR tests/c.py"):
        judged(text, 2, "13", LOG)


def test_no_test_is_no_success():
    with pytest.raises(Failed, match="no test ran"):
        judged("make: nothing to be done", 0, "13", LOG)


def test_only_what_is_named_may_be_left_out():
    left = "SKIPPED [3] x.py:218: Home Assistant check: not run, no Python 3.13+ found\n"
    assert "Home Assistant" in judged(left + "9 passed, 3 skipped in 1.00s\n", 0, "12", LOG)
    for debian, line in (("13", left), ("12", "SKIPPED [1] y.py:3: Chromium is not installed\n")):
        with pytest.raises(Failed, match="not named in MAY_SKIP"):
            judged(line + "9 passed, 1 skipped in 1.00s\n", 0, debian, LOG)


def test_a_tree_gets_packages_from_where_this_machine_does(tmp_path, monkeypatch):
    index = tmp_path / "index" / "simple"
    index.mkdir(parents=True)
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    pip = {"global.extra-index-url": f"file://{index} https://index.example/simple", "install.cert": str(certificates)}
    host = Host("http://mirror.example/debian", None, {"Acquire::http::Proxy": "http://proxy.example:3128"}, pip)
    assert host.apt_sources("trixie") == (
        "deb http://mirror.example/debian trixie main\ndeb http://mirror.example/debian trixie-updates main\n"
    )
    assert host.apt_settings() == 'Acquire::http::Proxy "http://proxy.example:3128";\n'
    assert "[global]\nextra-index-url = file://" in host.pip_conf()
    assert f"[install]\ncert = {certificates}" in host.pip_conf()
    monkeypatch.setenv("PIP_CACHE_DIR", "/mine")
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    assert host.environment()["PIP_INDEX_URL"] == "https://index.example/simple"
    assert "PIP_CACHE_DIR" not in host.environment()
    assert {index.parent, certificates} <= set(host.pip_paths())
