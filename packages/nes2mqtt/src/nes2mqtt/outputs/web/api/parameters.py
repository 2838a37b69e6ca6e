"""What the requests of the REST API have in common: what is answered from, and how meters are named.

This module does not know what is answered.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from nes2mqtt.outputs.web.context import WebContext
from nes2mqtt.outputs.web.problem import ProblemError

__all__ = ["MOST_METERS", "MeterId", "MeterIds", "asked_meters", "known_meter"]

MOST_METERS = 50
"""Meters in one reply of readings; more would hold up everything else for the time it takes."""


MeterId = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=40, description="Its name in the configuration")]
MeterIds = Annotated[
    list[Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=40)]] | None,
    Field(alias="meter", max_length=MOST_METERS, description="Names in the configuration; all when absent"),
]


def known_meter(web: WebContext, meter: str) -> str:
    """Return a meter's id if the gateway has that meter.

    Raises:
        ProblemError: 404, it has none of that id.
    """
    if meter not in web.hub.latest:
        known = ", ".join(sorted(web.hub.latest)[:10]) or "none yet"
        raise ProblemError(404, f"There is no meter called {meter}", f"Meters known: {known}.")
    return meter


def asked_meters(web: WebContext, meters: list[str] | None) -> list[str]:
    """Return the ids a request names, each once, in the order of the request; those of all meters when it names none (None).

    Raises:
        ProblemError: 404, one of them is not known; 400, it names none and there are more than :data:`MOST_METERS`.
    """
    if meters is not None:
        return [known_meter(web, meter) for meter in dict.fromkeys(meters)]
    if len(web.hub.latest) > MOST_METERS:
        raise ProblemError(
            400, f"There are {len(web.hub.latest)} meters", f"Name up to {MOST_METERS}: ?meter=ID&meter=ID"
        )
    return list(web.hub.latest)
