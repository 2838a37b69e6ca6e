"""The assertions of test files are rewritten once for all workers: pytest takes what it finds."""

import marshal
import os
import subprocess
import sys

import compile_once


def ran(path):
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", path]
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        words, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=200, check=False
    )
    return done.stdout


def test_pytest_takes_what_was_rewritten(tmp_path):
    one = tmp_path / "test_one.py"
    one.write_text("def test_one():\n    assert 1 + 1 == 3\n")
    assert compile_once.rewrite_all([one]) == 1
    assert compile_once.rewrite_all([one]) == 0
    assert "assert (1 + 1) == 3" in ran(one), "rewritten"
    kept = compile_once.cached(one)
    other = compile("def test_one():\n    raise OSError('as it was kept')\n", str(one), "exec")
    kept.write_bytes(kept.read_bytes()[:16] + marshal.dumps(other))
    assert "as it was kept" in ran(one)
    one.write_text("def test_one():\n    assert not 1\n")
    assert compile_once.rewrite_all([one]) == 1
    assert "assert not 1" in ran(one)


def test_a_file_that_is_no_python_is_left_to_pytest(tmp_path):
    wrong = tmp_path / "test_wrong.py"
    wrong.write_text("def")
    compile_once.rewrite(wrong)
    assert not compile_once.cached(wrong).exists()


def test_all_files_with_tests_are_among_them():
    found = compile_once.test_files()
    assert {compile_once.ROOT / "conftest.py", compile_once.ROOT / "tests" / "tools" / "test_house.py"} <= set(found)
    assert len(found) > 400
