"""In which order tests run: some compute while others wait."""

from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]


def item(nodeid, *markers):
    return SimpleNamespace(nodeid=nodeid, get_closest_marker=lambda name: name if name in markers else None)


@pytest.fixture
def ordered(pytestconfig):
    hooks = next(
        plugin for name, plugin in pytestconfig.pluginmanager.list_name_plugin() if name == str(ROOT / "conftest.py")
    )

    def order(*items):
        found = list(items)
        hooks.pytest_collection_modifyitems(found)
        assert sorted(map(id, found)) == sorted(map(id, items)), "each once"
        return [one.nodeid for one in found]

    return order


def test_what_waits_is_spread_and_the_longest_come_first(ordered):
    computes = [item(f"packages/osgp/tests/test_{number}.py") for number in range(8)]
    short = [item("packages/module/tests/test_a.py"), item("tests/system/test_b.py")]
    found = ordered(*short, *computes, item("tests/sim/test_c.py", "takes_long"))
    names = [name.rpartition("/")[2][5:-3] for name in found]
    assert names == ["c", "0", "1", "a", "2", "3", "b", "4", "5", "6", "7"]


@pytest.mark.parametrize("folder", ["packages/module/tests/", "packages/osgp/tests/"])
def test_tests_of_one_kind_stay_as_they_stand(ordered, folder):
    names = [f"{folder}test_{number}.py" for number in range(5)]
    assert ordered(*map(item, names)) == names
    assert ordered() == []
