"""Translations: which texts of the sources want one, by what id, and whether the XLIFF files have it.

The ids are those of Microsoft's compiler: words such as ``Table`` and ``Field``, each followed by the FNV-1a hash of the
name's UTF-16 bytes (checked against files the compiler made; XLIFF 1.2, OASIS).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from tree_sitter import Node

from al_check.finding import Finding
from al_check.model import App, Object
from al_check.tree import Source, child, children, plain, properties, string, text

__all__ = ["LANGUAGES", "Unit", "check", "name_hash", "renew", "translations", "units"]

LANGUAGES = ("da-DK", "de-DE")
"""Besides English, which stands in the sources."""

_NAMESPACE = "urn:oasis:names:tc:xliff:document:1.2"
_TEXTS = (
    "Caption",
    "ToolTip",
    "AdditionalSearchTerms",
    "PromotedActionCategories",
    "EntityCaption",
    "EntitySetCaption",
)
_ELEMENTS = {
    "field_declaration": "Field",
    "page_field": "Control",
    "group_section": "Control",
    "repeater_section": "Control",
    "action_declaration": "Action",
    "enum_value_declaration": "EnumValue",
    "procedure": "Method",
    "trigger_declaration": "Method",
}
_KINDS = {
    "codeunit": "Codeunit",
    "enum": "Enum",
    "page": "Page",
    "pageextension": "PageExtension",
    "permissionset": "PermissionSet",
    "table": "Table",
}
_MARKS = re.compile(r"%\d|\[[a-z]+(?:-[a-z]+)+\]")


@dataclass(frozen=True, slots=True)
class Unit:
    """A text to translate: the compiler's id, the English text, the developer's comment, and where it stands."""

    id: str
    path: str
    text: str
    comment: str
    target: str
    source: Source
    node: Node
    locked: bool = False


def name_hash(name: str) -> int:
    """Hash a name as the compiler does: FNV-1a over UTF-16, 32 bits signed, moved up by 2**31 - 1."""
    value = 0x811C9DC5
    for byte in name.encode("utf-16-le"):
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return (value if value < 1 << 31 else value - (1 << 32)) + (1 << 31) - 1


def units(app: App, *, locked: bool = False) -> Iterator[Unit]:
    """Go through all texts that are to be translated; with ``locked`` through the others, too."""
    for each in app.objects:
        if each.kind in _KINDS:
            yield from (unit for unit in _units_of(each) if locked or not unit.locked)


def translations(app: App, language: str) -> dict[str, str]:
    """Return the translated texts of a language by their id."""
    return {name: target for name, (_, target, _) in _read(_file(app, language)).items()}


@lru_cache(maxsize=256)
def _units_of(owner: Object) -> tuple[Unit, ...]:
    target = ""
    if owner.kind == "pageextension":
        target = f"Page {name_hash(plain(child(owner.node, 'base_object')))}"
    return tuple(_below(owner, owner.node, [(_KINDS[owner.kind], owner.name)], target))


def _below(owner: Object, node: Node, path: list[tuple[str, str]], target: str) -> Iterator[Unit]:
    found = properties(node)
    for name in _TEXTS:
        value = found.get(name.lower())
        if value is not None and (unit := _unit(owner.source, value, [*path, ("Property", name)], target)):
            yield unit
    for each in _inner(node):
        if each.type == "variable_declaration":
            kind = each.child_by_field_name("type")
            if kind is not None and text(kind).lower() == "label":
                unit = _unit(owner.source, each, [*path, ("NamedType", plain(child(each, "name")))], target)
                if unit:
                    yield unit
        else:
            yield from _below(owner, each, [path[0], *_steps(path, each)], target)


def _steps(path: list[tuple[str, str]], node: Node) -> list[tuple[str, str]]:
    step = (_ELEMENTS[node.type], plain(child(node, "name") or child(node, "value_name")))
    return [*path[1:], step] if step[0] == "Method" else [step]


def _inner(node: Node) -> Iterator[Node]:
    """Go down to the next elements and variables, through the sections between them."""
    for each in node.children:
        if each.type == "variable_declaration" or (each.is_named and each.type in _ELEMENTS):
            yield each
        elif each.type not in ("code_block", "property"):
            yield from _inner(each)


def _unit(source: Source, node: Node, path: list[tuple[str, str]], target: str) -> Unit | None:
    literals = [node] if node.type == "string_literal" else children(node, "string_literal")
    if not literals or not string(literals[0]):
        return None
    comment = ""
    locked = False
    attributes = children(node, "label_attribute")
    pairs = [(plain(child(each, "name")), each.children[-1]) for each in attributes]
    pairs += [
        (plain(a), b) for a, b in zip(node.children, node.children[2:], strict=False) if a.type == "property_name"
    ]
    for name, value in pairs:
        if name.lower() == "locked" and text(value).lower() == "true":
            locked = True
        if name.lower() == "comment" and value.type == "string_literal":
            comment = string(value)
    ids = " - ".join(f"{word} {name_hash(name)}" for word, name in path)
    said = " - ".join(f"{word} {name}" for word, name in path)
    return Unit(ids, said, string(literals[0]), comment, target, source, node, locked)


def _read(path: Path) -> dict[str, tuple[str, str, int]]:
    """Read source, target and line of each unit, by id."""
    return _units_in(path.read_text("utf-8-sig")) if path.exists() else {}


@lru_cache(maxsize=16)
def _units_in(said: str) -> dict[str, tuple[str, str, int]]:
    root = ET.fromstring(said)  # noqa: S314 - our own file
    found = {}
    for each in root.iter(f"{{{_NAMESPACE}}}trans-unit"):
        name = each.get("id", "")
        source = each.findtext(f"{{{_NAMESPACE}}}source", "")
        line = said[: said.find(f'"{name}"')].count("\n") + 1
        found[name] = (source, each.findtext(f"{{{_NAMESPACE}}}target", ""), line)
    return found


def _file(app: App, language: str) -> Path:
    return app.folder / "Translations" / f"{app.manifest['name']}.{language}.xlf"


def check(app: App) -> Iterator[Finding]:
    """Compare the XLIFF files with the sources: same ids, same texts, nothing untranslated, placeholders kept."""
    wanted = {each.id: each for each in units(app)}
    for language in ("g", *LANGUAGES):
        path = _file(app, language)
        name = path.relative_to(app.folder).as_posix()
        have = _read(path)
        for unit in wanted.values():
            yield from _compare(unit, have.get(unit.id), name, translated=language != "g")
        for id_, (source, _, line) in have.items():
            if id_ not in wanted:
                yield Finding(
                    name,
                    line,
                    f"translation of {source!r}",
                    f"no text of the sources has the id {id_!r}",
                    "run --renew",
                )


def _compare(unit: Unit, have: tuple[str, str, int] | None, name: str, *, translated: bool) -> Iterator[Finding]:
    if have is None or have[0] != unit.text:
        yield unit.source.at(
            unit.node, f"text {unit.text!r}", f"{name} has no such text", "run al_check with --renew, then translate it"
        )
        return
    if not translated:
        return
    _, target, line = have
    if not target:
        yield Finding(name, line, f"text {unit.text!r}", "it is not translated", "write its target")
    elif sorted(_MARKS.findall(target)) != sorted(_MARKS.findall(unit.text)):
        yield Finding(
            name, line, f"translation {target!r}", f"its placeholders are not those of {unit.text!r}", "keep them all"
        )


def renew(app: App) -> None:
    """Write all XLIFF files anew from the sources; translations are kept by id, else by the English text."""
    everything = sorted(units(app), key=lambda each: each.path)
    for language in ("g", *LANGUAGES):
        have = _read(_file(app, language))
        by_text = {source: target for source, target, _ in have.values() if target}
        tongue = "en-US" if language == "g" else language
        lines = [
            '<?xml version="1.0" encoding="utf-8"?>',
            f'<xliff version="1.2" xmlns="{_NAMESPACE}">',
            f'  <file datatype="xml" source-language="en-US" target-language="{tongue}" original="{app.manifest["name"]}">',
            "    <body>",
            '      <group id="body">',
        ]
        for unit in everything:
            old = have.get(unit.id)
            kept = old[1] if old and old[0] == unit.text and old[1] else by_text.get(unit.text, "")
            lines += _write(unit, None if language == "g" else kept)
        lines += ["      </group>", "    </body>", "  </file>", "</xliff>", ""]
        path = _file(app, language)
        path.parent.mkdir(exist_ok=True)
        path.write_text("\n".join(lines), "utf-8")


def _write(unit: Unit, target: str | None) -> list[str]:
    where = f" al-object-target={quoteattr(unit.target)}" if unit.target else ""
    lines = [
        f'        <trans-unit id={quoteattr(unit.id)} size-unit="char" translate="yes" xml:space="preserve"{where}>',
        f"          <source>{escape(unit.text)}</source>",
    ]
    if target is not None:
        lines.append(f"          <target>{escape(target)}</target>")
    lines += [
        f'          <note from="Developer" annotates="general" priority="2">{escape(unit.comment)}</note>',
        f'          <note from="Xliff Generator" annotates="general" priority="3">{escape(unit.path)}</note>',
        "        </trans-unit>",
    ]
    return lines
