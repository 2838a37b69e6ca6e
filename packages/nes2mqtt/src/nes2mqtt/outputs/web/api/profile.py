"""The part of the REST API that asks a meter for its own load profile.

This module does not know how it is read.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.history.queries.periods import Unit, floor, following
from nes2mqtt.outputs.web.api.history import Moment, in_zone, now_of
from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterId, known_meter
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.problem import ProblemError
from nes2mqtt.readings.reading import MeterState
from osgp.errors import LinkError, MeterRefused, OsgpError
from osgp.psem import ResponseCode
from osgp.tables.load_profile.channels import ProfileChannel
from osgp.tables.load_profile.profile import LoadProfile, ProfileInterval
from osgp.tables.load_profile.statuses import IntervalFlags

__all__ = ["OPERATIONS"]

_LONGEST = timedelta(days=3, hours=1)
"""Three days, one of which may have 25 hours."""
_OLDEST = timedelta(days=35)
"""A meter is read from a time on until now, so what is older would take the line for minutes."""
_PATIENCE = 25.0
"""Seconds until the caller is told to come back; the read goes on. Proxies give up after 30 to 60."""
_COME_BACK = 10


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _Profile(Asked):
    meter: MeterId
    day: Annotated[
        date | None, Field(description="`2026-11-22`, in the gateway's time zone; in place of `start` and `end`")
    ] = None
    start: Moment = None
    end: Moment = None


class ProfileChannelReport(_Model):
    """What one column of the profile holds."""

    name: str | None = Field(
        description="Of `/api/v1/sources`; null for a value of a device, and for what has no name here",
        examples=["active_energy_import"],
    )
    label: str = Field(description="In English", examples=["Import energy"])
    unit: str = Field(description="Of the values; empty where there is none, or none is known", examples=["kWh"])


class ProfileIntervalReport(_Model):
    """What the meter noted when an interval ended. What it did not note is missing."""

    start: datetime
    end: datetime = Field(description="By the meter's own clock")
    values: list[float | None] = Field(
        description="Of each channel: what the register showed at `end`, never what was used since `start`. Null where the "
        "meter says that there is none"
    )
    status: list[str] = Field(
        description="Of each channel: `ok`, or what the meter says of the value: `partial`, `long`, `skipped`, `test_mode`, "
        "`clock_error`, `overflow`, `device_missing`, `not_current`, `not_decrypted`, `opted_out`, `placeholder`",
        examples=[["ok", "ok"]],
    )
    flags: list[str] = Field(
        description="Of the interval: `daylight_saving`, `power_fail`, `clock_forward`, `clock_back`"
    )


class ProfileReport(_Model):
    """The part of a meter's load profile that was asked for."""

    meter: str
    minutes: int = Field(description="Length of an interval")
    channels: list[ProfileChannelReport]
    intervals: list[ProfileIntervalReport] = Field(description="Those that ended in the time, the oldest first")


async def profile(request: Request, asked: _Profile) -> ProfileReport:
    """What the meter itself keeps of each quarter of an hour, read now. Without `day`, `start` and `end`: of today.

    At most three days at once, of the last 35. An answer is given again for a minute; one that takes longer than 25 seconds
    is a problem (503) with `Retry-After`, and is there a little later.
    """
    web, meter = context_of(request), known_meter(context_of(request), asked.meter)
    begin, end = _span(web, asked)
    found = await _read(web, meter, begin)
    if not found.minutes:
        raise ProblemError(
            404, "The meter keeps no load profile", "It is not set up to note one. Ask the grid company."
        )
    length = timedelta(minutes=found.minutes)
    columns = [_column(found, place) for place in range(len(found.channels))]
    return ProfileReport(
        meter=meter,
        minutes=found.minutes,
        channels=[_channel(channel) for channel in found.channels],
        intervals=[
            _interval(one, length, [column[number] for column in columns])
            for number, one in enumerate(found.intervals)
            if begin < one.end <= end
        ],
    )


def _span(web: WebContext, asked: _Profile) -> tuple[datetime, datetime]:
    zone, now = web.gateway.timezone, now_of(web)
    if asked.day is not None:
        if asked.start is not None or asked.end is not None:
            raise ProblemError(400, "Both a day and a time", "Name either day, or start and end.")
        begin = floor(in_zone(datetime.combine(asked.day, time(12)), zone), Unit.DAY, zone)
    else:
        begin = floor(now, Unit.DAY, zone) if asked.start is None else in_zone(asked.start, zone)
    end = following(floor(begin, Unit.DAY, zone), Unit.DAY, zone) if asked.end is None else in_zone(asked.end, zone)
    begin, end = begin.astimezone(UTC), end.astimezone(UTC)
    if end <= begin:
        raise ProblemError(400, "The end is not after the start", "Swap start and end.")
    if end - begin > _LONGEST:
        raise ProblemError(400, "That is too much at once", "Ask for at most three days.")
    if now - begin > _OLDEST:
        raise ProblemError(
            400,
            "That is too long ago",
            f"It would take the meter's line for minutes. Ask for the last {_OLDEST.days} days; /api/v1/energy tells of "
            "earlier ones, and the command osgp profile reads all that the meter keeps.",
        )
    return begin, end


async def _read(web: WebContext, meter: str, since: datetime) -> LoadProfile:
    try:
        async with asyncio.timeout(_PATIENCE):
            found = None if web.profiles is None else await web.profiles.read(meter, since)
    except TimeoutError:
        raise ProblemError(
            503,
            "The meter is still being read",
            "It has much to tell, or the line is slow. Ask for the same again in a moment.",
            {"retry-after": str(_COME_BACK)},
        ) from None
    except OsgpError as error:
        raise _problem(error) from error
    if found is None:
        status = web.hub.latest[meter].status
        # A meter that has only just been turned to has no message yet.
        message = "" if status is None or status.state is MeterState.ONLINE else status.message.rstrip(".")
        why = f"{message}. " if message else ""
        raise ProblemError(
            503, "The meter is not read now", f"{why}Ask again when it answers; /api/v1/meters tells how it is."
        )
    return found


def _problem(error: OsgpError) -> ProblemError:
    if isinstance(error, MeterRefused) and error.code == ResponseCode.INSUFFICIENT_SECURITY_CLEARANCE:
        return ProblemError(
            403,
            "The meter does not show its load profile to this key",
            "Ask the grid company for a key that may read it.",
        )
    text = str(error).rstrip(".")
    # Later codes say that it may be different later (MEP guide v1.1 p. 10-11, table 2.5).
    if isinstance(error, MeterRefused) and error.code <= ResponseCode.INAPPROPRIATE_ACTION:
        return ProblemError(404, "The meter keeps no load profile", f"{text}.")
    if isinstance(error, LinkError):
        return ProblemError(503, "The meter did not answer", f"{text}. Ask again in a minute.")
    return ProblemError(503, "The load profile cannot be read now", f"{text}. Ask again in a minute.")


def _column(found: LoadProfile, place: int) -> list[float | None]:
    """Return the values of a channel, in the unit it is shown in."""
    source = found.channels[place].source
    if found.channels[place].of_device is not None:
        return [None if value is None else float(value) for _, value in found.readings(place)]
    values = (one.values[place] for one in found.intervals)
    return [None if value is None else value if source is None else source.scaled(value) for value in values]


def _channel(channel: ProfileChannel) -> ProfileChannelReport:
    source = channel.source
    return ProfileChannelReport(
        name=None if source is None else source.key,
        label=channel.label,
        unit=channel.unit if source is None else source.unit,
    )


def _interval(one: ProfileInterval, length: timedelta, values: list[float | None]) -> ProfileIntervalReport:
    return ProfileIntervalReport(
        start=one.end - length,
        end=one.end,
        values=values,
        status=[each.name.lower() for each in one.status],
        flags=[str(flag.name).lower() for flag in IntervalFlags if flag in one.flags],
    )


OPERATIONS = (
    Operation(
        "/profile",
        "What a meter itself keeps of each quarter of an hour",
        _Profile,
        profile,
        ProfileReport,
        problems=(400, 401, 403, 404, 422, 503),
        reads_meter=True,
    ),
)
