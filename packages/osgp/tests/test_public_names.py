"""What ``import osgp`` offers, and what it costs."""

import subprocess
import sys

import pytest

import osgp


def test_every_public_name_is_there():
    for name in osgp.__all__:
        assert getattr(osgp, name) is not None


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'meters'"):
        _ = osgp.meters


def test_importing_loads_neither_asyncio_nor_serial():
    code = "import sys, osgp; print(*sorted({'asyncio', 'serialx', 'osgp.meter'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_link_knows_no_clock_and_no_socket():
    code = "import sys, osgp.mep.client, osgp.mep.server; print(*{'asyncio', 'socket', 'serialx'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
