"""Some worlds of the print processor in every test run; ``make simulate KINDS=print`` runs others for as long as you like (README.md)."""

from __future__ import annotations

import pytest
from simulation.plan import Fault
from simulation.printing.faults import KINDS
from simulation.printing.known_failures import KNOWN, known
from simulation.printing.once_failed import ONCE_FAILED
from simulation.printing.planted import PLANTED, Planted, plant
from simulation.printing.sentences import SENTENCES
from simulation.printing.world import Setting, World, run
from simulation.story import smaller, tell

EVERY_TIME = (0, 1, 3, 4, 5)
"""Seeds."""
QUIET = Setting(1, (), 64.0, 2)
"""An hour without work."""


def stories(world: World) -> str:
    kinds = {fault.kind for fault in world.setting.faults}
    return "\n".join(tell(world, name) for name in world.failures if not known(kinds, name))


@pytest.mark.parametrize("seed", EVERY_TIME)
def test_every_sentence_holds_while_printing(seed: int) -> None:
    told = stories(run(Setting.draw(seed, list(KINDS))))
    assert not told, told


def test_every_sentence_holds_in_a_quiet_hour() -> None:
    told = stories(run(QUIET))
    assert not told, told


@pytest.mark.parametrize("name", ONCE_FAILED)
def test_what_once_failed_while_printing_holds(name: str) -> None:
    told = stories(run(ONCE_FAILED[name]))
    assert not told, told


def test_what_is_known_to_fail_while_printing_still_does() -> None:
    for failure in KNOWN:
        failed = run(failure.setting).failures
        assert failure.name in failed, f"{failure.why}: it holds now, take it out of known_failures.py"


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.sentence)
def test_every_sentence_of_printing_can_fail(planted: Planted) -> None:
    world = run(planted.setting(), plant=plant(planted))
    assert any(failure.rule == planted.sentence for failure in world.failures.values()), planted.words


def test_a_fault_is_planted_for_every_sentence_of_printing() -> None:
    assert {planted.sentence for planted in PLANTED} == set(SENTENCES)


def test_one_seed_is_one_world_of_printing() -> None:
    setting = Setting(
        7,
        (Fault(20, "kill_await", 1, 90), Fault(40, "cut_printing", 5, "page"), Fault(60, "bc_after", 40, 0.5)),
        2.0,
        6,
    )
    one, two = run(setting), run(setting)
    assert one.digest.hexdigest() == two.digest.hexdigest()
    assert one.lines_noted == two.lines_noted


def test_a_failing_world_of_printing_is_made_smaller_and_told() -> None:
    planted = next(planted for planted in PLANTED if planted.sentence == "whole")
    faults = (Fault(10, "restart", 1), *planted.faults, Fault(40, "cancel", 0, 3))
    setting = Setting(3, faults, 1.5, 1)
    small = smaller(setting, "whole", lambda setting: run(setting, plant=plant(planted)))
    assert small.faults == planted.faults
    story = tell(run(small, plant=plant(planted)), "whole")
    assert SENTENCES["whole"] in story
    assert "a user prints a document at desk that filters and printers refuse" in story
