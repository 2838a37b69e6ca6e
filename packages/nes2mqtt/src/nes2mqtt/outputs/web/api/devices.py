"""The part of the REST API that tells of gas, water and heat meters behind the meters.

This module does not know how they are read.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from nes2mqtt.outputs.web.api.operation import Asked, Operation, context_of
from nes2mqtt.outputs.web.api.parameters import MeterIds, asked_meters
from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.live.view import label
from nes2mqtt.readings.devices import Device, DeviceKind
from nes2mqtt.readings.reading import DevicesRead

__all__ = ["OPERATIONS"]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class _OfMeters(Asked):
    meters: MeterIds = None


class DeviceValueReport(_Model):
    """One value that a device told."""

    name: str = Field(description="Stable for ever", examples=["volume", "energy_target"])
    value: int | float | str = Field(
        description="A number in `unit`; dates, times and texts as text", examples=[28.504]
    )
    unit: str = Field(description="Empty for what has none", examples=["m³"])
    main: bool = Field(description="It is the device's main value of its quantity, now")


class DeviceReport(_Model):
    """A gas, water or heat meter behind a meter. Null is what nobody tells."""

    id: str = Field(description="Maker and serial number; the same wherever the device is", examples=["osg_20000005"])
    meter: str = Field(description="The meter it is behind")
    place: int = Field(description="Which of the meter's places it has, from 1")
    kind: DeviceKind
    type: str = Field(description="What it says it is, in English", examples=["warm water"])
    manufacturer: str = Field(description="Three letters; empty where it does not tell")
    serial: str
    version: int | None
    read: datetime | None = Field(
        description="When the meter read it; its local time is taken for the gateway's, and null when that cannot be"
    )
    received: datetime | None = Field(description="When the meter told of it; null while the time of day is not known")
    reachable: bool | None = Field(description="Whether the meter reaches it")
    battery_low: bool | None
    permanent_error: bool | None
    temporary_error: bool | None
    alarm: bool | None
    trouble: list[str] = Field(
        description="What the meter found, and why values are missing: encrypted, incomplete, security_failed"
    )
    counter: str = Field(description="Name of the value that it is there to count; empty when it is not told")
    values: list[DeviceValueReport]


async def devices(request: Request, asked: _OfMeters) -> list[DeviceReport]:
    """Each with who it is, how it is, and all it measured when the meter read it last. Nothing here asks a device."""
    web = context_of(request)
    told = (web.hub.latest[meter].devices for meter in asked_meters(web, asked.meters))
    return [_report(web, read, device) for read in told if read is not None for device in read.devices]


def _report(web: WebContext, read: DevicesRead, device: Device) -> DeviceReport:
    return DeviceReport(
        id=device.id,
        meter=read.meter,
        place=device.place,
        kind=device.kind,
        type=device.type,
        manufacturer=device.manufacturer,
        serial=device.serial,
        version=device.version,
        read=device.read_at(web.gateway.timezone, read.received),
        received=label(web.hub.clock, read.instant, read.received),
        reachable=device.reachable,
        battery_low=device.battery_low,
        permanent_error=device.permanent_error,
        temporary_error=device.temporary_error,
        alarm=device.alarm,
        trouble=list(device.trouble),
        counter=device.counter,
        values=[
            DeviceValueReport(name=key, value=one.value, unit=one.unit, main=one.main)
            for key, one in device.values.items()
        ],
    )


OPERATIONS = (
    Operation(
        "/devices",
        "Gas, water and heat meters behind the meters",
        _OfMeters,
        devices,
        DeviceReport,
        several=True,
        problems=(400, 401, 404, 422),
    ),
)
