"""How fast digests and tables are computed, in this process, against what the wire needs for the same bytes."""

from __future__ import annotations

import time
from collections.abc import Callable

from osgp.image import MeterImage
from osgp.mep.cipher import encryption_key, message_cipher
from osgp.mep.digest import KeySchedule, digest
from osgp.mep.timing import Line
from osgp.tables import present, registers
from table import Row

_KEY = b"ABCDEFGHIJKLMNOP"
_SECONDS = 1.0


def _per_second(work: Callable[[], object]) -> float:
    """Return how often ``work`` runs in a second: the best of five tries, the machine being shared."""
    best = 0.0
    for _ in range(5):
        count, start = 0, time.perf_counter()
        while (spent := time.perf_counter() - start) < _SECONDS / 5:
            for _ in range(20):
                work()
            count += 20
        best = max(best, count / spent)
    return best


def rows() -> list[Row]:
    """Measure."""
    image = MeterImage.load("image:denmark-gen3")
    image.derive_dimensions()
    dims = image.dimensions()
    bt23 = bytes(image.tables[23])
    bt28 = bytes(image.tables[28])
    schedule = KeySchedule(_KEY)
    base = encryption_key(_KEY)
    tag = digest(schedule, bt28[:13])
    wire = Line().response_seconds(len(bt28) + 13)
    digests = _per_second(lambda: digest(schedule, bt28))
    ciphers = _per_second(lambda: message_cipher(base, tag).apply(bt28))
    found = [
        Row("digests of a 220-byte reply, per second", f"{digests:,.0f}"),
        Row("  the wire's time for that reply / the digest's time", f"{wire * digests:,.0f} x"),
        Row("RC4 of a 220-byte reply with its key set-up, per second", f"{ciphers:,.0f}"),
    ]
    for name, decode, data in (("BT23", registers.decode, bt23), ("BT28", present.decode, bt28)):
        values = len(decode(data, dims))
        speed = _per_second(lambda decode=decode, data=data: decode(data, dims))  # type: ignore[misc]
        found.append(Row(f"decodes of {name} with {values} values, per second", f"{speed:,.0f}"))
    return found
