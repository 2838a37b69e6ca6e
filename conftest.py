"""For the tests of all packages."""

import os
import resource
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# A machine that is busy with something else is no fault of ours: pytest-timeout ends what hangs.
settings.register_profile("any machine", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("any machine")


_SIGNALS = ("SIGTERM", "SIGINT", "SIGHUP")
_NONE = (signal.SIG_DFL, signal.SIG_IGN, signal.default_int_handler)
"""An event loop that gives a signal back leaves the default, also where whoever started pytest had it ignored (``&``, nohup)."""


def _process() -> dict[str, object]:
    """Return what belongs to the whole process, and so to every test after this one."""
    mask = os.umask(0o022)
    os.umask(mask)
    return {
        "umask": oct(mask),
        "folder": Path.cwd(),
        "limits": {
            name: resource.getrlimit(getattr(resource, name)) for name in ("RLIMIT_AS", "RLIMIT_CORE", "RLIMIT_FSIZE")
        },
        "handlers": {
            name: handler for name in _SIGNALS if (handler := signal.getsignal(getattr(signal, name))) not in _NONE
        },
    }


@pytest.fixture(autouse=True)
def _process_as_it_was() -> Iterator[None]:
    """Fail the test that leaves the process otherwise than it found it: which later test breaks by it depends on the order."""
    before = _process()
    yield
    after = _process()
    os.umask(int(str(before["umask"]), 8))
    if after != before:
        pytest.fail(f"the test changed its process for all that come after it: from {before} to {after}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take long: the last ones run while the other workers have nothing left to do."""
    items.sort(key=lambda item: item.get_closest_marker("takes_long") is None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let each worker write what ``make coverage`` has measured in it: one that does not end by itself within seconds is killed."""
    measured = sys.modules.get("coverage")
    measuring = measured.Coverage.current() if measured is not None and hasattr(session.config, "workerinput") else None
    if measuring is not None:
        measuring.save()
