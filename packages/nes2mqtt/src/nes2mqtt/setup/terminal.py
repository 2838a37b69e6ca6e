"""The first run in a terminal: the questions of :mod:`~nes2mqtt.setup.steps`, one line each, in plain lines.

Nothing moves on the screen, so it works in 80 columns, over a slow connection and with a screen reader.

This module does not know what an answer means.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from zoneinfo import ZoneInfo

from nes2mqtt.setup.brokers import NearBroker
from nes2mqtt.setup.draft import Seen
from nes2mqtt.setup.steps import STEPS, Field, Kind, Step, StepName, id_from
from nes2mqtt.setup.wizard import Outcome, Wizard
from nes2mqtt.setup.words import Words
from nes2mqtt.setup.writing import Saved

__all__ = ["Terminal", "seen_words"]

_WIDTH = 78
_OF_ANY_FIELD = frozenset({"empty", "unreadable", "no_choice"})
"""Sentences that do not say which answer they are about."""


def seen_words(seen: Seen, words: Words) -> list[str]:
    """Say what a meter told; what it did not tell is left out."""
    lines = []
    if seen.model or seen.serial:
        maker = " ".join(part for part in (seen.manufacturer, seen.model) if part)
        lines.append(words.text("seen_who" if seen.serial else "seen_model", {"maker": maker, "serial": seen.serial}))
    if seen.power is not None:
        lines.append(words.text("seen_draws" if seen.power >= 0 else "seen_gives", {"watts": abs(seen.power)}))
    if seen.reading is not None:
        lines.append(words.text("seen_reading", {"kwh": f"{seen.reading / 1000:.3f}"}))
    return lines


class _Back(Exception):
    """Somebody wants the step before."""


class Terminal:
    """One first run in a terminal.

    Args:
        wizard: takes the answers.
        words: the language.
        say: prints a line.
        ask: prints a question and returns the line that is typed.
        ask_unseen: the same, without showing what is typed.
    """

    def __init__(
        self,
        wizard: Wizard,
        words: Words,
        say: Callable[[str], None],
        ask: Callable[[str], str],
        ask_unseen: Callable[[str], str],
    ) -> None:
        self._wizard = wizard
        self._words = words
        self._say = say
        self._ask = ask
        self._ask_unseen = ask_unseen
        self._brokers: dict[str, NearBroker] = {}

    async def run(self) -> Saved | None:
        """Go through all steps; return what was written, None when its owner did not want it.

        Raises:
            EOFError: nobody answers.
        """
        self._tell(self._words.text("terminal_begin"), indent="")
        self._say(self._words.text("go_back"))
        at = 0
        while at < len(STEPS):
            step = STEPS[at]
            self._say(f"\n{at + 1}/{len(STEPS)} {self._words.text(f'step_{step.name}')}")
            optical = "_optical" if step.name is StepName.KEY and self._wizard.draft.optical else ""
            self._tell(self._words.text(f"intro_{step.name}{optical}"))
            try:
                outcome = await (self._save(step) if step.name is StepName.CHECK else self._step(step))
            except _Back:
                at = max(0, at - 1)
                continue
            if outcome is None or outcome.saved is not None:
                return outcome.saved if outcome is not None else None
            # An answer that was changed may have made a later one void.
            missing = [number for number, each in enumerate(STEPS) if each.name in self._wizard.missing()]
            at = min([at + 1, *missing])
        return None

    async def _step(self, step: Step) -> Outcome | None:
        answers = self._wizard.defaults(step)
        fields = list(step.fields)
        while True:
            await self._fill(step, fields, answers)
            if step.name in {StepName.PORT, StepName.KEY, StepName.MQTT}:
                self._say(f"  {self._words.text('trying')}")
            outcome = await self._wizard.submit(step.name, answers)
            if not outcome.accepted and all(said.passable for said in outcome.said):
                self._show(outcome)
                if self._yes("anyway_question", default=False):
                    outcome = await self._wizard.submit(step.name, answers, anyway=True)
            else:
                self._show(outcome)
            if outcome.accepted:
                return outcome
            # Only what is wrong is asked again; all of it where nobody can say which.
            wrong = {said.field for said in outcome.said} if step.name is not StepName.MQTT else {""}
            fields = [each for each in step.fields if each.name in wrong or "" in wrong] or list(step.fields)
            if any(each.kind is Kind.PASSWORD for each in fields):
                fields = [each for each in step.fields if each.kind is Kind.PASSWORD]

    async def _fill(self, step: Step, fields: list[Field], answers: dict[str, str]) -> None:
        for each in fields:
            asked = {**answers, "socket": "optical" if self._wizard.draft.optical else "mep"}
            if not each.is_asked(asked if step.name is StepName.KEY else answers):
                answers[each.name] = each.default
                continue
            default = answers.get(each.name, "")
            if each.name == "name":
                default = default or self._words.text("default_name")
            if each.name == "id":
                default = default or id_from(answers.get("name", ""))
            before = answers.get(each.name, "")
            answers[each.name] = await self._answer(each, default)
            if each.kind is Kind.BROKER and answers[each.name] != before and answers[each.name] in self._brokers:
                answers |= self._brokers[answers[each.name]].answers

    async def _answer(self, field: Field, default: str) -> str:
        label = self._words.text(f"field_{field.name}")
        self._tell(self._words.text(f"help_{field.name}"))
        if field.kind in {Kind.SECRET, Kind.PASSWORD}:
            return self._typed(self._ask_unseen(f"  {label} ({self._words.text('not_shown')}): "))
        if field.kind is Kind.CHOICE:
            shown = [(value, self._words.text(f"choice_{field.name}_{value}")) for value in field.choices]
            return self._choose(label, shown, default, others=False)
        if field.kind is Kind.PORT:
            ports = await self._wizard.ports()
            shown = []
            for port in ports:
                words = [port.title, port.path] if port.title else [port.path]
                if port.said is not None:
                    words.append(f"({self._words.said(port.said)})")
                shown.append((port.path, "  ".join(words)))
            if not shown:
                self._tell(self._words.text("no_ports"))
            return self._choose(label, shown, default, others=True)
        if field.kind is Kind.BROKER:
            self._brokers = {broker.host: broker for broker in await self._wizard.brokers()}
            shown = [(host, broker.title) for host, broker in self._brokers.items()]
            return self._choose(label, shown, default, others=True)
        return self._line(label, default)

    def _choose(self, label: str, shown: list[tuple[str, str]], default: str, *, others: bool) -> str:
        """Let one of several be chosen by its number, or anything be typed where that is possible."""
        if not shown:
            return self._line(label, default)
        for number, (_, words) in enumerate(shown, 1):
            self._tell(f"{number}) {words}", indent="    ")
        values = [value for value, _ in shown]
        preset = str(values.index(default) + 1) if default in values else "1"
        if others:
            self._tell(self._words.text("or_type"))
        while True:
            typed = self._line(label, preset)
            if typed.isascii() and typed.isdigit() and 0 < int(typed) <= len(values):
                return values[int(typed) - 1]
            if others and typed:
                return typed
            self._say(f"  {self._words.text('choose_number', {'count': len(values)})}")

    def _line(self, label: str, default: str) -> str:
        shown = f" [{default}]" if default else ""
        return self._typed(self._ask(f"  {label}{shown}: ")).strip() or default

    @staticmethod
    def _typed(text: str) -> str:
        if text.strip() == "<":
            raise _Back
        return text

    def _yes(self, key: str, *, default: bool) -> bool:
        yes, no = self._words.text("yes"), self._words.text("no")
        hint = f"{yes[0].upper()}/{no[0].lower()}" if default else f"{yes[0].lower()}/{no[0].upper()}"
        typed = self._ask(f"  {self._words.text(key)} [{hint}] ").strip().lower()
        if not typed:
            return default
        return typed[0] in {yes[0].lower(), "y"}

    async def _save(self, step: Step) -> Outcome | None:
        plan = self._wizard.plan()
        assert plan is not None  # noqa: S101 - all steps before were taken
        self._say("")
        for line in plan.text.splitlines():
            self._say(f"    {line}".rstrip())
        self._say("")
        for path in plan.files:
            self._tell(self._words.text("also_written", {"file": str(path)}))
        while self._yes("save_question", default=True):
            outcome = await self._wizard.submit(step.name, {})
            if outcome.accepted:
                return outcome
            self._show(outcome)
        self._say(f"  {self._words.text('nothing_saved')}")
        return None

    def _show(self, outcome: Outcome) -> None:
        for said in outcome.said:
            which = f"{self._words.text(f'field_{said.field}')}: " if said.code in _OF_ANY_FIELD else ""
            self._tell(which + self._words.said(said))
        if outcome.seen is not None:
            for line in seen_words(outcome.seen, self._words):
                self._tell(line)
            if outcome.seen.clock is not None:
                zone = self._wizard.draft.timezone or self._wizard.defaults(STEPS[3])["timezone"]
                local = outcome.seen.clock.astimezone(ZoneInfo(zone or "UTC"))
                self._tell(self._words.text("seen_clock", {"time": f"{local:%H:%M}"}))

    def _tell(self, text: str, indent: str = "  ") -> None:
        if text:
            self._say(
                textwrap.fill(
                    text,
                    _WIDTH,
                    initial_indent=indent,
                    subsequent_indent=f"{indent}   ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
