"""The first run from a file of answers: for images and for those who set up many.

The file is TOML, with a section for each step and a line for each field, named as in :data:`nes2mqtt.setup.steps.STEPS`; secrets in any
of the four forms of :mod:`servicekit.secret`. ``test_meter = false`` and ``test_broker = false`` before the first section leave out
the trials, where the meter or the broker is not there yet.

All that is wrong is told at once. This module does not know the terminal.
"""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from nes2mqtt.host.secret import Secret
from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.meter import Found
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import STEPS, Field, Kind, StepName, problems
from nes2mqtt.setup.wizard import Surroundings, Wizard
from nes2mqtt.setup.writing import Place, Saved
from osgp.ports.transport import Address
from servicekit.text_file import decode

__all__ = ["AnswersError", "Trials", "read_answers", "take_answers"]

_UNSEEN = frozenset({Kind.SECRET, Kind.PASSWORD})
_TRIALS = ("test_meter", "test_broker")

Trials = dict[str, bool]


class AnswersError(Exception):
    """The file is no file of answers; the text says why, without showing any answer."""


def read_answers(file: Path) -> tuple[dict[StepName, dict[str, str]], Trials]:
    """Read a file of answers; which trials are wanted stands beside them.

    Raises:
        AnswersError: it cannot be read, or has something in it that nobody asks for.
    """
    try:
        content = tomllib.loads(decode(file.read_bytes()))
    except OSError as error:
        raise AnswersError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        # What is wrong is not shown: the line may hold a key.
        raise AnswersError(f"{file} is not TOML; docs/getting-started.md shows one") from None
    trials = {name: content.pop(name, True) for name in _TRIALS}
    wrong = [f"{name}: true or false" for name, wanted in trials.items() if not isinstance(wanted, bool)]
    answers: dict[StepName, dict[str, str]] = {}
    for step in STEPS[:-1]:
        section = content.pop(step.name.value, {})
        if not isinstance(section, dict):
            wrong.append(f"[{step.name}] is a section")
            continue
        fields = {each.name: each for each in step.fields if each.name != "again"}
        wrong += [
            f"[{step.name}] {name}: there is no such answer; there are {', '.join(fields)}"
            for name in section
            if name not in fields
        ]
        answers[step.name] = {each.name: each.default for each in step.fields if each.default}
        for name, each in fields.items():
            if name in section:
                try:
                    answers[step.name][name] = _text(section[name], each)
                except ValueError as error:
                    wrong.append(f"[{step.name}] {name}: {error}")
    wrong += [
        f"{name}: there is no such step; there are {', '.join(step.name for step in STEPS[:-1])}" for name in content
    ]
    if wrong:
        raise AnswersError("\n".join(f"{file}: {each}" for each in wrong))
    chosen = answers[StepName.PASSWORD]
    chosen["again"] = chosen.get("password", "")
    return answers, trials


def _text(value: Any, field: Field) -> str:
    """Return an answer as a form would send it.

    Raises:
        ValueError: it is none.
    """
    if field.kind in _UNSEEN:
        return Secret.parse(value).reveal()
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str | int):
        return str(value)
    raise ValueError("must be a text or a number")


async def take_answers(
    answers: dict[StepName, dict[str, str]],
    trials: Trials,
    place: Place,
    listen_port: int,
    world: Surroundings | None = None,
) -> tuple[Saved | None, list[tuple[StepName, Said]]]:
    """Take all answers and save; return what was written, or all that is wrong with its step."""
    found = [
        (step.name, said)
        for step in STEPS[:-1]
        for said in problems(step, {"socket": answers[StepName.PORT].get("socket", ""), **answers[step.name]})
    ]
    if found:
        return None, found
    wizard = Wizard(place, listen_port, _untried(world or Surroundings(), trials))
    for step in STEPS:
        outcome = await wizard.submit(step.name, answers.get(step.name, {}))
        if not outcome.accepted:
            found += [(step.name, said) for said in outcome.said if said.code not in {"first_port", "step_missing"}]
        if outcome.saved is not None:
            return outcome.saved, found
    return None, found


def _untried(world: Surroundings, trials: Trials) -> Surroundings:
    """Return the surroundings without the trials that are not wanted."""

    async def believed(address: Address, *, either: bool) -> Found:
        del either
        return Found(address, answers=False)

    async def unread(*_: object) -> Seen:
        return Seen()

    async def untried(_: object) -> None:
        return None

    if not trials["test_meter"]:
        world = replace(world, hinders=lambda _: None, find_meter=believed, read_meter=unread)
    if not trials["test_broker"]:
        world = replace(world, try_broker=untried)
    return world
