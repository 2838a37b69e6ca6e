"""Any bytes are prices of each service that no market's limits forbid, or a PriceError.

python fuzz/fuzz_prices.py -max_total_time=600
"""

from __future__ import annotations

import gc
import sys
from types import FunctionType

from nes2mqtt.prices.schedule import complete_days
from nes2mqtt.prices.sources.awattar import Awattar
from nes2mqtt.prices.sources.energi_data_service import EnergiDataService
from nes2mqtt.prices.sources.energy_charts import EnergyCharts
from nes2mqtt.prices.sources.entsoe import Entsoe
from nes2mqtt.prices.sources.price_file import read_price_file
from nes2mqtt.prices.spot_price import PriceError

SOURCES = (EnergiDataService(), EnergyCharts(), Awattar(), Entsoe("token"))


def check(data: bytes) -> None:
    """Raise AssertionError, or anything but PriceError, if the invariant does not hold for ``data`` as an answer."""
    for source in SOURCES:
        try:
            prices = source.read(data, "DK1")
        except PriceError:
            continue
        assert all(abs(price.value) <= 20 * 8 and price.minutes in {15, 60} for price in prices)
        complete_days(prices)
    try:
        lines = read_price_file(data.decode("utf-8", "replace"), {"DK1": "DKK"})["DK1"]
    except PriceError:
        pass
    else:
        assert len({price.start for price in lines}) == len(lines)


def main() -> None:
    """Fuzz until told to stop."""
    import atheris  # noqa: PLC0415 - the smoke test runs where there is no fuzzer

    for function in gc.get_objects():
        if isinstance(function, FunctionType) and (function.__module__ or "").startswith("nes2mqtt.prices"):
            atheris.instrument_func(function)
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
