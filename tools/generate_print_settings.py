"""Write docs/reference/piprint-settings.md from the models: every setting of the print processor, its default, its meaning.

python tools/generate_print_settings.py           write the page
python tools/generate_print_settings.py --check   fail if the committed page is out of date
"""

from __future__ import annotations

import argparse
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from piprint.config import settings as config

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "piprint-settings.md"

SECTIONS: dict[str, type[BaseModel]] = {
    "At the top of the file": config.Config,
    "[business_central]": config.BusinessCentral,
    '[business_central.login] with kind = "secret"': config.ClientSecret,
    '[business_central.login] with kind = "certificate"': config.Certificate,
    '[business_central.login] with kind = "basic"': config.Basic,
    "[cups]": config.Cups,
    "[discovery]": config.Discovery,
    "[[printers]]": config.PrinterConfig,
    "[[rules]]": config.Rule,
    "[poll]": config.Poll,
    "[lease]": config.Lease,
    "[limits]": config.Limits,
    "[web]": config.Web,
}
"""Every section of the file and its model, in the order people write them."""

INTRODUCTION = """\
<!-- Written by tools/generate_print_settings.py; edit the models, then run `make reference`. -->
# Settings of the print processor

Every setting of `piprint.toml`. [printing.md](../printing.md) has examples to start from. A setting without a default must be given.
A *secret* is a text, `{ env = "NAME" }`, `{ file = "/path" }` or `{ credential = "name" }` (systemd's `LoadCredential=`; for
commands typed by hand, a file of that name beside `piprint.toml`).
"""

_WORDS: dict[object, str] = {
    str: "text",
    float: "number",
    int: "whole number",
    bool: "true or false",
    Path: "path",
    SecretStr: "secret",
}
_DEFAULTS = {"host": "this host's name"}


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _kind(annotation: Any) -> str:
    """Return what may be written, in words."""
    origin, arguments = get_origin(annotation), [part for part in get_args(annotation) if part not in (type(None), ...)]
    if annotation in _WORDS:
        return _WORDS[annotation]
    if origin is Literal:
        return " or ".join(f'`"{choice}"`' for choice in arguments)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(part) for part in arguments)
    if origin is tuple:
        return f"list of {_kind(arguments[0])}"
    if origin is dict:
        return "section of name = text"
    return _kind(arguments[0])  # Annotated[...]


def _bounds(info: FieldInfo) -> str:
    words = []
    for limit in info.metadata:
        match limit:
            case annotated_types.Ge(ge=bound):
                words.append(f"at least {bound}")
            case annotated_types.Gt(gt=bound):
                words.append(f"more than {bound}")
            case annotated_types.Le(le=bound):
                words.append(f"at most {bound}")
    return ", ".join(words)


def _default(name: str, info: FieldInfo) -> str:
    if info.is_required() or name == "kind":  # the models have defaults for it, but the file must say which model it is
        return "**must be given**"
    if info.default is None or info.default in ("", (), {}):
        return ""
    if info.default_factory is not None:
        return _DEFAULTS[name]
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    if isinstance(info.default, str):
        return f'`"{info.default}"`'
    if isinstance(info.default, tuple):
        return "`[" + ", ".join(f'"{item}"' for item in info.default) + "]`"
    return f"`{info.default:g}`"


def _cell(text: str) -> str:
    return " ".join(text.replace("``", "`").split()).replace("|", "\\|")


def page() -> str:
    """Return the page."""
    lines = [INTRODUCTION]
    for title, model in SECTIONS.items():
        lines += [f"## `{title}`" if title.startswith("[") else f"## {title}", ""]
        lines += [_cell(model.__doc__ or ""), ""]
        lines += ["| Setting | Value | Default | Meaning |", "|---|---|---|---|"]
        for name, info in model.model_fields.items():
            if any(_models(info.annotation)):
                continue  # a section of its own
            value = ", ".join(filter(None, (_kind(info.annotation), _bounds(info))))
            lines.append(
                f"| `{name}` | {value} | {_default(name, info)} | {_cell(info.description or 'Which login this is.')} |"
            )
        lines.append("")
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Write or check the page."""
    parser = argparse.ArgumentParser(description="Write docs/reference/piprint-settings.md from the models.")
    parser.add_argument("--check", action="store_true", help="write nothing, fail if the page is out of date")
    options = parser.parse_args(arguments)
    text = page()
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if options.check:
        print("docs/reference/piprint-settings.md is out of date; run `make reference`")
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("wrote docs/reference/piprint-settings.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
