"""The command ``nes2mqtt import``: its options. What it does is in :mod:`nes2mqtt.history.commands.imports`.

This module holds no knowledge of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

__all__ = ["add_to"]


def add_to(app: typer.Typer, history_of: Callable[[Path], tuple[ZoneInfo, Path]], default: Path) -> None:
    """Add the command to a program.

    Args:
        app: the program.
        history_of: gives the time zone and the history of a configuration.
        default: the configuration if none is named.
    """

    @app.command("import")
    def import_(
        *,
        file: Annotated[
            Path | None,
            typer.Argument(metavar="FILE", help="CSV, or Home Assistant's home-assistant_v2.db.", show_default=False),
        ] = None,
        meter: Annotated[str, typer.Option(metavar="ID", help="Which meter; needed if there are several.")] = "",
        column: Annotated[
            list[str] | None,
            typer.Option(metavar="NAME=COLUMN", help="Where a register is: import='Title', or import=sensor.of_ha."),
        ] = None,
        time_column: Annotated[
            list[str] | None, typer.Option(metavar="COLUMN", help="Where the time is; date and time may be two.")
        ] = None,
        time_format: Annotated[str, typer.Option(help="How times are written, such as %d.%m.%Y %H:%M.")] = "",
        unit: Annotated[str, typer.Option(help="Wh, kWh or MWh, where the file does not tell.")] = "",
        their_zone: Annotated[
            str, typer.Option("--zone", help="Of times without an offset; the gateway's if left out.")
        ] = "",
        swap: Annotated[
            list[str] | None, typer.Option(metavar="DAY", help="When the meter was exchanged; may be repeated.")
        ] = None,
        total: Annotated[
            list[str] | None,
            typer.Option(metavar="DAY=KWH", help="The register as you wrote it down: 2024-01-01=12345.6."),
        ] = None,
        export_total: Annotated[
            list[str] | None, typer.Option(metavar="DAY=KWH", help="The same of the register of export.")
        ] = None,
        begin: Annotated[str, typer.Option("--from", metavar="TIME", help="Nothing of before.")] = "",
        end: Annotated[str, typer.Option("--to", metavar="TIME", help="Nothing of then or later.")] = "",
        apply: Annotated[bool, typer.Option("--apply", help="Write it; without, it is only tried.")] = False,
        undo: Annotated[
            int | None, typer.Option(metavar="NUMBER", help="Take an import back.", show_default=False)
        ] = None,
        show: Annotated[bool, typer.Option("--list", help="List what was imported.")] = False,
        config: Annotated[
            Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration file.")
        ] = default,
    ) -> None:
        """Bring old readings of the meter's registers into the history, marked, and never over measured ones."""
        zone, database = history_of(config)
        from nes2mqtt.history.commands.imports import (  # noqa: PLC0415
            Order,
            list_imports,
            printable,
            run_import,
            undo_import,
        )
        from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415
        from nes2mqtt.timing.clock import Clock  # noqa: PLC0415

        totals = {"active_energy_import": total or (), "active_energy_export": export_total or ()}
        columns, times, swaps = column or (), time_column or (), swap or ()
        order = Order(file, meter, columns, times, time_format, unit, their_zone, swaps, totals, begin, end, apply)
        try:
            if show:
                told = list_imports(database, zone)
            elif undo is not None:
                told = [undo_import(database, undo)]
            else:
                told = run_import(database, zone, order, Clock().host())
        except HistoryError as error:
            typer.echo(printable(f"nes2mqtt: {error}"), err=True)
            raise typer.Exit(1) from None
        for line in told:
            typer.echo(printable(line))
