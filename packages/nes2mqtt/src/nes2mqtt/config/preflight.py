"""Tells what a good configuration needs of this machine and is not there now.

``check-config`` shows it: a configuration is not called good while its adapter is not plugged in. Nothing is opened that
anybody would notice: files are looked at, names are asked for, the page's port is tried for a moment.

The gateway itself starts all the same: an adapter may be plugged in later, a name server may wake up later.

This module does not know how the gateway uses any of it.
"""

from __future__ import annotations

import importlib.util
import ipaddress
import os
import shutil
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from nes2mqtt.config.settings import Config
from nes2mqtt.meters.config import CommandPowerCycle, GpioPowerCycle, MeterConfig, PowerCycle
from nes2mqtt.outputs.mqtt.config import MqttConfig
from nes2mqtt.outputs.web.config import WebConfig
from osgp.ports.transport import Address, serial_ports

__all__ = ["not_there_now"]

_NAME_SERVER = 5.0
"""Seconds a name server gets to answer."""
_LEAST_ROOM = 100_000_000
"""Bytes; at the default cadence the history takes some ten megabytes a day at first."""


def not_there_now(config: Config, *, ports: Callable[[], Sequence[str]] = serial_ports) -> Iterator[str]:
    """Yield what would not work if the gateway were started now: what it is, what follows, what to do.

    Args:
        config: a configuration that was checked.
        ports: lists the serial ports of this machine.
    """
    devices: dict[str, str] = {}
    for meter, settings in config.meters.items():
        address = Address.parse(settings.port)
        place = f"meters.{meter}.port"
        if address.path:
            yield from _serial_port(place, address.path, ports)
            device = os.path.realpath(address.path)
            other = devices.setdefault(device, meter)
            if other != meter:
                yield f"{place}: meters.{other} has the same adapter ({device}); only one can use it"
        else:
            yield from _name(place, address.host)
        yield from _power_cycle(f"meters.{meter}.power_cycle", settings)
    for broker in config.mqtt:
        yield from _broker(broker)
    if config.history.enabled:
        yield from _folder(config.history.path or config.data_dir / "history.db")
    if config.web is not None:
        yield from _page(config.web)


def _serial_port(place: str, path: str, ports: Callable[[], Sequence[str]]) -> Iterator[str]:
    port = Path(path)
    if not port.exists():
        present = ports()
        listed = (
            f"present: {', '.join(present)}" if present else "no serial port is present: is the adapter plugged in?"
        )
        yield f"{place}: {path} is not there now; {listed}. The gateway waits for it"
    elif not stat.S_ISCHR(port.stat().st_mode):
        yield f"{place}: {path} is no serial port"
    elif not os.access(port, os.R_OK | os.W_OK):
        yield (
            f"{place}: {_me()} may not open {path}; type: sudo usermod -aG dialout {_me()}   and log in again. "
            "The service has this right by itself"
        )


def _me() -> str:
    return os.environ.get("USER") or f"user {os.getuid()}"


def _name(place: str, host: str) -> Iterator[str]:
    """Ask the name server for a host, unless it is an address already."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        pass
    else:
        return
    answer: list[str] = []

    def ask() -> None:
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            answer.append("nothing is called")
        else:
            answer.append("")

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_NAME_SERVER)
    said = answer[0] if answer else "no name server tells the address of"
    if said:
        yield f"{place}: {said} {host} now; check the name, or write the address instead. The gateway goes on trying"


def _power_cycle(place: str, settings: MeterConfig) -> Iterator[str]:
    section: PowerCycle | None = settings.power_cycle
    if isinstance(section, CommandPowerCycle) and shutil.which(section.command[0]) is None:
        yield f"{place}: there is no program {section.command[0]} that {_me()} may run"
    elif isinstance(section, GpioPowerCycle):
        if importlib.util.find_spec("gpiod") is None:
            yield f"{place}: the extra 'gpio' is not installed; type: pip install 'nes2mqtt[gpio]'"
        elif not os.access(section.chip, os.R_OK | os.W_OK):
            yield f"{place}: {section.chip} is not there, or {_me()} may not use it"


def _broker(broker: MqttConfig) -> Iterator[str]:
    yield from _name(f"mqtt {broker.address}", broker.host)
    tls = broker.tls
    if tls is None or not tls.enabled:
        return
    context = ssl.create_default_context()
    if tls.ca_file is not None:
        try:
            context.load_verify_locations(tls.ca_file)
        except (OSError, ValueError) as error:
            yield f"mqtt {broker.address}: ca_file {tls.ca_file} {_unusable(error, 'holds no certificate in PEM form')}"
    if tls.cert_file is not None:
        try:
            context.load_cert_chain(tls.cert_file, tls.key_file)
        except (OSError, ValueError) as error:
            why = _unusable(error, "do not fit together, or are not in PEM form")
            yield f"mqtt {broker.address}: cert_file and key_file {why}"


def _unusable(error: Exception, content: str) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return f"cannot be read: {error.strerror}"
    return content


def _folder(database: Path) -> Iterator[str]:
    """Look whether the history can be written, without making a folder."""
    folder = database.parent
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    if database.is_dir():
        yield f"history: {database} is a folder; name a file"
    elif not folder.is_dir():
        yield f"history: {folder} is no folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        read_only = os.statvfs(folder).f_flag & os.ST_RDONLY
        why = "is on a disk that is mounted read-only" if read_only else f"cannot be written by {_me()}"
        yield (
            f"history: {folder} {why}, so nothing would be kept. Set data_dir to a folder that can, "
            "or under systemd leave data_dir out: the service has a folder of its own"
        )
    elif database.exists() and not os.access(database, os.R_OK | os.W_OK):
        yield f"history: {database} cannot be written by {_me()}; whose is it? type: ls -l {database}"
    elif shutil.disk_usage(folder).free < _LEAST_ROOM:
        yield f"history: the disk of {folder} has less than 100 MB left; make room"


def _page(web: WebConfig) -> Iterator[str]:
    from nes2mqtt.outputs.web.output import check_certificate, explain, listen  # noqa: PLC0415 - loads the web framework

    try:
        check_certificate(web)
        if web.address.port:
            listen(web.address).close()
    except OSError as error:
        yield f"web: {explain(error, web.address)}"
