"""Opening the port of a meter, and closing it.

This module does not know what is asked through it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from osgp.errors import MisuseError
from osgp.key import MeterKey
from osgp.mep.security import Security
from osgp.meter.budget import ReadBudget
from osgp.meter.known import KnownMeter
from osgp.meter.meter import LinkEvent, Meter
from osgp.meter.writing import AllowWrites
from osgp.ports.connection import Connection
from osgp.ports.mep_port import MepConnection
from osgp.ports.recovery import Recovery
from osgp.ports.transport import Address

if TYPE_CHECKING:
    from osgp.optical.settings import SessionSettings

__all__ = ["open_meter"]


@asynccontextmanager
async def open_meter(
    url: str,
    *,
    key: MeterKey | None,
    security: Security | str = Security.AUTO,
    session: SessionSettings | None = None,
    allow_writes: AllowWrites | None = None,
    power_cycle: Recovery | None = None,
    read_budget: ReadBudget | None = None,
    known: KnownMeter | None = None,
    on_event: Callable[[LinkEvent], None] | None = None,
    token: str = "",
) -> AsyncIterator[Meter]:
    """Open the port of a meter; nothing is sent before the first question.

    Args:
        url: ``serial:///dev/...``, ``tcp://host:port``, ``rfc2217://host:port`` or the path of a serial port;
            ``module://host`` for a module in the meter; ``optical:///dev/...`` or ``optical+tcp://host:port`` for the optical port.
        key: the meter's key; for an optical port an :class:`~osgp.optical.key.OpticalKey`, or None to read only what
            a meter shows to everybody.
        security: MEP port: how to protect what goes over the wire (:class:`~osgp.mep.security.Security`), or its value.
        session: optical port: how to behave there.
        allow_writes: what may be written; None makes the meter read-only.
        power_cycle: what to do about repeated silence; keep it for the next opening.
        read_budget: how often to read; None for no limit. The guide recommends one table a second on
            average, which is :class:`ReadBudget`'s default.
        known: what earlier openings of this port learned of the meter; spares asking again.
        on_event: see :attr:`osgp.meter.meter.Meter.on_event`.
        token: of the module in the meter; empty where there is none.

    Raises:
        MisuseError: the address has none of the known forms, the key is one for the other port, there is no such
            security, or TLS is wanted and the Python package cryptography is not installed.
        TlsUnavailable: it is not installed, and ``known`` says that the meter speaks TLS.
        PasswordRefused: the optical port refused this key before, while this program runs.
        TransportError: the port cannot be opened; see :func:`osgp.ports.transport.open_port`.
    """
    address = Address.parse(url)
    if token:
        address = address.with_token(token)
    connection: Connection[Any]
    if address.optical:
        from osgp.ports.optical_port import OpticalConnection  # noqa: PLC0415 - most programs read MEP ports only

        connection = OpticalConnection(address, key, settings=session, recovery=power_cycle)
    elif key is None:
        raise MisuseError("a MEP port tells nothing without the meter's key")
    else:
        seen = known.security if known is not None else None
        connection = MepConnection(address, key, security=_security(security), seen=seen, recovery=power_cycle)
    meter = Meter(connection, read_budget, allow_writes, known)
    meter.on_event = on_event
    await connection.open()
    try:
        yield meter
    finally:
        await connection.close()


def _security(wanted: Security | str) -> Security:
    try:
        return Security(wanted)
    except ValueError:
        raise MisuseError(f"there is no security '{wanted}'; there are {', '.join(Security)}") from None
