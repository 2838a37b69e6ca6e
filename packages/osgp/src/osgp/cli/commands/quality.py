"""``osgp quality``: what the meter counts of the supply's quality.

This module does not know how it is read or shown.
"""

from __future__ import annotations

from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines

__all__ = ["quality"]


def quality(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Show what the meter counts of the supply's quality: phase losses, sags, swells, distortion, frequency, short outages."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.condition import quality_document, quality_lines  # noqa: PLC0415

        async with target.meter() as meter:
            with step("reading the power quality (ET09)"):
                found = await meter.quality()
        if as_json:
            print_json(quality_document(found))
        else:
            print_lines(quality_lines(found))

    run(work, as_json=as_json)
