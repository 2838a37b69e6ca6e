"""What a fresh Debian tree takes over from this machine: where Debian and Python packages come from, and nothing else.

No mirror and no index stands in this repository: apt and pip say which they use here.
"""

from __future__ import annotations

import configparser
import io
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["Host"]

_APT = (
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::https::CAInfo",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
)
"""Settings of apt that say how this machine reaches its mirror."""

_PASSED_ON = re.compile(
    r"(PIP_(?!CACHE_DIR|REQUIRE_VIRTUALENV|TARGET|PREFIX|USER)\w+|(https?|no|all)_proxy)", re.IGNORECASE
)
"""Variables that say how this machine reaches pip's index."""


@dataclass(frozen=True, slots=True)
class Host:
    """Where this machine gets packages from."""

    mirror: str | None
    """Debian's mirror; None where apt does not tell, for debootstrap's own default."""
    security: str | None
    """The mirror of Debian's security updates."""
    settings: dict[str, str]
    """Settings of apt."""
    pip: dict[str, str]
    """Settings of pip's configuration files."""

    @classmethod
    def here(cls) -> Host:
        """Ask apt and pip."""
        mirrors = {"Debian": None, "Debian-Security": None} | _mirrors()
        settings = {name: value for name in _APT if (value := _apt_setting(name))}
        return cls(mirrors["Debian"], mirrors["Debian-Security"], settings, _pip_settings())

    def apt_sources(self, name: str) -> str:
        """Return the lines of ``sources.list`` for a Debian by its name; empty where debootstrap's stay."""
        lines = [f"deb {self.mirror} {name} main", f"deb {self.mirror} {name}-updates main"] if self.mirror else []
        if self.security:
            lines.append(f"deb {self.security} {name}-security main")
        return "".join(f"{line}\n" for line in lines)

    def apt_settings(self) -> str:
        """Return the text of a file for ``apt.conf.d``."""
        return "".join(f'{name} "{value}";\n' for name, value in self.settings.items())

    def pip_conf(self) -> str:
        """Return the text of ``/etc/pip.conf``."""
        parser = configparser.RawConfigParser()
        for key, value in self.pip.items():
            section, _, name = key.partition(".")
            if not parser.has_section(section):
                parser.add_section(section)
            parser.set(section, name, value)
        text = io.StringIO()
        parser.write(text)
        return text.getvalue()

    def environment(self) -> dict[str, str]:
        """Return the variables to pass on."""
        return {name: value for name, value in os.environ.items() if _PASSED_ON.fullmatch(name)}

    def pip_paths(self) -> list[Path]:
        """Return the files and folders of this machine that pip's settings name: indexes, wheels, certificates."""
        words = " ".join([*self.pip.values(), *self.environment().values()]).split()
        paths = (Path(unquote(urlsplit(word).path)) for word in words if word.startswith(("/", "file:")))
        found = {path for path in paths if path.exists()}
        # An index of files may link to a folder beside it: show what is above.
        return sorted(path.parent if path.is_dir() and path.name == "simple" else path for path in found)


def _mirrors() -> dict[str, str]:
    """Return the first mirror of each archive that is Debian's, by its label."""
    done = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(LABEL) $(SITE)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    )
    found: dict[str, str] = {}
    for line in done.stdout.splitlines():
        origin, _, rest = line.partition(" ")
        label, _, site = rest.partition(" ")
        if origin == "Debian":
            found.setdefault(label, site)
    return found


def _apt_setting(name: str) -> str:
    done = subprocess.run(["apt-config", "dump", "--format", "%v", name], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _pip_settings() -> dict[str, str]:
    """Return the settings of pip's files; those of the environment are passed on as such."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    pairs = (line.partition("=") for line in done.stdout.splitlines() if not line.startswith(":env:"))
    settings = {key: value.strip("'").replace("\\n", "\n") for key, _, value in pairs}
    return {key: value for key, value in settings.items() if not key.endswith((".cache-dir", ".require-virtualenv"))}
