"""Runs inside Home Assistant: its statistics at once instead of at the next full five minutes.

Home Assistant's recorder does the same on its own schedule (components/recorder/core.py, _async_five_minute_tasks).
"""

from datetime import timedelta

from homeassistant.components.recorder import get_instance
from homeassistant.components.recorder.db_schema import Statistics, StatisticsRuns, StatisticsShortTerm
from homeassistant.components.recorder.tasks import StatisticsTask
from homeassistant.components.recorder.util import session_scope
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

    def forget_runs(since: float) -> None:
        """Forget what was compiled since a moment, and the hour it is in: a period and an hour are compiled only once."""
        with session_scope(session=get_instance(hass).get_session()) as session:
            session.query(StatisticsRuns).delete()
            session.query(StatisticsShortTerm).filter(StatisticsShortTerm.start_ts >= since).delete()
            session.query(Statistics).filter(Statistics.start_ts >= since - since % 3600).delete()

    async def compile_again(call: ServiceCall) -> None:
        """Compile the last ten minutes, also where that was done before an entity had a value."""
        recorder = get_instance(hass)
        since = (dt_util.utcnow() - 2 * PERIOD).timestamp()
        await recorder.async_add_executor_job(forget_runs, since)
        await compile_now(call)

    async def heard(call: ServiceCall) -> None:
        """Let entities have been heard of until the end of an hour, and compile what came since, up to this hour."""
        recorder, hour = get_instance(hass), dt_util.parse_datetime(call.data["hour"])
        for one in call.data["entities"]:
            about = {"has_mean": False, "has_sum": True, "mean_type": 0, "name": None, "source": "recorder"}
            about |= {"statistic_id": one["entity"], "unit_of_measurement": "kWh"}
            row = {"state": one["state"], "sum": one["sum"]}
            last = [row | {"start": hour + timedelta(minutes=55)}]
            recorder.async_import_statistics(about, [row | {"start": hour}], Statistics)
            recorder.async_import_statistics(about, last, StatisticsShortTerm)
        await recorder.async_block_till_done()

        await recorder.async_add_executor_job(forget_runs, hour.timestamp() + 3600)
        await compile_now(call)
        this_hour = dt_util.utcnow().replace(minute=55, second=0, microsecond=0)
        recorder.queue_task(StatisticsTask(this_hour, False))  # with the last five minutes it makes the hour
        await recorder.async_block_till_done()

    hass.services.async_register("compile_statistics", "now", compile_now)
    hass.services.async_register("compile_statistics", "again", compile_again)
    hass.services.async_register("compile_statistics", "heard", heard)
    return True
