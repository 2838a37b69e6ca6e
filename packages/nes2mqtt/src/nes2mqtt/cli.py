"""The ``nes2mqtt`` command. Each command imports what it needs, so that none waits for the others.

Exit codes: 0 all is well, 1 it failed while running, 2 the configuration or the command line is wrong.

This module holds no knowledge of its own.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nes2mqtt import cli_import

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from nes2mqtt.config.settings import Config
    from nes2mqtt.runtime.first_run import FirstRun
    from nes2mqtt.setup.writing import Saved

__all__ = ["app", "main"]

_WRONG_CONFIGURATION = 2
_SERVICE_START = "sudo systemctl daemon-reload && sudo systemctl enable --now nes2mqtt"

app = typer.Typer(
    name="nes2mqtt",
    help="Read Echelon/NES smart meters; publish to MQTT, keep a history, show a page.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

ConfigFile = Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration file.")]
_DEFAULT_CONFIG = Path("/etc/nes2mqtt/nes2mqtt.toml")


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it so
    if wanted:
        from nes2mqtt import __version__  # noqa: PLC0415

        typer.echo(f"nes2mqtt {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Give every command the option --version."""


def _load(file: Path) -> Config:
    """Read the configuration, or say what is wrong with it and end."""
    from nes2mqtt.config.problems import ConfigError  # noqa: PLC0415
    from nes2mqtt.config.settings import load, way_back  # noqa: PLC0415

    try:
        return load(file)
    except ConfigError as error:
        for problem in error.problems:
            typer.echo(str(problem), err=True)
        if back := way_back(file):
            typer.echo(back, err=True)
        raise typer.Exit(_WRONG_CONFIGURATION) from None


@app.command()
def run(config: ConfigFile = _DEFAULT_CONFIG) -> None:
    """Run the gateway until it is stopped (Ctrl-C, SIGTERM)."""
    from nes2mqtt.runtime.service import become  # noqa: PLC0415

    become(config)


@app.command("check-config")
def check_config(config: ConfigFile = _DEFAULT_CONFIG) -> None:
    """Check a configuration file; tell what would be done, and what of it would not work now.

    No meter and no broker is asked. The exit code is 0 also when something is not there now, because the gateway waits
    for it.
    """
    settings = _load(config)
    from nes2mqtt.config import preflight  # noqa: PLC0415
    from nes2mqtt.config.settings import warnings_for  # noqa: PLC0415
    from nes2mqtt.config.summary import summary  # noqa: PLC0415

    missing = list(preflight.not_there_now(settings))
    verdict = "is well written, but not all it names can be used now" if missing else "is good"
    typer.echo(f"{config} {verdict}. With it nes2mqtt will:\n")
    for line in summary(settings):
        typer.echo(line)
    for line in missing:
        typer.echo(f"\nNot now: {line}", err=True)
    for warning in warnings_for(settings, config):
        typer.echo(f"\nWarning: {warning}", err=True)


@app.command()
def demo(
    *,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page; the next free one if taken.")] = 8099,
    folder: Annotated[Path, typer.Option(help="Where the history of the demonstration is kept.")] = Path("var"),
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUE][,at=WHEN]",
            help="Something that happens to the simulated meter, such as power-cut=90s,at=+1m; may be repeated. "
            "'osgp simulate --scenario list' lists them.",
            show_default=False,
        ),
    ] = None,
    setup: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Offer to connect a real meter, and write the configuration to this file, which must not exist. The page is "
            "then open to the network, and its set-up to who has the code that is printed.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Show the gateway on a simulated meter: page, history and, if mosquitto is installed, MQTT."""
    from nes2mqtt.host import log  # noqa: PLC0415
    from nes2mqtt.runtime.demo import run_demo  # noqa: PLC0415
    from nes2mqtt.runtime.service import run_until_stopped  # noqa: PLC0415
    from nes2mqtt.timing.clock import Clock  # noqa: PLC0415
    from osgp.errors import MisuseError  # noqa: PLC0415
    from osgp.simulator import House, history_of  # noqa: PLC0415

    try:
        house = House(history=history_of(scenario or (), Clock().host().timestamp()))
    except MisuseError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(2) from error
    log.set_up("info", ())
    offered = None if setup is None else _first_run(setup, "")
    written: list[Saved] = []

    async def shown() -> None:
        saved = await run_demo(port, folder, typer.echo, house=house, first_run=offered)
        written.extend([saved] if saved is not None else [])

    code = run_until_stopped(shown())
    _go_on_with(written)
    raise typer.Exit(code)


def _first_run(config: Path, language: str) -> FirstRun:
    """Return a first run in the browser, or say why there cannot be one and end."""
    from nes2mqtt.runtime.first_run import FirstRun  # noqa: PLC0415
    from nes2mqtt.setup.words import Words  # noqa: PLC0415
    from servicekit.process import keep_to_ourselves  # noqa: PLC0415

    _nothing_there(config)
    keep_to_ourselves()  # a key and passwords are in its memory
    option = "" if config == _DEFAULT_CONFIG else f" --config {config}"
    return FirstRun(config, Words(_language(language)), f"{sys.argv[0]} setup{option}")


def _language(wanted: str) -> str:
    from nes2mqtt.setup.words import LANGUAGES, language_of  # noqa: PLC0415

    if wanted and wanted not in LANGUAGES:
        typer.echo(f"--language is one of {', '.join(LANGUAGES)}", err=True)
        raise typer.Exit(_WRONG_CONFIGURATION)
    return wanted or language_of(os.environ)


def _nothing_there(config: Path) -> None:
    """End when there is a configuration, whether it is right or wrong: the first run never replaces one."""
    if os.path.lexists(config):
        typer.echo(
            f"{config} is there already, and the set-up changes no configuration. Look at it with: "
            f"nes2mqtt check-config --config {config}   To begin afresh, move it away first",
            err=True,
        )
        raise typer.Exit(_WRONG_CONFIGURATION)


def _go_on_with(written: list[Saved]) -> None:
    """Let the gateway take this process's place with the configuration that was written; nothing without one."""
    from nes2mqtt.runtime.service import become  # noqa: PLC0415

    if written and written[0].for_service:
        typer.echo(f"Saved in {written[0].config}. Start it: {_SERVICE_START}")
    elif written:
        become(written[0].config)


@app.command()
def setup(
    *,
    config: ConfigFile = _DEFAULT_CONFIG,
    browser: Annotated[
        bool, typer.Option("--browser", help="In the browser instead of here; done by itself where nobody can type.")
    ] = False,
    answers: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Take all answers from a file, for images; asks nothing.", show_default=False
        ),
    ] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the page; the next free one if taken.")] = 8099,
    language: Annotated[str, typer.Option(help="en, da or de; as the terminal says if left out.")] = "",
) -> None:
    """Connect a meter for the first time: find the port, try the key and the broker, write the configuration."""
    from nes2mqtt.host import log  # noqa: PLC0415
    from nes2mqtt.runtime import first_run  # noqa: PLC0415
    from nes2mqtt.runtime.service import run_until_stopped  # noqa: PLC0415
    from nes2mqtt.setup.words import Words  # noqa: PLC0415

    offered = _first_run(config, language)
    written: list[Saved] = []
    if answers is not None:
        saved, problems = first_run.from_file(offered, answers, port)
        for problem in problems:
            typer.echo(problem, err=True)
        if saved is None:
            raise typer.Exit(_WRONG_CONFIGURATION)
        typer.echo(Words(_language(language)).text("terminal_saved", {"file": saved.config}))
        return
    if browser or not sys.stdin.isatty():
        log.set_up("info", ())

        async def shown() -> None:
            saved = await first_run.in_browser(offered, port, typer.echo)
            written.extend([saved] if saved is not None else [])

        code = run_until_stopped(shown())
        _go_on_with(written)
        raise typer.Exit(code)
    log.set_up("error", ())  # what happens is told in words of its own
    saved = first_run.in_terminal(offered, port)
    if saved is None:
        raise typer.Exit(1)
    _go_on_with([saved])


@app.command("setup-code")
def setup_code() -> None:
    """Show the one-time code of the set-up that goes on in the browser; a new one if it has ended."""
    from nes2mqtt.config.settings import default_data_dir  # noqa: PLC0415
    from nes2mqtt.setup.code import USED, ask_for_code  # noqa: PLC0415

    folder = default_data_dir()
    try:
        code = ask_for_code(folder)
    except OSError as error:
        typer.echo(f"{folder}: {error.strerror}; run this as the user who runs the set-up", err=True)
        raise typer.Exit(1) from None
    if code is None:
        typer.echo(f"no set-up goes on with the data folder {folder}; begin one: nes2mqtt setup --browser", err=True)
        raise typer.Exit(1)
    typer.echo("a password was chosen; it opens the set-up now" if code == USED else code)


@app.command()
def fhem(
    *,
    config: ConfigFile = _DEFAULT_CONFIG,
    meter: Annotated[str, typer.Option(metavar="ID", help="Only this meter; all if left out.")] = "",
    iodev: Annotated[str, typer.Option(metavar="NAME", help="FHEM's MQTT2_CLIENT, if it has several.")] = "",
) -> None:
    """Print the definition to paste into FHEM, for brokers with the dialect nmr-raw."""
    settings = _load(config)
    from nes2mqtt.outputs.mqtt.config import DialectName  # noqa: PLC0415
    from nes2mqtt.outputs.mqtt.fhem import definition  # noqa: PLC0415

    brokers = [broker for broker in settings.mqtt if DialectName.NMR_RAW in broker.dialects]
    if not brokers:
        typer.echo('no [[mqtt]] section has dialects = ["nmr-raw"], which is what FHEM reads; add it', err=True)
        raise typer.Exit(_WRONG_CONFIGURATION)
    if meter and meter not in settings.meters:
        typer.echo(f"there is no meter '{meter}'; there are: {', '.join(settings.meters)}", err=True)
        raise typer.Exit(_WRONG_CONFIGURATION)
    for broker in brokers:
        for wanted in [meter] if meter else settings.meters:
            typer.echo(definition(broker, wanted, iodev=iodev))


@app.command()
def export(
    *,
    begin: Annotated[str, typer.Option("--from", metavar="TIME", help="First moment: 2026-11-01 or 2026-11-01T06:00.")],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The file to write.")],
    end: Annotated[str, typer.Option("--to", metavar="TIME", help="The moment after the last; now if left out.")] = "",
    kind: Annotated[str, typer.Option("--format", help="csv, or parquet (needs the extra nes2mqtt[parquet]).")] = "csv",
    what: Annotated[str, typer.Option(help="registers, present, minutes, quarters, hours or days.")] = "registers",
    meter: Annotated[str, typer.Option(metavar="ID", help="Only this meter; all if left out.")] = "",
    config: ConfigFile = _DEFAULT_CONFIG,
) -> None:
    """Write the history into a file, also while the gateway runs."""
    settings = _load(config)
    from nes2mqtt.history.commands.export import run_export  # noqa: PLC0415
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415
    from nes2mqtt.history.queries.export import Format, What  # noqa: PLC0415

    if kind not in set(Format) or what not in set(What):
        typer.echo(f"--format is one of {', '.join(Format)}; --what is one of {', '.join(What)}", err=True)
        raise typer.Exit(_WRONG_CONFIGURATION)
    try:
        rows = run_export(
            _database(settings),
            settings.timezone,
            begin=begin,
            end=end,
            out=out,
            kind=Format(kind),
            what=What(what),
            meter=meter,
        )
    except HistoryError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{rows} rows in {out}")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    config: ConfigFile = _DEFAULT_CONFIG,
) -> None:
    """Write the history into one file to put away, also while the gateway runs."""
    settings = _load(config)
    from nes2mqtt.history.commands.backup import back_up  # noqa: PLC0415
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    try:
        size = back_up(_database(settings), target)
    except HistoryError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{target}: {size / 1e6:.1f} MB, checked")


@app.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What nes2mqtt backup wrote.")],
    config: ConfigFile = _DEFAULT_CONFIG,
) -> None:
    """Put a backup in the place of the history; the gateway must be stopped."""
    settings = _load(config)
    from datetime import UTC, datetime  # noqa: PLC0415

    from nes2mqtt.history.commands.backup import restore as put_back  # noqa: PLC0415
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    try:
        kept = put_back(_database(settings), source, datetime.now(UTC))
    except HistoryError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(1) from None
    before = f"; what was there is {kept}" if kept is not None else ""
    typer.echo(f"{_database(settings)} is {source} now{before}. Start the gateway.")


history = typer.Typer(help="What happened to the history.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(history, name="history")


@history.command()
def acknowledge(config: ConfigFile = _DEFAULT_CONFIG) -> None:
    """Say that you have read what happened to the history; the status stops telling it."""
    settings = _load(config)
    from nes2mqtt.history.commands.acknowledge import acknowledge as forget  # noqa: PLC0415
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    try:
        notices = forget(_database(settings))
    except HistoryError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(1) from None
    for notice in notices:
        typer.echo(notice)
    typer.echo("acknowledged" if notices else "there is nothing to acknowledge")


@app.command()
def costs(
    *,
    begin: Annotated[str, typer.Option("--from", metavar="DAY", help="First day: 2026-11-01, or 2026-11.")],
    end: Annotated[
        str, typer.Option("--to", metavar="DAY", help="The day after the last one; tomorrow if left out.")
    ] = "",
    meter: Annotated[str, typer.Option(metavar="ID", help="Only this meter; all if left out.")] = "",
    by_day: Annotated[bool, typer.Option("--days", help="Show the sum of each day, too.")] = False,
    config: ConfigFile = _DEFAULT_CONFIG,
) -> None:
    """Show what electricity cost by the [[contracts]], line by line, also while the gateway runs."""
    settings = _load(config)
    from datetime import UTC, datetime  # noqa: PLC0415

    from nes2mqtt.bills.command import bill_lines, make_bills, parse_days  # noqa: PLC0415
    from nes2mqtt.history.errors import HistoryError  # noqa: PLC0415

    contracts = [one.contract() for one in settings.contracts if not meter or one.meter == meter]
    if not contracts:
        of_meter = f" for meter '{meter}'" if meter else ""
        typer.echo(f"there is no [[contracts]] section{of_meter}; docs/costs.md shows how to write one", err=True)
        raise typer.Exit(_WRONG_CONFIGURATION)
    try:
        now = datetime.now(UTC)
        first, after = parse_days(begin, end, now.astimezone(settings.timezone).date())
        made = make_bills(
            _database(settings), settings.data_dir / "prices.db", contracts, first, after, settings.timezone, now
        )
    except HistoryError as error:
        typer.echo(f"nes2mqtt: {error}", err=True)
        raise typer.Exit(1) from None
    for bill in made:
        for line in bill_lines(bill, by_day=by_day):
            typer.echo(line)
    if not made:
        typer.echo("no contract holds on these days, or they are all to come")


def _database(settings: Config) -> Path:
    return settings.history.path or settings.data_dir / "history.db"


alerts = typer.Typer(help="What needs attention, and who is told.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(alerts, name="alerts")


@alerts.command("test")
def alerts_test(config: ConfigFile = _DEFAULT_CONFIG) -> None:
    """Send a test to the webhook and by mail, and say what became of it."""
    settings = _load(config)
    import asyncio  # noqa: PLC0415
    from datetime import UTC, datetime  # noqa: PLC0415

    from nes2mqtt.alerts.trial import send_tests  # noqa: PLC0415

    section = settings.alerts
    if section is None or (section.webhook is None and section.mail is None):
        typer.echo(
            "there is nobody to tell: add a section [alerts.webhook] or [alerts.mail]; docs/alerts.md shows how",
            err=True,
        )
        raise typer.Exit(_WRONG_CONFIGURATION)
    names = {meter: one.name or meter for meter, one in settings.meters.items()}

    async def tried() -> bool:
        well = True
        async for taken, words in send_tests(section, settings.name, settings.timezone, names, datetime.now(UTC)):
            typer.echo(words, err=not taken)
            well &= taken
        return well

    if not asyncio.run(tried()):
        raise typer.Exit(1)


def _history_of(file: Path) -> tuple[ZoneInfo, Path]:
    settings = _load(file)
    return settings.timezone, _database(settings)


cli_import.add_to(app, _history_of, _DEFAULT_CONFIG)


@app.command("hash-password")
def hash_password() -> None:
    """Ask for a password and print its hash, to write into [web] password = "..."."""
    from servicekit.password import PasswordHash  # noqa: PLC0415

    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    typer.echo(str(PasswordHash.of(password)))


def main() -> None:
    """Run the command line."""
    app()
