"""What the program takes of a small heap: texts stay on flash, constants need no class, what is loaded for one purpose goes again."""

import subprocess
import textwrap

import pytest
from micropythons import interpreter

from nesmodule_build.rewrite.members import folded
from nesmodule_build.rewrite.messages import Messages
from nesmodule_build.rewrite.refused import Refused

LOADED = 70_000
"""Bytes of a heap of 100 kB that the stock edition may take before it runs: what is left it needs while it runs."""


def test_the_stock_edition_leaves_room_to_run_in(built):
    script = "import gc; gc.collect(); a = gc.mem_alloc(); import program; gc.collect(); print(gc.mem_alloc() - a)"
    words = [*interpreter(32), "-X", "heapsize=100k", "-c", script]
    environment = {"MICROPYPATH": "stock:.frozen"}
    done = subprocess.run(words, cwd=built, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < LOADED


def test_what_was_loaded_for_one_purpose_gives_its_memory_back(micropython):
    assert micropython("seldom.py") == "True\n"


def test_members_are_written_where_they_are_used():
    texts = {
        "first": """
            class State:
                IDLE = 'idle'
                BUSY = 'busy'
                _members = ('idle', 'busy')
            class Code:
                OK = 0
                def f(self):
                    pass
            TABLE = {State.IDLE: Code.OK}
        """,
        "second": """
            from first import State as Known
            def f(state, known):
                return state is Known.IDLE or state is None or state in Known._members or known.IDLE
        """,
    }
    found = folded({name: textwrap.dedent(text) for name, text in texts.items()})
    # A class that does more than name constants stays what it is.
    assert "TABLE = {'idle': Code.OK}" in found["first"]
    assert "return state == 'idle' or state is None or state in ('idle', 'busy') or known.IDLE" in found["second"]


def test_a_member_that_is_none_is_refused():
    with pytest.raises(Refused, match="State has no member GONE"):
        folded({"first": "class State:\n    IDLE = 1\nState.GONE\n"})


def test_long_texts_of_functions_are_read_from_flash():
    messages = Messages("told", "told")
    long = "a text that is long enough to be worth it"
    text = messages.taken(
        f"SAID = '{long}'\n"
        f"def f(a, b='{long}'):\n"
        f"    print('{long}', 'short')\n"
        "    return f'of {a!r} and {b:02X} there is more {{}} to be said here'\n"
    )
    place = len(long)
    form = "of {!r} and {:02X} there is more {{}} to be said here"
    assert text.splitlines() == [
        "from told import told",
        f"SAID = '{long}'",
        "",
        f"def f(a, b='{long}'):",
        f"    print(told(0, {place}), 'short')",
        f"    return told({place}, {len(form)}).format(a, b)",
    ]
    assert messages.text.decode() == long + form
    # The same text again is the same place, and a module without any needs nothing.
    assert f"told(0, {place})" in messages.taken(f"def g():\n    return '{long}'\n")
    assert messages.text.decode() == long + form
    assert messages.taken("a = 1\n") == "a = 1\n"
