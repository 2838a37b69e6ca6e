"""The simulated meter as one object: tables, keys, lines and ports put together.

It has a MEP port and an optical port, which show the same tables; a house's meter from firmware 4.0 on has a second MEP port, with a
sequence number of its own (MEP guide v1.1 p. 19-24). Meters before firmware 4 have one UART for both kinds (p. 20): while a session is open at the optical port, the MEP port is dead; what the meter says at the MEP
port can be heard at the optical port too; and the first packet of a session arrives damaged.

This module does not know command lines.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from osgp.errors import MisuseError
from osgp.image import MeterImage
from osgp.key import MeterKey
from osgp.mep.events import AlertSent, RequestAnswered, ServerEvent, TlsSessionOpened
from osgp.mep.server import Access, MepServer
from osgp.mep.tls_server import TlsRule
from osgp.optical.events import RequestAnswered as OpticalAnswered
from osgp.optical.events import ServerEvent as OpticalEvent
from osgp.optical.events import ServiceRefused
from osgp.optical.key import OpticalKey
from osgp.optical.rights import Access as OpticalAccess
from osgp.optical.server import FirstPacket, OpticalServer
from osgp.optical.server import Meter as OpticalHabits
from osgp.psem import PartialWrite, Request, Response, Write, table_id
from osgp.simulator.faults import Faults, FaultyLine
from osgp.simulator.history.configuration import FIRMWARE
from osgp.simulator.history.happenings import FirmwareChanged, Happening, History, Reconfigured
from osgp.simulator.house import House
from osgp.simulator.line import SEQUENCE_JUMP, MeterLine
from osgp.simulator.memory import ET13_ALERT_FLAGS, Contents, TableMemory
from osgp.simulator.model import house_memory, image_memory
from osgp.simulator.noise import mix
from osgp.simulator.rights import Sender, mep_sender, optical_sender
from osgp.simulator.serve import LineDriver, PseudoTerminal, TcpPort
from osgp.tables import TABLES, Dimensions

__all__ = ["DEMO_KEY_TEXT", "SimulatedMeter", "Traffic"]

DEMO_KEY_TEXT = "SIMULATED-METER-DEMO"
"""The key of every simulated meter that is given none. It is public and protects nothing."""

_SWAPPED_SEED = 1_000_000
"""What is added to a house's seed to get the meter that replaces its own."""

_OTHER_SEQUENCE = 1_000_003
"""How far another meter's sequence number lies away."""

_TWO_PORTS_SINCE = (4, 0)
"""Firmware (MEP guide v1.1 p. 19)."""

_OWN_UART_SINCE = 4
"""Application firmware whose optical port has a UART of its own (MEP guide v1.1 p. 20)."""

_ET03_SERIAL_SIZE = TABLES["ET03"].place(Dimensions(), "utility_serial_number").size
"""The serial number stands at the beginning of ET03 (MEP guide v1.1 p. 55)."""

_ET04_IDT_VERSION = TABLES["ET04"].place(Dimensions(), "idt_version").offset
"""Changes with any dimension (MEP guide v1.1 p. 65)."""


@dataclass(slots=True)
class Traffic:
    """What a simulated meter has done, at both ports."""

    answered: int = 0
    refused: int = 0
    alerts: int = 0


class SimulatedMeter:
    """One simulated meter. Use it as an async context manager; leaving closes its ports.

    Args:
        source: an image to serve, or a house to stand in; by default the house of ``seed``.
        mbk: the basic key; by default the demo key.
        mak: the advanced key, if there is one.
        optical_keys: the keys of the optical port; by default the demo key reads.
        habits: what the optical port does where meters differ; by default what follows from the UART.
        shared_uart: both ports have one UART; by default what the firmware in BT01 says.
        faults: what goes wrong.
        seed: of the default house and of the faults.
        baud: bits a second on the line; 0 answers at once.
        encrypt_only: do not understand plain requests.
        tls: what the MEP port says to TLS.
        clock: UTC seconds; what it gives is kept from running backwards.
    """

    def __init__(
        self,
        source: MeterImage | House | None = None,
        *,
        mbk: MeterKey | None = None,
        mak: MeterKey | None = None,
        optical_keys: Mapping[OpticalAccess, OpticalKey] | None = None,
        habits: OpticalHabits | None = None,
        shared_uart: bool | None = None,
        faults: Faults | None = None,
        seed: int = 1,
        baud: int = 0,
        encrypt_only: bool = False,
        tls: TlsRule = TlsRule.ABSENT,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.traffic = Traffic()
        self._faults = faults or Faults()
        self._seed = seed
        self._baud = baud
        self._clock = clock
        self._latest = 0.0
        step = self._faults.clock_step
        self._tls_required = None if tls is TlsRule.ABSENT else tls is TlsRule.REQUIRED
        house = House(seed) if source is None else source
        self._house: House | None = None
        self._changed = self._restarted = 0
        if isinstance(house, MeterImage):
            self.history = History()
            self._memory = image_memory(house, clock_step=step)
            self._replacement: TableMemory | None = None
        else:
            self.history = house.history
            self._house, self._firmware = house, house.history.firmware(house.installed)
            self._memory = house_memory(house, clock_step=step, tls_required=self._tls_required)
            swap = bool(self._faults.meter_swap)
            self._replacement = (
                house_memory(
                    House(house.seed + _SWAPPED_SEED, history=self.history),
                    clock_step=step,
                    tls_required=self._tls_required,
                )
                if swap
                else None
            )
        keys = {Access.BASIC: mbk or MeterKey.parse(DEMO_KEY_TEXT)}
        if mak is not None:
            keys[Access.ADVANCED] = mak
        self._server = MepServer(keys, self._answer, sequence=mix(seed), encrypted_only=encrypt_only, tls=tls)
        self._second: MepServer | None = None
        if self._house is not None and self._firmware >= _TWO_PORTS_SINCE:
            self._second = MepServer(
                keys, self._answer_second, sequence=mix(seed + 1), encrypted_only=encrypt_only, tls=tls
            )
        self._shared = self._has_one_uart() if shared_uart is None else shared_uart
        self._optical = OpticalServer(
            optical_keys or {OpticalAccess.READ_ONLY: OpticalKey.parse(DEMO_KEY_TEXT)},
            self._answer_light,
            meter=habits or OpticalHabits(first_packet=FirstPacket.DAMAGED if self._shared else FirstPacket.HEARD),
        )
        self._driver: LineDriver | None = None
        self._second_driver: LineDriver | None = None
        self._window: LineDriver | None = None
        self._ports: list[TcpPort | PseudoTerminal] = []
        self._swap_at = float("inf")
        self._optical_listener: Callable[[OpticalEvent], None] | None = None

    async def __aenter__(self) -> Self:
        # A house adds up the days since its meter was installed when first asked, which takes longer than a client waits.
        self._memory.read(table_id("BT23"), self._now())
        self._catch_up()
        if self.history or self.history.firmware(self._latest) != FIRMWARE:
            # So do logs with gaps, and those of meters with more registers.
            for name in ("BT26", "BT64", "BT65", "BT66", "BT67"):
                self._memory.read(table_id(name), self._latest)
        now = asyncio.get_running_loop().time()
        faulty = FaultyLine(self._faults, self._seed, now)
        line = MeterLine(
            self._server,
            faulty,
            baud=self._baud,
            observe=self._count,
            jump=self._server.advance,
            switched_out=lambda: self._dark() or (self._shared and self._optical.active),
        )
        if self._second is not None:
            second_line = MeterLine(
                self._second,
                FaultyLine(self._faults, self._seed + 1, now),
                baud=self._baud,
                observe=self._count,
                jump=self._second.advance,
                switched_out=self._dark,
            )
            self._second_driver = LineDriver(second_line)
        if self._faults.meter_swap:
            self._swap_at = now + self._faults.meter_swap
        self._driver = LineDriver(line)
        damaged = FaultyLine(self._faults.of_optical_port(), self._seed, now)
        self._window = LineDriver(
            MeterLine(self._optical, damaged, baud=self._baud, observe=self._count_light, switched_out=self._dark)
        )
        if self._shared:
            self._driver.attach(self._window)
        if self._faults.alerts:
            self.alert(self._faults.alerts)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for driver in (self._running(), self._lit(), self._second_driver):
            if driver is not None:
                driver.close()
        for port in self._ports:
            if isinstance(port, TcpPort):
                await port.close()
            else:
                port.close()
        self._ports.clear()
        self._driver = self._window = self._second_driver = None

    async def serve_tcp(self, host: str = "127.0.0.1", port: int = 0, *, mep: int = 1) -> str:
        """Listen for clients of a MEP port, 1 or 2, and return the URL for them. All of them share the port's one line.

        Raises:
            MisuseError: the meter has no second MEP port.
        """
        tcp = TcpPort(self._running(mep))
        url = await tcp.open(host, port)
        self._ports.append(tcp)
        return url

    def serve_pty(self, path: str | None = None, *, mep: int = 1) -> str:
        """Make a pseudo-terminal, linked at ``path`` if given, and return the URL for clients of a MEP port, 1 or 2.

        Raises:
            MisuseError: the meter has no second MEP port.
        """
        terminal = PseudoTerminal(self._running(mep))
        url = terminal.open(path)
        self._ports.append(terminal)
        return url

    async def serve_optical_tcp(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Let clients hold a probe to the optical port over TCP, and return the URL for them."""
        tcp = TcpPort(self._lit(), "optical+tcp")
        url = await tcp.open(host, port)
        self._ports.append(tcp)
        return url

    def serve_optical_pty(self, path: str | None = None) -> str:
        """Make a pseudo-terminal that is a probe on the optical port, and return the URL for clients."""
        terminal = PseudoTerminal(self._lit(), "optical")
        url = terminal.open(path)
        self._ports.append(terminal)
        return url

    def read(self, table: str | int) -> bytes | None:
        """Return what a table holds now, whoever may read it; None where the meter has no such table."""
        self._catch_up()
        return self._memory.read(table_id(table) if isinstance(table, str) else table, self._now())

    def put_in(self, table: str | int, contents: Contents | None) -> None:
        """Let a table hold something else from now on, as if it had always been so: nothing else changes.

        Args:
            table: name (``BT23``) or id.
            contents: bytes, or a function of UTC seconds that gives them; None: the meter has no such table.
        """
        self._memory.place(table_id(table) if isinstance(table, str) else table, contents)

    def happen(self, happening: Happening) -> None:
        """Let something happen to the house and its meter, now or later.

        Raises:
            MisuseError: it lies in the past, where it would change what has been shown; give the house a history instead.
                Or the meter is an image, to which nothing happens.
        """
        if self._house is None:
            raise MisuseError("an image of a meter has no house to which something could happen; simulate a house")
        if happening.at < int(self._now()):
            raise MisuseError(
                "what is to happen lies in the past, where the meter has shown other values already; give the house a history "
                "before the meter starts"
            )
        self.history.add(happening)

    @property
    def in_session(self) -> bool:
        """Tell whether a session is open at the optical port."""
        return self._optical.active

    @property
    def one_uart(self) -> bool:
        """Tell whether both ports have one UART, so that one is deaf while the other is used."""
        return self._shared

    def watch_optical_port(self, heard: Callable[[bytes], None], happened: Callable[[OpticalEvent], None]) -> None:
        """Tell from now on which bytes clients send to the optical port, and what the meter reports of it.

        Raises:
            MisuseError: the simulated meter is not running.
        """
        self._lit().listener = heard
        self._optical_listener = happened

    def reconfigure(self, tables: Mapping[str, Contents | None]) -> None:
        """Change tables as a grid company does that gives the meter other dimensions: all of them at once.

        The meter tells of it as a real one does (MEP guide v1.1 p. 54-55): ET04.116 counts one up, after 255 comes 0,
        and the sequence number of the MEP port moves on by 25. At the optical port a session goes on as if nothing had
        happened.

        Args:
            tables: by name what :meth:`put_in` takes.
        """
        for table, contents in tables.items():
            self.put_in(table, contents)
        self._count_change()

    def replace_identity(self, serial: str) -> None:
        """Put another meter in, of which only the serial number (ET03) is another yet: :meth:`put_in` does the rest.

        Its sequence number at the MEP port is another too. An open session at the optical port goes on, which
        makes it hard for a client to notice.

        Args:
            serial: the utility's serial number, up to 30 ASCII characters.

        Raises:
            MisuseError: longer, or other characters.
        """
        try:
            text = serial.encode("ascii")
        except UnicodeEncodeError:
            raise MisuseError("a serial number has ASCII characters only") from None
        if len(text) > _ET03_SERIAL_SIZE:
            raise MisuseError(f"a serial number has up to {_ET03_SERIAL_SIZE} characters")
        identity = self.read("ET03") or bytes(TABLES["ET03"].size(Dimensions()))
        self.put_in("ET03", text.ljust(_ET03_SERIAL_SIZE, b"\0") + identity[_ET03_SERIAL_SIZE:])
        self._server.advance(_OTHER_SEQUENCE)

    def power_cycle(self) -> None:
        """Do what a level shifter's power-cycle circuit does."""
        self._running().power_cycle()

    def alert(self, flags: int, *, mep: int = 1) -> None:
        """Set the alert flags of a MEP port's client in ET13 and send alerts there until they are 0.

        A client clears them by EP39, or by writing ET13.

        Raises:
            MisuseError: the meter has no second MEP port.
        """
        driver = self._running(mep)
        self._memory.put(table_id("ET13"), ET13_ALERT_FLAGS[mep - 1], bytes((flags,)))
        self._ports_servers()[mep - 1].alert(bool(flags), asyncio.get_running_loop().time())
        driver.pump()

    def _ports_servers(self) -> list[MepServer]:
        return [self._server] if self._second is None else [self._server, self._second]

    def _running(self, mep: int = 1) -> LineDriver:
        if self._driver is None:
            raise MisuseError("the simulated meter is not running; use it in 'async with'")
        if mep == 1:
            return self._driver
        if self._second_driver is None:
            raise MisuseError(
                "this meter has one MEP port; houses' meters from firmware 4.0 on have two (scenario firmware=4.30)"
            )
        return self._second_driver

    def _lit(self) -> LineDriver:
        if self._window is None:
            raise MisuseError("the simulated meter is not running; use it in 'async with'")
        return self._window

    def _dark(self) -> bool:
        """Tell whether the meter has no power."""
        self._catch_up()
        return not self.history.powered(self._latest)

    def _catch_up(self) -> None:
        """Do what has happened since the meter was last looked at, apart from its tables, which follow the time."""
        now = self._now()
        cuts = len(self.history.cuts(now))
        if cuts != self._restarted:
            self._restarted = cuts
            self._optical.restart()
        changes = len(self.history.until(now, Reconfigured)) + len(self.history.until(now, FirmwareChanged))
        if changes == self._changed:
            return
        if self._house is not None and self.history.firmware(now) != self._firmware:
            self._firmware = self.history.firmware(now)
            made = house_memory(
                self._house, clock_step=self._faults.clock_step, now=now, tls_required=self._tls_required
            )
            self._memory = self._memory.renewed(made)
        for _ in range(changes - self._changed):
            self._count_change()
        self._changed = changes

    def _count_change(self) -> None:
        """Tell that dimensions have changed, as a real meter does (MEP guide v1.1 p. 54-55)."""
        version = self._memory.read(table_id("ET04"), self._latest)
        if version is not None and len(version) > _ET04_IDT_VERSION:
            counted = (version[_ET04_IDT_VERSION] + 1) % 256
            self._memory.put(table_id("ET04"), _ET04_IDT_VERSION, bytes((counted,)))
        for server in self._ports_servers():
            server.advance(SEQUENCE_JUMP)

    def _has_one_uart(self) -> bool:
        data = self._memory.read(table_id("BT01"), self._now())
        return data is None or TABLES["BT01"].decode(data, Dimensions())["firmware"][0] < _OWN_UART_SINCE

    def _answer(self, request: Request, access: Access) -> Response:
        return self._carry_out(request, mep_sender(access))

    def _answer_second(self, request: Request, access: Access) -> Response:
        return self._carry_out(request, mep_sender(access, port=2))

    def _answer_light(self, request: Request, access: OpticalAccess) -> Response:
        return self._carry_out(request, optical_sender(access))

    def _carry_out(self, request: Request, sender: Sender) -> Response:
        if self._replacement is not None and asyncio.get_running_loop().time() >= self._swap_at:
            self._memory, self._replacement = self._replacement, None
            self._house = None  # that of the meter that is gone
            self._server.advance(_OTHER_SEQUENCE)
        response = self._memory.answer(request, sender, self._now())
        if isinstance(request, Write | PartialWrite):
            for port, server in enumerate(self._ports_servers(), 1):
                if not self._memory.alert_flags(port):
                    # Alerts end when what they told of is done: their flags are 0 again (MEP guide v1.1 p. 17-18).
                    server.alert(on=False, now=asyncio.get_running_loop().time())
        return response

    def _now(self) -> float:
        """Return UTC seconds that never go back: a computer's clock may be set back, a meter's registers may not."""
        self._latest = max(self._latest, self._clock())
        return self._latest

    def _count(self, event: ServerEvent) -> None:
        if isinstance(event, RequestAnswered):
            self.traffic.answered += 1
        elif isinstance(event, AlertSent):
            self.traffic.alerts += 1
        elif not isinstance(event, TlsSessionOpened):
            self.traffic.refused += 1

    def _count_light(self, event: OpticalEvent) -> None:
        if self._optical_listener is not None:
            self._optical_listener(event)
        if isinstance(event, OpticalAnswered):
            self.traffic.answered += 1
        elif isinstance(event, ServiceRefused):
            self.traffic.refused += 1
