"""The first run itself: takes the answers of one step after the other, tries them at once, saves at the end.

Both front ends drive it. Each call tries one thing; calls wait for each other, so no port is opened twice at a time, and what
was refused by a meter is never shown to it again.

This module does not know who answers, nor how what is said is shown.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from nes2mqtt.outputs.mqtt.config import DialectName, MqttConfig, TlsConfig
from nes2mqtt.setup import brokers, detect, meter, writing
from nes2mqtt.setup.draft import Draft, Seen
from nes2mqtt.setup.said import Said
from nes2mqtt.setup.steps import (
    STEPS,
    Answers,
    Step,
    StepName,
    address_of,
    form_of,
    id_from,
    key_of,
    problems,
    written_key,
)
from nes2mqtt.setup.writing import Place, Plan, Saved
from nes2mqtt.timing import time_zone
from nes2mqtt.timing.clock import Clock
from osgp.ports.transport import Address
from servicekit.password import PasswordHash
from servicekit.secret import Secret

__all__ = ["Outcome", "Surroundings", "Wizard"]

_CLOCKS_DIFFER = 120.0
"""Seconds between the meter's clock and this computer's that are worth a word."""


def _now() -> datetime:
    return Clock().host()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the first run asks of the world; tests put others in the place of some."""

    ports: Callable[[], Sequence[detect.SerialPort]] = detect.found_ports
    hinders: Callable[[str], Said | None] = detect.what_hinders
    find_meter: Callable[..., Awaitable[meter.Found]] = meter.find_meter
    read_meter: Callable[..., Awaitable[Seen | Said]] = meter.read_meter
    near_brokers: Callable[[], Awaitable[list[brokers.NearBroker]]] = brokers.near_brokers
    try_broker: Callable[[MqttConfig], Awaitable[Said | None]] = brokers.try_broker
    save: Callable[[Draft, Place, int], Saved | Said] = writing.save
    now: Callable[[], datetime] = _now


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the answers of a step."""

    accepted: bool
    said: tuple[Said, ...] = ()
    seen: Seen | None = None
    """What the meter told meanwhile."""
    saved: Saved | None = field(default=None, repr=False)


def _refused(*said: Said) -> Outcome:
    return Outcome(accepted=False, said=said)


class Wizard:
    """One first run.

    Args:
        place: where the configuration goes.
        listen_port: of the page.
        world: what is asked.
    """

    def __init__(self, place: Place, listen_port: int, world: Surroundings | None = None) -> None:
        self.place = place
        self.listen_port = listen_port
        self.draft = Draft()
        self._world = world if world is not None else Surroundings()
        self._one_at_a_time = asyncio.Lock()
        self._saved: Saved | None = None
        self._refused_keys: set[tuple[str, bytes, str]] = set()

    async def ports(self) -> Sequence[detect.SerialPort]:
        """Look for serial ports."""
        return await asyncio.to_thread(self._world.ports)

    async def brokers(self) -> list[brokers.NearBroker]:
        """Look for brokers that are near."""
        return await self._world.near_brokers()

    def defaults(self, step: Step) -> dict[str, str]:
        """Return what a form of a step begins with: what was answered before, else a guess. Secrets never."""
        draft = self.draft
        answered = {
            "reach": draft.reach,
            "port": draft.port,
            "socket": ("optical" if draft.optical else "mep") if draft.port else "find",
            "padding": draft.padding,
            "name": draft.name,
            "id": draft.id,
            "timezone": draft.timezone or self._zone(),
            "use": draft.use,
            "host": draft.host,
            "broker_port": "" if draft.broker_port is None else str(draft.broker_port),
            "username": draft.username,
            "tls": "yes" if draft.tls else "no",
        }
        return {each.name: answered.get(each.name) or each.default for each in step.fields if each.name in answered}

    @staticmethod
    def _zone() -> str:
        zone = time_zone.system_zone(os.environ)
        return "" if zone is None else str(zone)

    def missing(self) -> list[StepName]:
        """Return the steps before the last one that were not taken yet."""
        return [step.name for step in STEPS if step.name not in self.draft.done and step.name is not StepName.CHECK]

    async def submit(self, name: StepName, answers: Answers, *, anyway: bool = False) -> Outcome:
        """Take the answers of a step, and try them.

        Args:
            name: of the step.
            answers: by the name of the field; what is asked of another step counts for nothing.
            anyway: take them also if a trial failed that somebody else may be at fault for.
        """
        step = next(each for each in STEPS if each.name is name)
        async with self._one_at_a_time:
            given = {each.name: answers.get(each.name, "") for each in step.fields}
            if name is StepName.KEY:
                given["socket"] = "optical" if self.draft.optical else "mep"
            found = problems(step, self._kept(given))
            if found:
                return _refused(*found)
            take = {
                StepName.PASSWORD: self._password,
                StepName.PORT: self._port,
                StepName.KEY: self._key,
                StepName.NAME: self._name,
                StepName.MQTT: self._mqtt,
                StepName.CHECK: self._check,
            }[name]
            return await take(self._kept(given), anyway)

    def _kept(self, answers: Answers) -> dict[str, str]:
        """Fill in the broker's password where the form was left empty and the same user of the same broker has one."""
        kept = dict(answers)
        same = (
            answers.get("host", "").strip() == self.draft.host
            and answers.get("username", "").strip() == self.draft.username
        )
        if (
            "broker_password" in kept
            and not kept["broker_password"]
            and same
            and self.draft.broker_password is not None
        ):
            kept["broker_password"] = self.draft.broker_password.reveal()
        return kept

    def _taken(self, step: StepName, /, **changes: object) -> None:
        self.draft = replace(self.draft, **changes, done=self.draft.done | {step})  # type: ignore[arg-type] # fields of Draft

    async def _password(self, answers: Answers, _anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        hashed = await asyncio.to_thread(PasswordHash.of, answers["password"])
        self._taken(StepName.PASSWORD, password_hash=str(hashed), reach=answers["reach"])
        return Outcome(accepted=True)

    async def _port(self, answers: Answers, anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        address = address_of(answers)
        if address.path:
            hinders = await asyncio.to_thread(self._world.hinders, address.path)
            if hinders is not None:
                return _refused(hinders)
        found = await self._world.find_meter(address, either=answers["socket"] == "find")
        if found.said is not None and not (found.said.passable and anyway):
            return _refused(found.said)
        url, optical = str(found.address.by_identity()), found.address.optical
        if url != self.draft.port:
            # The key was tried somewhere else.
            done = self.draft.done - {StepName.KEY}
            self.draft = replace(self.draft, key=None, seen=None, done=done)
        self._taken(StepName.PORT, port=url, optical=optical)
        said = () if not found.answers else (Said("found_optical" if optical else "found_mep"),)
        return Outcome(accepted=True, said=said, seen=found.seen)

    async def _key(self, answers: Answers, anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        if StepName.PORT not in self.draft.done:
            return _refused(Said("first_port"))
        key = key_of(answers["key"], optical=self.draft.optical)
        shown = (self.draft.port, key.secret, answers["padding"] if self.draft.optical else "")
        if shown in self._refused_keys:
            return _refused(Said("key_same", "key"))
        address = Address.parse(self.draft.port)
        if address.path:
            hinders = await asyncio.to_thread(self._world.hinders, address.path)
            if hinders is not None:
                return _refused(replace(hinders, field=""))
        read = await self._world.read_meter(address, key, answers["padding"], self._world.now)
        noted: tuple[Said, ...] = ()
        if isinstance(read, Said):
            if read.code.startswith("key_refused"):
                self._refused_keys.add(shown)
            if not (read.passable and anyway):
                return _refused(read)
            read = Seen()
        else:
            kind, count = form_of(key)
            noted = (Said(f"key_right_{kind}", "", {"count": count}), *self._clocks(read))
        self._taken(
            StepName.KEY,
            key=Secret(written_key(answers["key"], optical=self.draft.optical)),
            padding=answers["padding"] or "zeros",
            seen=read,
        )
        return Outcome(accepted=True, said=noted, seen=read)

    @staticmethod
    def _clocks(seen: Seen) -> tuple[Said, ...]:
        if seen.behind is None or abs(seen.behind) <= _CLOCKS_DIFFER:
            return ()
        code = "clock_behind" if seen.behind > 0 else "clock_ahead"
        return (Said(code, "", {"count": round(abs(seen.behind) / 60)}),)

    async def _name(self, answers: Answers, _anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        name = answers["name"].strip()
        short = answers["id"].strip() or id_from(name)
        self._taken(StepName.NAME, name=name, id=short, timezone=answers["timezone"].strip())
        return Outcome(accepted=True)

    async def _mqtt(self, answers: Answers, anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        if answers["use"] == "none":
            self._taken(
                StepName.MQTT, use="none", host="", broker_port=None, username="", broker_password=None, tls=False
            )
            return Outcome(accepted=True)
        host, username, tls = answers["host"].strip().strip("[]"), answers["username"].strip(), answers["tls"] == "yes"
        port = int(answers["broker_port"]) if answers["broker_port"].strip() else None
        password = Secret(answers["broker_password"]) if answers["broker_password"] else None
        dialect = DialectName.HOMEASSISTANT if answers["use"] == "homeassistant" else DialectName.NMR_RAW
        config = MqttConfig.model_validate(
            {
                "host": host,
                "port": port,
                "username": username or None,
                "password": None if password is None else password.reveal(),
                "base_topic": writing.gateway_name(self.place.computer),
                "dialects": (dialect,),
                "tls": TlsConfig() if tls else None,
            }
        )
        said = await self._world.try_broker(config)
        if said is not None and not (said.passable and anyway):
            return _refused(said)
        self._taken(
            StepName.MQTT,
            use=answers["use"],
            host=host,
            broker_port=port,
            username=username,
            broker_password=password,
            tls=tls,
        )
        return Outcome(
            accepted=True, said=() if said is not None else (Said("broker_works", "", {"broker": config.address}),)
        )

    def plan(self) -> Plan | None:
        """Return what would be written, without any secret; None as long as answers are missing."""
        if self.missing():
            return None
        return writing.without_secrets(writing.plan(self.draft, self.place, self.listen_port))

    async def _check(self, _answers: Answers, _anyway: bool) -> Outcome:  # noqa: FBT001 - as all steps
        if self._saved is not None:  # a button that was pressed twice
            return Outcome(accepted=True, seen=self.draft.seen, saved=self._saved)
        missing = self.missing()
        if missing:
            return _refused(Said("step_missing", "", {"step": missing[0]}))
        saved = await asyncio.to_thread(self._world.save, self.draft, self.place, self.listen_port)
        if isinstance(saved, Said):
            return _refused(saved)
        self._saved = saved
        return Outcome(accepted=True, seen=self.draft.seen, saved=saved)

    @property
    def path(self) -> Path:
        """Where the configuration goes."""
        return self.place.config
