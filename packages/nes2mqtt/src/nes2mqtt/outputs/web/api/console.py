"""The part of the REST API for the curious: a meter's tables, read now, and the last requests that went to it.

Nothing is written, and what holds keys or passwords is not read. This module does not know how a table is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.meters.console import Console, ShownTable, TooManyAsk, hides
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, known_meter
from nes2mqtt.outputs.web.live.view import label
from nes2mqtt.outputs.web.problem import ProblemError
from osgp.dissector.titles import title
from osgp.errors import MeterRefused, OsgpError
from osgp.psem import ResponseCode, table_id, table_name
from osgp.tables import TABLES

if TYPE_CHECKING:
    from osgp.dissector.table_parts import Part

__all__ = ["OPERATIONS"]

_PATIENCE = 25.0
"""Seconds that a caller waits; the read goes on."""
_T = TypeVar("_T")


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _OfMeter(Asked):
    meter: MeterId


class _Table(_OfMeter):
    table: Annotated[
        str,
        Field(
            pattern=r"^(BT|ET)([0-9]{2,3}|1[0-9]{3}|20[0-3][0-9]|204[0-7])$",
            description="Of `/tables`",
            examples=["BT23"],
        ),
    ]


class TableName(_Model):
    """A table that the meter says it has."""

    table: str = Field(examples=["BT23"])
    title: str = Field(description="In English, as the meter's guides call it; empty where they do not name it")
    decoded: bool = Field(description="Whether its fields are known here")
    hidden: bool = Field(description="It may hold keys or passwords, so it is not read")


class TableFieldReport(_Model):
    """A stretch of a table."""

    offset: int
    hex: str | None = Field(description="Its bytes; null where they are not shown")
    name: str = Field(description="Empty where it is no known field")
    value: str = Field(description="In words")
    unit: str


class TableReport(_Model):
    """A table, as it was read within the last minute."""

    table: str
    title: str
    time: datetime | None = Field(description="When it was read")
    size: int = Field(description="Bytes it has; more than `read` where only its beginning was read")
    read: int = Field(description="Bytes that were read")
    fields: list[TableFieldReport]


class RequestReport(_Model):
    """A request to the meter, or something that happened on the line; never a byte of what it holds."""

    number: int
    time: datetime | None
    outcome: str = Field(
        description="`answered`, `refused`, `failed` (no answer after all attempts), `again` (asked once more), `dropped` "
        "(something came that was not believed), `resynchronised` (the meter named its sequence number)"
    )
    verb: str = Field(description="`read`, `write`, or empty")
    table: str
    title: str
    offset: int | None = Field(description="First byte asked for; null for all of a table")
    asked: int | None = Field(description="Bytes asked for")
    size: int | None = Field(description="Bytes that came")
    code: int | None = Field(description="Of a refusal, as the meter sent it")


async def tables(request: Request, asked: _OfMeter) -> list[TableName]:
    """As the meter itself lists them, read now."""
    found = await _answer(request, asked.meter, lambda of: of.names(asked.meter))
    return [TableName(table=name, title=title(name), decoded=name in TABLES, hidden=hides(name)) for name in found]


async def table(request: Request, asked: _Table) -> TableReport:
    """Read beside everything else, in its turn; the answer is given again for a minute. Of a long table its beginning."""
    if hides(asked.table):
        raise ProblemError(
            403, "This table is not read", "It may hold keys or passwords, which never leave the meter by this page."
        )
    name = table_name(table_id(asked.table))  # BT023 is BT23
    found = await _answer(request, asked.meter, lambda of: of.table(asked.meter, name))
    return _report(found, label(context_of(request).hub.clock, found.instant))


async def requests(request: Request, asked: _OfMeter) -> list[RequestReport]:
    """The last two hundred since the gateway began, the newest first: names, sizes and outcomes."""
    web = context_of(request)
    meter = known_meter(web, asked.meter)
    clock = web.hub.clock
    return [
        RequestReport(
            number=one.number,
            time=label(clock, one.instant),
            outcome=one.outcome,
            verb=one.verb,
            table=one.table,
            title=title(one.table) if one.table else "",
            offset=one.offset,
            asked=one.asked,
            size=one.size,
            code=one.code,
        )
        for one in (() if web.console is None else web.console.requests(meter))
    ]


async def _answer(request: Request, meter: str, ask: Callable[[Console], Awaitable[_T | None]]) -> _T:
    web = context_of(request)
    known_meter(web, meter)
    try:
        async with asyncio.timeout(_PATIENCE):
            found = None if web.console is None else await ask(web.console)
    except (TimeoutError, TooManyAsk):
        raise ProblemError(
            503, "The meter is still being read", "Ask for the same again in a moment.", {"retry-after": "5"}
        ) from None
    except OsgpError as error:
        raise _problem(error) from error
    if found is None:
        raise ProblemError(
            503, "The meter is not read now", "Ask again when it answers; /api/v1/meters tells how it is."
        )
    return found


def _problem(error: OsgpError) -> ProblemError:
    text = f"{str(error).rstrip('.')}."
    if not isinstance(error, MeterRefused):
        return ProblemError(503, "The table cannot be read now", f"{text} Ask again in a minute.")
    if error.code == ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE:
        return ProblemError(403, "The meter does not show this table to this key", text)
    return ProblemError(404, "The meter does not give this table", text)


def _report(found: ShownTable, time: datetime | None) -> TableReport:
    return TableReport(
        table=found.name,
        title=title(found.name),
        time=time,
        size=found.size,
        read=len(found.data),
        fields=[_field(part) for part in found.parts],
    )


def _field(part: Part) -> TableFieldReport:
    from osgp.dissector.values import to_text  # noqa: PLC0415 - hardly a table is ever looked at

    value, unit = part.value, part.unit
    if part.source is not None and "sources[" not in part.name:
        value, unit = part.source.scaled(part.value), part.source.unit
    return TableFieldReport(
        offset=part.offset,
        hex=None if part.kind == "secret" else part.raw.hex(" "),
        name=part.name,
        value=to_text(value) if part.name else "",
        unit=unit if part.name else "",
    )


_PROBLEMS = (401, 403, 404, 422, 503)
OPERATIONS = (
    Operation(
        "/tables",
        "The tables a meter has",
        _OfMeter,
        tables,
        TableName,
        several=True,
        problems=_PROBLEMS,
        reads_meter=True,
    ),
    Operation(
        "/table",
        "A table of a meter, raw and decoded",
        _Table,
        table,
        TableReport,
        problems=_PROBLEMS,
        reads_meter=True,
    ),
    Operation(
        "/requests",
        "The last requests to a meter",
        _OfMeter,
        requests,
        RequestReport,
        several=True,
        problems=(401, 404, 422),
    ),
)
