"""The gate lets our extension pass and stops every defect put into it.

The extension published as PIPrint 1.0 has no licence, so its files cannot stand here. Run on them elsewhere, the gate
follows all 14 and names what is wrong: captions of states that are not locked, and texts without translation.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from al_places import (
    ADMIN,
    API,
    BASIC,
    CLAIM,
    DANISH,
    GERMAN,
    JOBS,
    MANAGEMENT,
    PRINTER,
    PRINTER_WS,
    PROCESSOR,
    QUEUE,
    QUEUE_WS,
    RIGHTS,
    SERVICES,
    SETUP,
    STATES,
    TABLE,
)

HERE = Path(__file__).parent

pytestmark = pytest.mark.xdist_group("al")

DEFECTS = {
    "missing end": (CLAIM, "        Job.Modify(true);\n    end;\n", "        Job.Modify(true);\n", "syntax error"),
    "dropped brace": (QUEUE, "    layout\n    {\n", "    layout\n", "syntax error"),
    "dropped semicolon": (CLAIM, "        LockJob(Job, JobId);\n", "        LockJob(Job, JobId)\n", "nothing ends it"),
    "property without value": (API, "PageType = API;", "PageType = ;", "it has no value"),
    "unknown property": (QUEUE, "UsageCategory = Lists;", "UsageKategory = Lists;", "a page has no such property"),
    "property twice": (API, "Extensible = false;", "Extensible = false;\n    Extensible = false;", "it is set twice"),
    "clashing object id": (API, "page 90011", "page 90010", "has that number, too"),
    "object id out of range": (API, "page 90011", "page 91011", "idRanges do not hold it"),
    "file called otherwise": (
        API,
        "page 90011 PIPrintJobsAPI",
        "page 90011 PIPrintJobAPI",
        "its file should be called",
    ),
    "clashing field number": (TABLE, "field(9; PrinterMessage", "field(8; PrinterMessage", "Status has that number"),
    "clashing field name": (TABLE, "field(41; LeaseUntil", "field(41; ClaimedBy", "field 40 has that name"),
    "field not in the table": (API, "Rec.Attempts)", "Rec.Attempt)", "the table PIPrintQueue has none of that name"),
    "page variable missing": (
        QUEUE_WS,
        "        PDFPrintJobBASE64: Text;",
        "        Document: Text;",
        "the page has no such variable",
    ),
    "source table missing": (
        API,
        "SourceTable = PIPrintQueue",
        "SourceTable = PIPrintJob",
        "there is no table 'PIPrintJob'",
    ),
    "key field missing": (
        TABLE,
        "key(Host; JobHostID, Status)",
        "key(Host; JobHost, Status)",
        "PIPrintQueue has no such field",
    ),
    "key with a FlowField": (TABLE, "key(Host; JobHostID,", "key(Host; HostID,", "a FlowField is in no key"),
    "formula leads nowhere": (
        TABLE,
        "lookup(PIPrintPrinter.HostID",
        "lookup(PIPrintPrinter.Host",
        "has no field 'Host'",
    ),
    "formula of another type": (
        TABLE,
        "lookup(PIPrintPrinter.HostID",
        "lookup(PIPrintPrinter.State",
        "is Text[30], the field Text[250]",
    ),
    "formula counts a FlowField": (
        PROCESSOR,
        "where(JobHostID = field",
        "where(HostID = field",
        "cannot be a condition",
    ),
    "condition on no value": (PRINTER, "Status = const(Hold)", "Status = const(OnHold)", "has no such value"),
    "relation leads nowhere": (
        TABLE,
        "TableRelation = PIPrintPrinter.RowNo",
        "TableRelation = PIPrintPrinter.No",
        "has no such field",
    ),
    "data not classified": (PROCESSOR, "    DataClassification = SystemMetadata;\n", "", "its data is not classified"),
    "unknown type": (
        CLAIM,
        "var Job: Record PIPrintQueue; JobId",
        "var Job: PIPrintQueue; JobId",
        "there is no such type",
    ),
    "wrong field of a record": (CLAIM, "Job.LeaseUntil := 0DT;", "Job.Lease := 0DT;", "has no such field"),
    "wrong enum value": (
        CLAIM,
        "Job.Status::Queued then\n            exit(true)",
        "Job.Status::Waiting then\n            exit(true)",
        "has no such value",
    ),
    "procedure missing": (JOBS, "PIPrintClaim.Restart(", "PIPrintClaim.Redo(", "no public procedure of that name"),
    "local procedure called": (
        JOBS,
        "PIPrintClaim.Restart(",
        "PIPrintClaim.IsClaimable(",
        "no public procedure of that name",
    ),
    "argument missing": (
        API,
        "Renew(Rec.SystemId, claimToken, leaseSeconds)",
        "Renew(Rec.SystemId, claimToken)",
        "takes 3 arguments, not 2",
    ),
    "name not declared": (CLAIM, "Lease := LeaseSeconds * 1000", "Lease := LeaseSecond * 1000", "nothing of that name"),
    "variable not used": (
        CLAIM,
        "        Start: Integer;",
        "        Start: Integer;\n        Other: Integer;",
        "nothing uses it",
    ),
    "method missing": (
        MANAGEMENT,
        "Printers.ContainsKey(Name) then\n            Name",
        "Printers.HasKey(Name) then\n            Name",
        "has none of that name",
    ),
    "event unknown": (MANAGEMENT, "'OnAfterSetupPrinters'", "'OnSetupPrinters'", "it is not known here"),
    "event parameter renamed": (
        MANAGEMENT,
        "(var Printers: Dictionary",
        "(var Offered: Dictionary",
        "has none of that name",
    ),
    "event parameter of another type": (
        MANAGEMENT,
        "ObjectPayload: JsonObject; Doc",
        "ObjectPayload: JsonArray; Doc",
        "it is JsonArray, the event's is JsonObject",
    ),
    "enum number twice": (STATES, "value(30; Cancelled)", "value(20; Cancelled)", "Error has it"),
    "caption not locked": (STATES, "'OnHold', Locked = true", "'OnHold'", "its caption is not locked"),
    "API name not camelCase": (
        API,
        "EntityName = 'printJob'",
        "EntityName = 'PrintJob'",
        "letters and digits in camelCase",
    ),
    "API property missing": (API, "    ODataKeyFields = SystemId;\n", "", "it has no ODataKeyFields"),
    "API version malformed": (API, "'v2.0'", "'2.0'", "it must look like v2.0"),
    "action without context": (
        API,
        "restart(var ActionContext: WebServiceActionContext)",
        "restart(var ActionContext: Integer)",
        "it has no WebServiceActionContext",
    ),
    "tooltip missing": (
        QUEUE,
        "                    ToolTip = 'Specifies what was printed.';\n",
        "",
        "it has no tooltip",
    ),
    "action runs no page": (
        SETUP,
        "RunObject = page PIPrintProcessors",
        "RunObject = page PIPrintHosts",
        "there is none of that name",
    ),
    "actionref to nothing": (SETUP, "_Promoted; Printers)", "_Promoted; Printer)", "there is no such action"),
    "right to nothing": (RIGHTS, "page PIPrintJobsAPI = X", "page PIPrintJobAPI = X", "there is none of that name"),
    "page in no permission set": (
        ADMIN,
        ",\n        page PIPrintSetup = X",
        "",
        "no permission set gives rights to page PIPrintSetup",
    ),
    "API page out of reach": (
        RIGHTS,
        "        page PIPrintJobsAPI = X,\n",
        "",
        "no permission set opens it with its table",
    ),
    "table read by nobody": (
        RIGHTS,
        "tabledata PIPrintQueue = RM,",
        "tabledata PIPrintQueue = M,",
        "no permission set opens it with its table",
    ),
    "wrong letters": (
        RIGHTS,
        "tabledata PIPrintQueue = RM,",
        "tabledata PIPrintQueue = RR,",
        "they are no rights to tabledata",
    ),
    "included set missing": (BASIC, "= PIPrintPrinting", "= PIPrintPrint", "there is none of that name"),
    "web service of another page": (SERVICES, "<ObjectID>90002<", "<ObjectID>90003<", "page 90003 is PIPrintQueue"),
    "web service of no page": (SERVICES, "<ObjectID>90002<", "<ObjectID>90099<", "there is no page 90099"),
    "web service renamed": (
        SERVICES,
        "<ServiceName>PIPrintQueueWS<",
        "<ServiceName>PIPrintJobsWS<",
        "page 90002 is PIPrintQueueWS",
    ),
    "web service not published": (
        SERVICES,
        "<Published>true</Published>",
        "<Published>false</Published>",
        "it is no published page",
    ),
    "translation missing": (
        DANISH,
        "<target>Udskriftsjobbet er væk.</target>",
        "<target></target>",
        "it is not translated",
    ),
    "translation lost a placeholder": (GERMAN, "Storniert von %1", "Storniert", "its placeholders are not those"),
    "translation lost a code word": (
        GERMAN,
        "neu starten. [not-restartable]",
        "neu starten.",
        "its placeholders are not those",
    ),
    "text changed after translation": (CLAIM, "'The print job is gone.'", "'The job is gone.'", "has no such text"),
    "translations switched off": ("app.json", '"TranslationFile", ', "", "translations are not switched on"),
}


def test_our_extension_passes(extension_said, run_gate, extension):
    assert extension_said["findings"] == []
    done = run_gate(extension)
    assert (done.returncode, done.stdout) == (0, "")


CONTRACT_DEFECTS = {
    "field renamed": (API, "field(claimedBy;", "field(claimed;"),
    "field missing": (QUEUE_WS, "field(PrinterRowNo; Rec.PrinterRowNo)", "field(PrinterNo; Rec.PrinterRowNo)"),
    "field longer": (TABLE, "field(9; PrinterMessage; Text[2048])", "field(9; PrinterMessage; Text[1024])"),
    "field read-only": (
        PRINTER_WS,
        "Rec.Enabled)\n                {\n",
        "Rec.Enabled)\n                {\n                    Editable = false;\n",
    ),
    "rows writable": (API, "    ModifyAllowed = false;\n", ""),
    "action missing": (API, "    [ServiceEnabled]\n    procedure renew", "    procedure renew"),
    "action parameter renamed": (
        API,
        "release(var ActionContext: WebServiceActionContext; claimToken: Text[250]; message",
        "release(var ActionContext: WebServiceActionContext; claimToken: Text[250]; reason",
    ),
    "state renumbered": (STATES, "value(40; Printing)", "value(45; Printing)"),
    "state called otherwise": (STATES, "Caption = 'OnHold'", "Caption = 'On Hold'"),
    "API group": (API, "APIGroup = 'printing'", "APIGroup = 'print'"),
}


@pytest.fixture(scope="session")
def broken(break_all):
    """What the gate says of each defect, all tried in one go."""
    return break_all({**{name: each[:3] for name, each in DEFECTS.items()}, **CONTRACT_DEFECTS})


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_caught_and_told(defect, broken):
    file, _, _, message = DEFECTS[defect]
    told = broken[defect]["findings"]
    assert any(message in each for each in told), told
    assert all(each.split(":")[1].isdigit() for each in told)
    assert any(each.startswith(f"{file}:") or message in each for each in told)


@pytest.mark.parametrize("defect", CONTRACT_DEFECTS)
def test_a_change_of_the_contract_shows(defect, broken, extension_said):
    assert broken[defect]["contract"] != extension_said["contract"]


def test_single_token_changes_are_noticed(run_gate, extension):
    done = run_gate(extension, "300", "20260822", script=HERE / "mutate.py")
    said = json.loads(done.stdout)
    assert said["tried"] == 300
    assert said["noticed"] >= 0.95 * said["tried"], said["missed"]


def test_renewing_translations_keeps_them(run_gate, extension):
    files = sorted((extension / "Translations").glob("*.xlf"))
    before = [each.read_text("utf-8") for each in files]
    assert run_gate(extension, "--renew").returncode == 0
    assert [each.read_text("utf-8") for each in files] == before


def test_ids_of_translations_are_those_of_the_compiler(extension):
    """Hashes the compiler gave to these names, seen in a file it made."""
    text = (extension / "Translations" / "piprint.g.xlf").read_text("utf-8")
    assert (
        'id="Table 1637505434 - Field 3373193519 - Property 2879900210"' in text
    )  # Table PIPrintPrinter, HostID, Caption
    assert "Property 1295455071" in text  # ToolTip


def test_findings_name_file_line_reason_and_mending(run_gate, extension):
    path = extension / API
    path.write_text(path.read_text("utf-8").replace("Rec.Attempts)", "Rec.Attempt)"), "utf-8")
    (found,) = json.loads(run_gate(extension, "--json").stdout)["findings"]
    assert found["file"] == API
    assert "Rec.Attempt)" in path.read_text("utf-8").splitlines()[found["line"] - 1]
    assert found["what"]
    assert found["why"]
    assert found["fix"]
