"""The bill of materials of a release, as CycloneDX 1.6: our packages, and what the lock says they need.

Names, versions and conditions come from ``requirements/*.txt``, licences and who needs whom from what is installed here.
"""

from __future__ import annotations

import hashlib
import re
from email.parser import HeaderParser
from importlib import metadata
from typing import TYPE_CHECKING
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZipFile

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from email.message import Message
    from pathlib import Path

LOCKS = ("runtime", "piprint")
"""What is installed where our programs run."""

COPIED_IN = (("uplot", "1.6.32", "MIT", "npm"),)
"""Libraries whose files lie in the repository: name, version, licence, where they come from."""


class NotAsLocked(RuntimeError):
    """What is installed here is not what the lock says."""


def locked(text: str) -> list[Requirement]:
    """Return the requirements of a lock file, without their hashes."""
    lines = (line.partition("\\")[0].strip() for line in text.splitlines() if re.match(r"[A-Za-z0-9]", line))
    return [Requirement(line) for line in lines]


def _licence(headers: Message) -> License | None:
    """Return a library's licence as its author wrote it: the expression, else the short text, else the classifiers."""
    text = headers.get("License-Expression") or headers.get("License") or ""
    if not text or "\n" in text or len(text) > 100:
        classifiers = headers.get_all("Classifier") or []
        text = " OR ".join(line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License :: "))
    return LicenseFactory().make_from_string(text) if text else None


def _needs(lines: Iterable[str], extra: str = "") -> set[str]:
    wanted = [Requirement(line) for line in lines]
    return {
        canonicalize_name(each.name) for each in wanted if not each.marker or each.marker.evaluate({"extra": extra})
    }


def _library(requirement: Requirement) -> tuple[Component, set[str]]:
    """Return a library of the lock and the names of what it needs.

    A library for another system is not installed here: neither its licence nor its needs are known, and it counts as optional.

    Raises:
        NotAsLocked: another version is installed.
    """
    (pin,) = requirement.specifier
    name = canonicalize_name(requirement.name)
    component = Component(
        name=name,
        version=pin.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{name}=={pin.version}",
        purl=PackageURL("pypi", name=name, version=pin.version),
    )
    if requirement.marker:
        component.properties.add(Property(name="python:marker", value=str(requirement.marker)))
    try:
        installed = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        component.scope = ComponentScope.OPTIONAL
        return component, set()
    if installed.version != pin.version:
        raise NotAsLocked(
            f"{name} {installed.version} is installed here but the lock says {pin.version}. Install what is locked (make test), then try again."
        )
    licence = _licence(installed.metadata)  # type: ignore[arg-type]
    if licence is not None:
        component.licenses.add(licence)
    return component, _needs(installed.requires or [])


def _ours(wheel: Path) -> tuple[Component, set[str], set[str]]:
    """Return one of our packages, what it needs, and what else its extras need."""
    with ZipFile(wheel) as opened:
        (name,) = [each for each in opened.namelist() if each.endswith(".dist-info/METADATA")]
        headers = HeaderParser().parsestr(opened.read(name).decode())
    component = Component(
        name=headers["Name"],
        version=headers["Version"],
        type=ComponentType.APPLICATION,
        bom_ref=headers["Name"],
        description=headers["Summary"],
        purl=PackageURL("pypi", name=headers["Name"], version=headers["Version"]),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(wheel.read_bytes()).hexdigest())],
        licenses=[LicenseFactory().make_from_string(headers["License-Expression"])],
    )
    lines = headers.get_all("Requires-Dist") or []
    needed = _needs(lines)
    extra = {each for name in headers.get_all("Provides-Extra") or [] for each in _needs(lines, name)}
    return component, needed, extra - needed


def _closure(names: Iterable[str], needs: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting |= needs.get(name, set())
    return found


def bill_of_materials(locks: Path, wheels: Path, version: str, day: datetime) -> str:
    """Return the document as JSON, always the same for the same release.

    Args:
        locks: the folder with the locked requirements.
        wheels: the folder with our wheels.
        version: of the release.
        day: of the release; the document's time stamp.

    Raises:
        NotAsLocked: what is installed here is not what the lock says.
    """
    wanted = {str(each): each for lock in LOCKS for each in locked((locks / f"{lock}.txt").read_text(encoding="utf-8"))}
    parts: dict[str, Component] = {}
    needs: dict[str, set[str]] = {}
    for requirement in wanted.values():
        component, needs[component.name] = _library(requirement)
        parts[component.name] = component
    programs: dict[str, Component] = {}
    optional: set[str] = set()
    for wheel in sorted(wheels.glob("*.whl")):
        component, needs[component.name], extras = _ours(wheel)
        programs[component.name] = component
        optional |= extras
    always = _closure(programs, needs)
    sometimes = _closure(optional, needs)
    for name, component in parts.items():
        # Excluded: what only builds and installs our packages.
        asked = ComponentScope.OPTIONAL if name in sometimes or component.scope else ComponentScope.EXCLUDED
        component.scope = ComponentScope.REQUIRED if name in always else asked
    bom = Bom(serial_number=uuid5(NAMESPACE_URL, f"{version} {sorted(str(each.hashes) for each in programs.values())}"))
    bom.metadata.timestamp = day
    bom.metadata.tools.tools.clear()
    whole = Component(name="nes2mqtt-and-piprint", version=version, type=ComponentType.APPLICATION, bom_ref="release")
    bom.metadata.component = whole
    everything = {**parts, **programs}
    for component in everything.values():
        bom.components.add(component)
    for name, component in everything.items():
        bom.register_dependency(component, [everything[each] for each in sorted(needs[name]) if each in everything])
    bom.register_dependency(whole, programs.values())
    for name, copied, licence, kind in COPIED_IN:
        copy = Component(
            name=name,
            version=copied,
            bom_ref=name,
            purl=PackageURL(kind, name=name, version=copied),
            scope=ComponentScope.REQUIRED,
        )
        copy.licenses.add(LicenseFactory().make_from_string(licence))
        bom.components.add(copy)
        bom.register_dependency(programs["nes2mqtt"], [copy])
    return JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
