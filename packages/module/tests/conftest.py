"""The built program, and the two MicroPythons that run it."""

import os
import subprocess
from pathlib import Path

import pytest
from micropythons import interpreter
from romfs import image

from nesmodule_build import package
from nesmodule_build.shared import EVERYTHING, START
from nesmodule_build.tree import write_program

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    """Return the folder of the rewritten modules."""
    folder = tmp_path_factory.mktemp("rewritten")
    write_program(folder, EVERYTHING, aliases=True)
    return folder


@pytest.fixture(scope="session")
def start_tree(tmp_path_factory):
    """Return the folder of what stands outside of the slots."""
    folder = tmp_path_factory.mktemp("start")
    write_program(folder, START, part="starter", aliases=True)
    return folder


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Return the folder of both editions."""
    folder = tmp_path_factory.mktemp("built")
    package.write(folder)
    return folder


@pytest.fixture(scope="session")
def in_place(built, tmp_path_factory):
    """Return an image of the frozen edition: a stand-in for a firmware that has the program in it."""
    folder, made = tmp_path_factory.mktemp("frozen"), tmp_path_factory.mktemp("image") / "image"
    for above in (built / "source", built / "frozen"):
        for source in above.rglob("*.py"):
            if source.name != "manifest.py":
                package.compiled(source, (folder / source.relative_to(above)).with_suffix(".mpy"), source.stem)
    made.write_bytes(image(folder))
    return made


@pytest.fixture(scope="session", params=[32, 64])
def micropython(request, tree):
    """Return a function that runs a script with the rewritten modules, gives it text, and returns what it printed."""
    words = interpreter(request.param)

    def run(script, given="", *, path=tree, heap="4m"):
        done = subprocess.run(
            [*words, "-X", f"heapsize={heap}", str(HERE / "on_module" / script)],
            input=given,
            capture_output=True,
            text=True,
            timeout=120,
            env={"MICROPYPATH": f"{path}:.frozen", "PATH": os.environ["PATH"]},
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr
        return done.stdout

    return run
