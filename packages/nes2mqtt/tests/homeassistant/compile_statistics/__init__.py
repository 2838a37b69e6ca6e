"""Runs inside Home Assistant: its statistics at once instead of at the next full five minutes.

Home Assistant's recorder does the same on its own schedule (components/recorder/core.py, _async_five_minute_tasks).
"""

from datetime import timedelta

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers.typing import ConfigType
from homeassistant.util import dt as dt_util

PERIOD = timedelta(minutes=5)


async def async_setup(hass: HomeAssistant, config: ConfigType) -> bool:
    async def compile_now(call: ServiceCall) -> None:
        recorder = get_instance(hass)
        now = dt_util.utcnow()
        start = now.replace(minute=now.minute - now.minute % 5, second=0, microsecond=0)
        for period in (start - PERIOD, start):
            recorder.queue_task(StatisticsTask(period, False))
        await recorder.async_block_till_done()

    hass.services.async_register("compile_statistics", "now", compile_now)
    return True
