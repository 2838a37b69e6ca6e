"""The built program, and the two MicroPythons that run it."""

import fcntl
import os
import shutil
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
def made_once(tmp_path_factory):
    """Return a function that returns a folder which another one filled, once for all workers of the run."""
    own = tmp_path_factory.getbasetemp()
    run = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder_of(name, fill):
        folder, part = run / name, run / f"{name}.part"
        with (run / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                shutil.rmtree(part, ignore_errors=True)
                part.mkdir()
                fill(part)
                part.rename(folder)
        return folder

    return folder_of


@pytest.fixture(scope="session")
def tree(made_once):
    """Return the folder of the rewritten modules."""
    return made_once("rewritten", lambda folder: write_program(folder, EVERYTHING, aliases=True))


@pytest.fixture(scope="session")
def start_tree(made_once):
    """Return the folder of what stands outside of the slots."""
    return made_once("start", lambda folder: write_program(folder, START, part="starter", aliases=True))


@pytest.fixture(scope="session")
def built(made_once):
    """Return the folder of both editions."""
    return made_once("built", package.write)


@pytest.fixture(scope="session")
def in_place(built, made_once):
    """Return an image of the frozen edition: a stand-in for a firmware that has the program in it."""

    def fill(folder):
        for above in (built / "source", built / "frozen"):
            for source in above.rglob("*.py"):
                if source.name != "manifest.py":
                    to = folder / "frozen" / source.relative_to(above)
                    package.compiled(source, to.with_suffix(".mpy"), source.stem)
        (folder / "image").write_bytes(image(folder / "frozen"))

    return made_once("in-place", fill) / "image"


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
