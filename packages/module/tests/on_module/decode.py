"""Decodes tables and prints every value as the module publishes it, in order."""

import json
import sys
from collections import OrderedDict

from nesmodule.meter.layout import Layout


def some_bytes(text):
    return None if text is None else bytes.fromhex(text)


for line in sys.stdin:
    if line.strip():
        sizes, summations, present, unit, big, firmware, data = json.loads(line)
        layout = Layout(
            bytes.fromhex(sizes),
            summation_ids=some_bytes(summations),
            present_ids=some_bytes(present),
            energy_unit=unit,
            big_endian=big,
            firmware=tuple(firmware),
        )
        values = OrderedDict()
        data = bytes.fromhex(data)
        layout.resets_of(data, values)
        for block in (layout.registers, layout.present):
            block.decode(data, 0, values)
        print(" ".join([source.key + "=" + source.text(value) for source, value in values.items()]))
