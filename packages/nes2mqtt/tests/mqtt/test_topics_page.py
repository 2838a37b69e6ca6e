"""docs/mqtt-topics.md is what the tables say."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[4]


def test_the_page_of_topics_is_current():
    spec = importlib.util.spec_from_file_location("generate_topics", ROOT / "tools" / "generate_topics.py")
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.main(["--check"]) == 0, "run `make reference`"
