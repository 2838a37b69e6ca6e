"""Checks of names and texts: as long as the platform's tables hold them, in every language, and tooltips as CodeCop wants them.

Sources: AL0305 (names of objects; 20 characters for a permission set that can be assigned, which all here may become), AC0009
(the caption of a permission set is a role's name: Text[30]; the compiler lets a longer one pass), the virtual tables Field
(Field Caption, Text[80]) and AllObjWithCaption (Object Caption, Text[249]), AA0219 (tooltips of fields begin with "Specifies").
"""

from __future__ import annotations

from collections.abc import Iterator

from al_check.finding import Finding
from al_check.model import App
from al_check.tree import child, children, plain, string
from al_check.xliff import LANGUAGES, translations, units

__all__ = ["CHECKS"]

_NAME, _PERMISSION_SET = 30, 20
"""Characters of a name."""
_ROLE, _FIELD, _OBJECT = 30, 80, 249
"""Characters of a caption: of a permission set, of a table's field, of any other object or element."""


def names(app: App) -> Iterator[Finding]:
    """Names fit the platform."""
    for each in app.objects:
        most = _PERMISSION_SET if each.kind == "permissionset" else _NAME
        if len(each.name) > most:
            yield each.source.at(each.node, f"name {each.name!r}", f"it has more than {most} characters", "shorten it")
        for node in each.nodes:
            if node.type in ("field_declaration", "key_declaration", "enum_value_declaration"):
                name = plain(child(node, "name") or child(node, "value_name"))
                if len(name) > _NAME:
                    yield each.source.at(node, f"name {name!r}", f"it has more than {_NAME} characters", "shorten it")


def captions(app: App) -> Iterator[Finding]:
    """Captions fit, translated and locked ones, too."""
    languages = {each: translations(app, each) for each in LANGUAGES}
    for unit in units(app, locked=True):
        if not unit.path.endswith(" - Property Caption"):
            continue
        if unit.path.startswith("PermissionSet "):
            most = _ROLE
        else:
            most = _FIELD if unit.path.startswith("Table ") and " - Field " in unit.path else _OBJECT
        for language, said in [
            ("English", unit.text),
            *((each, of.get(unit.id, "")) for each, of in languages.items()),
        ]:
            if len(said) > most:
                why = f"it has {len(said)} characters, the platform keeps {most}"
                yield unit.source.at(unit.node, f"caption {said!r} in {language}", why, "shorten it")


def tooltips(app: App) -> Iterator[Finding]:
    """Tooltips of fields begin with Specifies; those of web services, which nobody hovers over, too."""
    for page in app.of("page"):
        for each in page.controls:
            value = each.properties.get("tooltip")
            if value is None:
                continue
            literals = [value] if value.type == "string_literal" else children(value, "string_literal")
            if literals and not string(literals[0]).startswith("Specifies "):
                yield page.source.at(
                    value, f"tooltip of {each.name}", 'it does not begin with "Specifies"', "rewrite it"
                )


CHECKS = (names, captions, tooltips)
