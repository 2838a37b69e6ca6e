"""Commands to set the processor up and to look after it: init, doctor, run, report, backup, restore.

This module does not know what is examined, or what runs.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from piprint.cli.options import AsJson, ConfigFile
from piprint.errors import ConfigError

if TYPE_CHECKING:
    from piprint.config.first_file import Answers

__all__ = ["setting_up"]

setting_up = typer.Typer()


@setting_up.command()
def init(
    *,
    config: Annotated[Path, typer.Option("--config", "-c", metavar="FILE", help="The file to write.")] = Path(
        "piprint.toml"
    ),
    tenant: Annotated[str, typer.Option(metavar="ID", help="Online: directory (tenant) id or domain.")] = "",
    client_id: Annotated[str, typer.Option(metavar="ID", help="Online: application (client) id.")] = "",
    environment: Annotated[str, typer.Option(metavar="NAME", help="Online: the environment.")] = "",
    url: Annotated[str, typer.Option(metavar="URL", help="On-premises: OData address, ending in /ODataV4/.")] = "",
    username: Annotated[str, typer.Option(metavar="NAME", help="On-premises: user of Business Central.")] = "",
    secret_file: Annotated[
        str, typer.Option(metavar="FILE", help="File that holds the client secret or the password.")
    ] = "",
    certificate: Annotated[str, typer.Option(metavar="FILE", help="PEM file; instead of a client secret.")] = "",
    key: Annotated[str, typer.Option(metavar="FILE", help="PEM file of the certificate's private key.")] = "",
    token_url: Annotated[
        str, typer.Option(metavar="URL", help="Where tokens come from, if not from Microsoft (piprint simulate).")
    ] = "",
    company: Annotated[str, typer.Option(metavar="NAME", help="Company, where there is more than one.")] = "",
    host: Annotated[str, typer.Option(metavar="NAME", help="This processor's name; default: this host's name.")] = "",
) -> None:
    """Write a first configuration: asks what it has to know, or takes it from the options."""
    from piprint.config.first_file import Answers, write_starter  # noqa: PLC0415

    given = Answers(
        host=host,
        place="on-premises" if url else "online",
        environment=environment,
        url=url,
        company=company,
        login="basic" if username else "certificate" if certificate else "secret",
        tenant=tenant,
        client_id=client_id,
        username=username,
        token_url=token_url,
        secret_file=secret_file,
        certificate=certificate,
        key=key,
    )
    answers = _asked(given) if sys.stdin.isatty() else _complete(given)
    write_starter(config, answers)
    typer.echo(f"Wrote {config}; only you may read it. Next:\n\n  piprint doctor --config {config}")


def _complete(answers: Answers) -> Answers:
    """Check that nothing is left to ask where nobody can be asked."""
    wanted = {
        "--username or --tenant": answers.username or answers.tenant,
        "--client-id": answers.username or answers.client_id,
        "--environment or --url": answers.environment or answers.url,
        "--secret-file": answers.secret_file or answers.certificate,
        "--key": not answers.certificate or answers.key,
    }
    missing = [option for option, value in wanted.items() if not value]
    if missing:
        raise typer.BadParameter(f"nobody is here to be asked; give also {', '.join(missing)}")
    return answers


def _asked(answers: Answers) -> Answers:
    """Ask for what was not given."""
    replace = dataclasses.replace
    if not (answers.url or answers.tenant or answers.environment):
        online = typer.confirm("Business Central online (Microsoft's cloud)?", default=True)
        answers = replace(answers, place="online" if online else "on-premises", login="secret" if online else "basic")
    if answers.place == "online":
        answers = replace(answers, environment=answers.environment or typer.prompt("Environment", default="production"))
    else:
        answers = replace(answers, url=answers.url or typer.prompt("OData address (https://server:7048/BC/ODataV4/)"))
    if answers.login == "basic":
        answers = replace(answers, username=answers.username or typer.prompt("User in Business Central"))
    else:
        answers = replace(answers, tenant=answers.tenant or typer.prompt("Directory (tenant) id"))
        answers = replace(answers, client_id=answers.client_id or typer.prompt("Application (client) id"))
    if answers.certificate:
        answers = replace(answers, key=answers.key or typer.prompt("File of the certificate's private key"))
    elif not answers.secret_file:
        what = "Password or web service access key" if answers.login == "basic" else "Client secret (its value)"
        answers = replace(answers, secret=typer.prompt(what, hide_input=True))
    if not answers.company:
        answers = replace(
            answers, company=typer.prompt("Company (empty: there is only one)", default="", show_default=False)
        )
    return answers


@setting_up.command()
def doctor(*, config: ConfigFile = None, as_json: AsJson = False) -> None:
    """Go through everything printing needs, and say how to mend what is not right."""
    from piprint.doctor.examination import examine  # noqa: PLC0415
    from piprint.doctor.finding import State, lines, summary  # noqa: PLC0415

    async def show() -> bool:
        found = []
        topic = ""
        async for finding in examine(config):
            if not as_json:
                if finding.topic != topic and topic:
                    typer.echo()
                shown = list(lines([finding], color=sys.stdout.isatty()))
                typer.echo("\n".join(shown[finding.topic == topic :]))
                topic = finding.topic
            found.append(finding)
        if as_json:
            typer.echo(json.dumps([dataclasses.asdict(finding) for finding in found], ensure_ascii=False, indent=2))
        else:
            typer.echo(f"\n{summary(found)}")
        return all(finding.state is not State.PROBLEM for finding in found)

    raise typer.Exit(0 if asyncio.run(show()) else 1)


@setting_up.command()
def run(*, config: ConfigFile = None) -> None:
    """Run the print processor until it is stopped (Ctrl-C, SIGTERM)."""
    from piprint.config.load import credentials_beside, find  # noqa: PLC0415
    from piprint.runtime.process import become  # noqa: PLC0415

    file = find(config)
    credentials_beside(file)
    become(file)


@setting_up.command()
def report(
    *,
    config: ConfigFile = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write it into a file.")] = None,
) -> None:
    """Collect what helps to find a fault, without any secret, to attach to a problem report."""
    from piprint.doctor.report import collect  # noqa: PLC0415

    text = asyncio.run(collect(config))
    if out is None:
        typer.echo(text)
        return
    try:
        out.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{out} cannot be written: {error.strerror}; name another file with --out") from None
    typer.echo(f"Wrote {out}. Look it over before you send it: names of printers, companies and hosts are in it.")


@setting_up.command()
def backup(
    target: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")], *, config: ConfigFile = None
) -> None:
    """Write the journal into one file to put away, also while the processor runs."""
    from piprint.cli.options import loaded  # noqa: PLC0415
    from piprint.config.load import data_dir_at_shell  # noqa: PLC0415
    from piprint.journal.backup import back_up  # noqa: PLC0415

    folder = data_dir_at_shell(loaded(config).config)
    size = back_up(folder, target)
    typer.echo(
        f"{target}: {size / 1e6:.1f} MB, the journal of {folder}, checked. What is over, and outcomes Business Central was not told yet, are in it; jobs in "
        "work and their documents are not: Business Central has them."
    )


@setting_up.command()
def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What piprint backup wrote.")],
    *,
    config: ConfigFile = None,
) -> None:
    """Put a backup in the place of the journal; the processor must be stopped."""
    from piprint.cli.options import loaded  # noqa: PLC0415
    from piprint.clock import utc_now  # noqa: PLC0415
    from piprint.config.load import data_dir_at_shell  # noqa: PLC0415
    from piprint.journal.backup import restore as put_back  # noqa: PLC0415

    settings = loaded(config).config
    folder = data_dir_at_shell(settings)
    kept = put_back(folder, source, utc_now())
    before = f" What was there is kept as {kept}; delete it when all is well." if kept is not None else ""
    again = [printer.id for printer in settings.printers if printer.uncertain == "reprint"]
    except_for = (
        f', but for the printers with uncertain = "reprint" ({", ".join(again)}): there it is printed, and told'
        if again
        else ""
    )
    typer.echo(
        f"The journal in {folder} is {source} now.{before} Start the processor: to Business Central it is a new one. Jobs that the "
        f"one before still has there are taken over after {settings.lease.seconds:.0f} s. What may have been printed is not printed "
        f"again, but reported so{except_for}."
    )
