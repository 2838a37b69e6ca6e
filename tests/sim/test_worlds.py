"""Some worlds of the gateway in every test run; ``make simulate`` runs others for as long as you like (README.md)."""

from __future__ import annotations

import pytest
from simulation.gateway.faults import KINDS, Fault
from simulation.gateway.known_failures import KNOWN, known
from simulation.gateway.once_failed import ONCE_FAILED
from simulation.gateway.planted import PLANTED, Planted, plant
from simulation.gateway.sentences import SENTENCES
from simulation.gateway.world import Setting, World, run
from simulation.story import smaller, tell

EVERY_TIME = (0, 4)
"""Seeds of short and busy worlds."""


def stories(world: World) -> str:
    kinds = {fault.kind for fault in world.setting.faults}
    return "\n".join(tell(world, name) for name, failure in world.failures.items() if not known(kinds, failure.rule))


@pytest.mark.parametrize("seed", EVERY_TIME)
def test_every_sentence_holds(seed: int) -> None:
    told = stories(run(Setting.draw(seed, list(KINDS))))
    assert not told, told


@pytest.mark.parametrize("name", ONCE_FAILED)
def test_what_once_failed_holds(name: str) -> None:
    told = stories(run(ONCE_FAILED[name]))
    assert not told, told


def test_what_is_known_to_fail_still_does() -> None:
    for failure in KNOWN:
        failed = {one.rule for one in run(failure.setting).failures.values()}
        assert failure.sentence in failed, f"{failure.why}: it holds now, take it out of known_failures.py"


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.sentence)
def test_every_sentence_can_fail(planted: Planted) -> None:
    world = run(planted.setting(), plant=plant(planted))
    assert any(failure.rule == planted.sentence for failure in world.failures.values()), planted.words


def test_a_fault_is_planted_for_every_sentence() -> None:
    assert {planted.sentence for planted in PLANTED} == set(SENTENCES) - {"sound"}  # that one: test_power_cuts.py


def test_one_seed_is_one_world() -> None:
    setting = Setting(7, (Fault(200, "loss", 60, 0.3), Fault(400, "cut", 40, "page")), 0.3)
    one, two = run(setting), run(setting)
    assert one.digest.hexdigest() == two.digest.hexdigest()
    assert one.lines_noted == two.lines_noted


def test_a_failing_world_is_made_smaller_and_told() -> None:
    planted = next(planted for planted in PLANTED if planted.sentence == "fresh")
    faults = (Fault(250, "restart", 5), *planted.faults, Fault(650, "garbage", 0))
    setting = Setting(1, faults, 0.3)
    small = smaller(setting, "fresh page", lambda setting: run(setting, plant=plant(planted)))
    assert small.faults == planted.faults
    story = tell(run(small, plant=plant(planted)), "fresh page")
    assert SENTENCES["fresh"] in story
    assert "the meters do not answer for 300 s" in story
    assert "Fault(300, 'silent', 300, 0)" in story
