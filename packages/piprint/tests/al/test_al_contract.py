"""The extension serves what client and stand-in were written for: AL and piprint.contract say the same."""

from __future__ import annotations

import re

import pytest

from piprint import contract

CLAIM = "src/Codeunit/PIPrintClaim.Codeunit.al"

pytestmark = pytest.mark.xdist_group("al")


def described(field: contract.Field) -> dict:
    return {
        "name": field.name,
        "kind": {"json": "text"}.get(field.kind, field.kind),
        "length": field.length,
        "writable": field.writable,
        "looked_up": field.looked_up,
    }


@pytest.mark.parametrize("entity", contract.ENTITIES, ids=lambda each: each.name)
def test_an_entity_is_as_the_contract_says(entity, extension_said):
    served = {each["name"]: each for each in extension_said["contract"]["entities"]}[entity.name]
    assert [each["name"] for each in served["fields"]] == [each.name for each in entity.fields]
    for ours, theirs in zip(served["fields"], entity.fields, strict=True):
        assert ours == described(theirs)
    assert {key: served[key] for key in ("page", "table", "key", "insert", "modify")} == {
        "page": entity.page,
        "table": entity.table,
        "key": entity.key,
        "insert": entity.insert,
        "modify": entity.modify,
    }
    assert served["actions"] == [
        {
            "name": action.name,
            "parameters": [{"name": each.name, "kind": each.kind, "length": each.length} for each in action.parameters],
        }
        for action in entity.actions
    ]


@pytest.mark.parametrize(
    "trigger",
    [r"trigger OnInsert\(\)", r"trigger OnModify\(\)", r"field\(9; Beat; Integer\)[^}]+trigger OnValidate\(\)"],
)
def test_a_heartbeat_is_stamped_whatever_trigger_runs(trigger, extension):
    table = (extension / "src/Table/PIPrintProcessor.Table.al").read_text("utf-8")
    assert re.search(trigger + r"\s+begin\s+Rec\.LastSeen := CurrentDateTime\(\);\s+end;", table)


def test_nothing_else_is_served(extension_said):
    names = [each["name"] for each in extension_said["contract"]["entities"]]
    assert sorted(names) == sorted(each.name for each in contract.ENTITIES)


def test_states_have_name_number_and_english_caption_of_the_contract(extension_said):
    assert extension_said["contract"]["states"] == {
        "PIPrintJobState": [
            {"name": state.enum_name, "number": state.value, "caption": state.wire, "locked": True}
            for state in contract.JobState
        ]
    }


def test_the_api_is_found_where_the_client_asks(extension_said):
    assert extension_said["contract"]["api"] == [[contract.API_PUBLISHER, contract.API_GROUP, contract.API_VERSION]]


def test_the_permission_set_of_the_guide_is_there(extension_said):
    assert contract.PROCESSOR_PERMISSION_SET in extension_said["contract"]["permission_sets"]


@pytest.mark.parametrize("guard", contract.Guard)
@pytest.mark.parametrize("file", [CLAIM, "Translations/piprint.da-DK.xlf", "Translations/piprint.de-DE.xlf"])
def test_refusals_carry_their_code_word_in_every_language(guard, file, extension):
    assert guard.label in (extension / file).read_text("utf-8")


@pytest.mark.parametrize(("language", "file"), [("da", "piprint.da-DK.xlf"), ("de", "piprint.de-DE.xlf")])
def test_people_read_states_as_the_contract_knows_them(language, file, extension):
    text = (extension / "Translations" / file).read_text("utf-8")
    for state in contract.JobState:
        assert f"<target>{contract.CAPTIONS[language][state]}</target>" in text
