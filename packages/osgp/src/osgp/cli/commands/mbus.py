"""``osgp mbus``: the gas, water and heat meters behind the electricity meter, as it read them last.

This module does not know how devices are read or shown.
"""

from __future__ import annotations

from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName
from osgp.cli.text.terminal import print_json, print_lines

__all__ = ["mbus"]


def mbus(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Show the gas, water and heat meters behind this meter, as it read them last. Asks none of them: batteries last longer."""
    target = Target(port, key_file, security, fast, padding)

    async def work() -> None:
        from osgp.cli.text.mbus_devices import device_document, device_lines  # noqa: PLC0415

        async with target.meter() as meter:
            with step("reading the M-Bus devices (ET14, ET16)"):
                devices = await meter.mbus_devices()
        if as_json:
            print_json({"devices": [device_document(device) for device in devices]})
        elif devices:
            blocks = [device_lines(device) for device in devices]
            print_lines("\n\n".join("\n".join(block) for block in blocks).split("\n"))
        else:
            print_lines(["No M-Bus device is behind this meter."])

    run(work, as_json=as_json)
