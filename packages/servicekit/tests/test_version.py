"""The version of what is installed, looked up when somebody wants to know, and not before."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from servicekit.version import version_attribute


def test_it_is_the_installed_one_and_nothing_else_is_there():
    look_up = version_attribute("servicekit")
    assert look_up("__version__") == version("servicekit")
    with pytest.raises(AttributeError, match="module 'servicekit' has no attribute 'versions'"):
        look_up("versions")


def test_nothing_is_looked_up_before():
    code = "import sys; from servicekit.version import version_attribute; version_attribute('servicekit'); print('importlib.metadata' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "False\n"
