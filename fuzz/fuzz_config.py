"""Any text is a configuration, or a ConfigError whose every problem names a line of the text (or none) and what to do.

python fuzz/fuzz_config.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FunctionType

from nes2mqtt.config.problems import ConfigError
from nes2mqtt.config.settings import Config, parse
from nes2mqtt.config.summary import summary
from servicekit.problems import Problem

_FILE = Path("fuzz.toml")
_KEYS = (
    "[meters.house]\n",
    'port = "tcp://h:1"\n',
    'key = "ABCDEFGHIJKLMNOPQRST"\n',
    "[meters.house.power_cycle]\n",
    'kind = "gpio"\n',
    "line = 17\n",
    "[[mqtt]]\n",
    'host = "h"\n',
    "[mqtt.tls]\n",
    "[mqtt.nmr-raw]\n",
    "[web]\n",
    'listen = "127.0.0.1:1"\n',
    "[history]\n",
    "keep_raw_days = 1\n",
    'key = { env = "X" }\n',
    'name = "x"\n',
)


def _text(data: bytes) -> str:
    """Make a text of bytes, or of lines a configuration has, so that the fuzzer gets past the syntax."""
    if data[:1] < b"\x80":
        return data[1:].decode("utf-8", "replace")
    lines = [_KEYS[byte % len(_KEYS)] if byte < len(_KEYS) * 8 else chr(byte) for byte in data[1:]]
    return "".join(lines)


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but ConfigError, if the invariant does not hold for ``data``."""
    text = _text(data)
    problems: Sequence[Problem] = ()
    try:
        config = parse(text, _FILE)
        assert isinstance(config, Config)
        assert all(summary(config))
    except ConfigError as error:
        problems = error.problems
    lines = text.count("\n") + 1
    for problem in problems:
        assert problem.line is None or 1 <= problem.line <= lines
        assert problem.message
        assert str(problem).startswith("fuzz.toml")


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    modules = ("nes2mqtt", "osgp.key", "osgp.ports.transport", "tomllib")
    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith(modules):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
