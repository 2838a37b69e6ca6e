"""``osgp tariffs``: which tariff counts, and which comes next.

This module does not know how it is read or shown.
"""

from __future__ import annotations

from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines

__all__ = ["tariffs"]


def tariffs(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Show which tariff counts, what set it, and when the next one begins by the meter's calendar."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.condition import tariff_document, tariff_lines  # noqa: PLC0415

        async with target.meter() as meter:
            with step("reading the tariffs (BT54, BT55)"):
                found = await meter.tariffs()
        if as_json:
            print_json(tariff_document(found))
        else:
            print_lines(tariff_lines(found))

    run(work, as_json=as_json)
