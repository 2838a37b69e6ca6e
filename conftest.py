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


_WAITS = ("packages/module/tests/", "packages/piprint/tests/acceptance/", "tests/system/")
"""Folders of tests that mostly wait: for other programs, and for the speed of a line."""


def waits_long_or_short(item: pytest.Item) -> int:
    """Return 0 for a test that takes long, 1 for one that mostly waits, 2 for one that computes."""
    if item.get_closest_marker("takes_long") is not None:
        return 0
    return 1 if item.nodeid.startswith(_WAITS) else 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Spread the tests that wait over those that compute, so that the processors always have something to do.

    Those that take long come first among them, and the last quarter is without any: what is left at the end is short.
    """
    kinds = [waits_long_or_short(item) for item in items]
    waiting = [item for kind in (0, 1) for item, each in zip(items, kinds, strict=True) if each == kind]
    computing = [item for item, kind in zip(items, kinds, strict=True) if kind == 2]  # noqa: PLR2004 - see above
    end = max(1, len(computing) * 3 // 4)
    places = {id(item): number * end // len(waiting) for number, item in enumerate(waiting)}
    places |= {id(item): number for number, item in enumerate(computing)}
    items[:] = sorted([*waiting, *computing], key=lambda item: places[id(item)])


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Let each worker write what ``make coverage`` has measured in it: one that does not end by itself within seconds is killed."""
    measured = sys.modules.get("coverage")
    measuring = measured.Coverage.current() if measured is not None and hasattr(session.config, "workerinput") else None
    if measuring is not None:
        measuring.save()
