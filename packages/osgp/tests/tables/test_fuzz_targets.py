"""The fuzz targets of tables and images keep their invariant on a few thousand inputs, without a fuzzer."""

import importlib.util
import random
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[4] / "fuzz"


def _target(name):
    spec = importlib.util.spec_from_file_location(f"fuzz_{name}_under_test", FUZZ / f"fuzz_{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", ["tables", "image"])
def test_random_inputs_keep_the_invariant(name):
    target = _target(name)
    source = random.Random(name)
    target.check(b"")
    for _ in range(400):
        data = bytearray(source.randbytes(source.choice([1, 3, 20, 300, 1200])))
        # Plausible small counts reach further than noise alone.
        for place in range(len(data)):
            if source.random() < 0.3:
                data[place] = source.choice([0, 1, 3, 4, 10, 11, 19, 55, 220])
        target.check(bytes(data))
    assert target.__doc__.splitlines()[0].endswith("TableError.")
