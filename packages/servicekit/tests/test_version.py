"""The version of what is installed, looked up when somebody wants to know, and not before."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from servicekit.version import version_attribute


def test_it_is_the_installed_one_and_nothing_else_is_there():
    look_up = version_attribute("servicekit")
    assert look_up("__version__") == version("servicekit")
    with pytest.raises(AttributeError, match="module 'servicekit' has no attribute 'versions'"):
        look_up("versions")


def test_it_is_told_where_no_folder_says_it(monkeypatch):
    monkeypatch.setattr("servicekit.version.sys.path", [])
    with pytest.raises(PackageNotFoundError):
        version_attribute("not-installed")("__version__")


def test_what_asks_the_installation_stays_out_of_memory():
    code = "import sys; from servicekit.version import version_attribute; print(bool(version_attribute('servicekit')('__version__')) and 'importlib.metadata' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
