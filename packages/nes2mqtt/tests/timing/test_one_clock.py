"""Nobody in the gateway asks a clock of his own: durations and labels come from nes2mqtt.timing.clock."""

import ast
from pathlib import Path

import pytest

import nes2mqtt

SOURCE = Path(nes2mqtt.__file__).parent
FORBIDDEN = {
    "time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "gmtime", "localtime"},
    "datetime": {"now", "utcnow", "today"},
    "date": {"today"},
}
ALLOWED = {
    "timing/clock.py": {"time.time", "time.monotonic"},
    # Commands beside the gateway: until when to export, and when something was read.
    "cli.py": {"datetime.now"},
    "history/commands/export.py": {"datetime.now"},
}


def asked(tree):
    """Yield each reading of a clock: ``time.time``, also when imported as a name of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else node.value.attr
            if node.attr in FORBIDDEN.get(owner, ()):
                yield f"{owner}.{node.attr}"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield from (f"time.{name.name}" for name in node.names if name.name in FORBIDDEN["time"])


@pytest.mark.parametrize("file", sorted(SOURCE.rglob("*.py")), ids=lambda file: str(file.relative_to(SOURCE)))
def test_t1_only_the_clock_asks_the_host_for_the_time(file):
    found = set(asked(ast.parse(file.read_text())))
    assert found <= ALLOWED.get(str(file.relative_to(SOURCE)), set())


def test_the_rule_sees_what_it_forbids():
    text = "import time\nfrom time import monotonic\nfrom datetime import datetime\ntime.time()\ndatetime.now()\ndate.today()"
    assert set(asked(ast.parse(text))) == {"time.monotonic", "time.time", "datetime.now", "date.today"}
