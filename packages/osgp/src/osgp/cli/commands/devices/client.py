"""``osgp client``: which of the meter's MEP ports this is, and what the meter keeps of the clients there.

This module does not know how it is read or shown.
"""

from __future__ import annotations

from osgp.cli.opening import Target, run, step
from osgp.cli.options import AsJson, Fast, KeyFile, KeyPadding, Padding, Port, Protection, SecurityName, TokenFile
from osgp.cli.text.terminal import print_json, print_lines

__all__ = ["client"]


def client(
    *,
    port: Port = None,
    key_file: KeyFile = None,
    token_file: TokenFile = None,
    security: Protection = SecurityName.AUTO,
    padding: Padding = KeyPadding.ZEROS,
    fast: Fast = False,
    as_json: AsJson = False,
) -> None:
    """Show which of the meter's MEP ports this is, what the meter wants of its client, and who is at the other one."""
    target = Target(port, key_file, security, fast, padding, token_file)

    async def work() -> None:
        from osgp.cli.text.mep_clients import client_document, client_lines  # noqa: PLC0415

        async with target.meter() as meter:
            with step("reading what the meter keeps of its MEP clients (ET13, ET50, ET51)"):
                found = await meter.mep_port()
        if as_json:
            print_json(client_document(found))
        else:
            print_lines(client_lines(found))

    run(work, as_json=as_json)
