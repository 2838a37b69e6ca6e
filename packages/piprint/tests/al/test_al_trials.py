"""What the trials of November 2026 found by reading the extension: the gate now catches each, and what is like it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from al_places import (
    ADMIN,
    API,
    CLEAN_UP,
    DANISH,
    INSTALL,
    JOB_END,
    JOBS,
    MANAGEMENT,
    MANAGEMENT_PAGE,
    OURS,
    PRINTER_PAGE,
    PRINTER_WS,
    PRINTING,
    QUEUE,
    RETENTION,
    RIGHTS,
    TABLE,
    TAGS,
    UPGRADE,
    USER,
)

from piprint import contract

ROOT = Path(__file__).resolve().parents[4]

pytestmark = pytest.mark.xdist_group("al")

TRIALS = {
    # permission sets
    "set of the guide not assignable": (PRINTING, "Assignable = true", "Assignable = false", "nobody can be given it"),
    "set of no use": (
        RIGHTS,
        "Assignable = true",
        "Assignable = false",
        "it cannot be assigned, and no other includes it",
    ),
    # rights to tables
    "own code without Permissions for a table of Microsoft's": (
        CLEAN_UP,
        '        tabledata "Job Queue Entry" = rimd,\n',
        "",
        "reads table 'job queue entry' without Permissions",
    ),
    "permission set without the right its page needs": (
        ADMIN,
        '        tabledata "Job Queue Entry" = rimd,\n',
        "",
        "PIPrintCleanUp.FindEntry, which PIPrintAdmin can run: it reads table 'job queue entry'",
    ),
    "permission set without what a codeunit of Microsoft's asks for": (
        ADMIN,
        '        tabledata "Error Message" = rimd,\n',
        "",
        "deletes from table 'error message' (Job Queue - Enqueue)",
    ),
    "indirect right without Permissions": (
        JOBS,
        "tabledata PIPrintQueue = rim;",
        "tabledata PIPrintQueue = ri;",
        "it modifies table 'piprintqueue', the set's right is indirect",
    ),
    "indirect right of a table's trigger without Permissions": (
        TABLE,
        "        tabledata PIPrintPrinter = r,\n",
        "",
        "it reads table 'piprintprinter', the set's right is indirect",
    ),
    "right left out of a set": (
        PRINTING,
        "tabledata PIPrintQueue = ri",
        "tabledata PIPrintQueue = r",
        "it inserts into table 'piprintqueue', and the set has no right",
    ),
    "table of a FlowField out of reach": (
        PRINTER_PAGE,
        "    Permissions =\n        tabledata PIPrintQueue = r;\n",
        "",
        "its user may not read table 'piprintqueue'",
    ),
    "codeunit out of reach": (USER, "        codeunit PIPrintClaim = X,\n", "", "it calls PIPrintClaim"),
    "codeunit for others out of reach": (
        PRINTING,
        "        codeunit PIPrintAPI = X,\n",
        "",
        "no permission set gives rights to codeunit PIPrintAPI",
    ),
    "subscriber that stops whoever has no right to it": (
        MANAGEMENT,
        "'OnOpenPrinterSettings', '', true, true)",
        "'OnOpenPrinterSettings', '', true, false)",
        "whoever has no right to the codeunit could not go on",
    ),
    # clean-up
    "not scheduled by an installation": (
        INSTALL,
        "if not PIPrintCleanUp.ScheduleUnlessOff() then",
        "if PIPrintCleanUp.EntryState() = '' then",
        "an installation does not schedule it",
    ),
    "not scheduled by an upgrade": (
        UPGRADE,
        "if PIPrintCleanUp.ScheduleUnlessOff() then",
        "if PIPrintCleanUp.EntryState() <> '' then",
        "an upgrade does not schedule it",
    ),
    "not scheduled in a new company": (
        INSTALL,
        "        PIPrintCleanUp.ScheduleUnlessOff();\n",
        "        PIPrintCleanUp.EntryState();\n",
        "a new company does not schedule it",
    ),
    "upgrade step without its tag": (
        UPGRADE,
        "            UpgradeTag.SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled());\n",
        "            exit;\n",
        "it is not both asked for and set",
    ),
    "upgrade tag a new company lacks": (
        TAGS,
        "PerCompanyUpgradeTags.Add(CleanUpScheduled());",
        "PerCompanyUpgradeTags.Add(PrintersJudged());",
        "it is not told to new companies",
    ),
    "upgrade tag an installation lacks": (
        INSTALL,
        "            UpgradeTag.SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled());\n",
        "            exit;\n",
        "a first installation does not set it",
    ),
    # look-ups of printers
    "query in the loop of a look-up": (
        MANAGEMENT,
        "            if IsFirst then\n",
        "            if PIPrintPrinter.IsEmpty() then\n                exit;\n            if IsFirst then\n",
        "it asks table 'piprintprinter' in each turn (isempty)",
    ),
    "blob in the loop of a look-up": (
        MANAGEMENT,
        "Description.ReadFrom(PIPrintPrinter.PrinterJsonPayload)",
        "Description.ReadFrom(PIPrintPrinter.GetPayload())",
        "in each turn it calls PIPrintPrinter.GetPayload",
    ),
    "FlowField in the loop of a look-up": (
        MANAGEMENT,
        "            if IsFirst then\n",
        "            PIPrintPrinter.CalcFields(NoQueued);\n            if IsFirst then\n",
        "it asks table 'piprintqueue' in each turn (calcfields)",
    ),
    "look-up that reads whole rows": (
        MANAGEMENT,
        "        PIPrintPrinter.SetLoadFields(HostID, PayloadProblem, PrinterJsonPayload, PrinterName);\n",
        "",
        "it reads all columns of all rows",
    ),
    # lengths and words
    "caption of a permission set too long": (
        ADMIN,
        "'Direct Printing, All Jobs'",
        "'Direct Printing, Administration'",
        "in English: it has 31 characters, the platform keeps 30",
    ),
    "translated caption of a permission set too long": (
        DANISH,
        "Direkte udskrivning, kun print",
        "Direkte udskrivning, kun udskrift",
        "in da-DK: it has 33 characters, the platform keeps 30",
    ),
    "name of a permission set too long": (
        ADMIN,
        "permissionset 90000 PIPrintAdmin",
        "permissionset 90000 PIPrintAdministration",
        "it has more than 20 characters",
    ),
    "name of a table's field too long": (
        TABLE,
        "field(41; LeaseUntil;",
        "field(41; LeaseUntilThisMomentAndNoLonger;",
        "it has more than 30 characters",
    ),
    "caption of a field too long": (
        TABLE,
        "'Handed to the Printer'",
        "'Handed to the Printer by whoever had claimed the job at that time, or by one before it'",
        "the platform keeps 80",
    ),
    "tooltip of a web service without Specifies": (
        PRINTER_WS,
        "'Specifies the number of the printer.'",
        "'The number of the printer.'",
        'it does not begin with "Specifies"',
    ),
    # what only a compiler would say
    "trigger of another kind of object": (
        INSTALL,
        "OnInstallAppPerCompany()",
        "OnUpgradePerCompany()",
        "a codeunit install has none of that name",
    ),
    "attribute unknown": (API, "[ServiceEnabled]", "[ServicesEnabled]", "there is none of that name"),
    "value of a property unknown": (UPGRADE, "Subtype = Upgrade", "Subtype = Update", "the property has no such value"),
    "property of another kind of object": (
        CLEAN_UP,
        '    TableNo = "Job Queue Entry";\n',
        '    SourceTable = "Job Queue Entry";\n',
        "a codeunit has no such property",
    ),
    "procedure of a table of Microsoft's unknown": (
        CLEAN_UP,
        "JobQueueEntry.InitRecurringJob(Minutes)",
        "JobQueueEntry.InitRecurrentJob(Minutes)",
        "has nothing of that name",
    ),
    "field of a table of Microsoft's unknown": (
        CLEAN_UP,
        'JobQueueEntry."Maximum No. of Attempts to Run"',
        'JobQueueEntry."Max. No. of Attempts to Run"',
        "has nothing of that name",
    ),
    "codeunit of Microsoft's unknown": (
        OURS,
        'Codeunit "Temp Blob"',
        'Codeunit "Temporary Blob"',
        "there is none of that name",
    ),
    "procedure of a codeunit of Microsoft's with another number of arguments": (
        UPGRADE,
        "SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled())",
        "SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled(), '')",
        "it does not take 2 arguments",
    ),
    "event of Microsoft's with another parameter": (
        TAGS,
        "var PerCompanyUpgradeTags: List of [Code[250]]",
        "var PerCompanyUpgradeTags: List of [Text[250]]",
        "the event's is var List of [Code[250]]",
    ),
    "function with another number of arguments": (
        OURS,
        "DelChr(Zpl) = ''",
        "DelChr(Zpl, '=', ' ', '') = ''",
        "that many arguments it does not take",
    ),
    "record method with another number of arguments": (
        OURS,
        "Job.GetBySystemId(JobId)",
        "Job.GetBySystemId(JobId, true)",
        "that many arguments it does not take",
    ),
    "method of the task scheduler unknown": (
        CLEAN_UP,
        "TaskScheduler.CanCreateTask()",
        "TaskScheduler.MayCreateTask()",
        "has none of that name",
    ),
    "label with more room than is given": (
        JOB_END,
        "StrSubstNo(ForgottenTxt, Job.SystemModifiedAt)",
        "StrSubstNo(ForgottenTxt)",
        "its text has room for 1, and 0 are given",
    ),
    "right asked for without Permissions": (
        CLEAN_UP,
        '        tabledata "Error Message" = rimd,\n',
        '        tabledata "Error Message" = r,\n',
        "table 'error message' without Permissions",
    ),
    "image unknown": (QUEUE, "Image = Restore", "Image = Restart", "it was not looked up"),
    "anchor no page has": (MANAGEMENT_PAGE, "addlast(Processing)", "addlast(Printers)", "it is no area of actions"),
}
"""Defects of the kinds that the trials of November 2026 found by reading."""


@pytest.fixture(scope="session")
def broken(break_all):
    """What the gate says of each defect, all tried in one go."""
    return break_all({name: each[:3] for name, each in TRIALS.items()})


@pytest.mark.parametrize("defect", TRIALS)
def test_al_what_the_trials_found_is_caught(defect, broken):
    told = broken[defect]["findings"]
    assert any(TRIALS[defect][3] in each for each in told), told


def test_al_the_guides_tell_to_assign_what_can_be_assigned(run_gate, extension):
    guide = ROOT / "docs" / "printing.md"
    assert run_gate(extension, "--guide", guide).stdout == ""
    path = extension / PRINTING
    path.write_text(path.read_text("utf-8").replace("Assignable = true", "Assignable = false"), "utf-8")
    assert re.search(
        r"printing.md:\d+: permission set PIPrintPrinting: nobody can be given it",
        run_gate(extension, "--guide", guide).stdout,
    )


def test_al_the_guides_call_permission_sets_as_business_central_does(run_gate, extension, tmp_path):
    guide = tmp_path / "guide.md"
    guide.write_text("| `PIPrintUser` | Direct Printing, One's Jobs | for users |\n", "utf-8")
    said = run_gate(extension, "--guide", guide).stdout
    assert "its caption is 'Direct Printing, Own Jobs'" in said
    assert "it lacks PIPrintAdmin, PIPrintPrinting, PIPrintProcessor" in said


def test_al_whoever_switched_the_clean_up_off_keeps_it_off(extension):
    """Only SwitchOn takes the switch back, and what schedules by itself looks at it before anything else."""
    sources = {path.name: path.read_text("utf-8") for path in (extension / "src").rglob("*.al")}
    writes = [(name, found) for name, text in sources.items() for found in re.findall(r"CleanUpOff := (\w+);", text)]
    assert sorted(writes) == [("PIPrintCleanUp.Codeunit.al", "false"), ("PIPrintCleanUp.Codeunit.al", "true")]
    clean_up = sources["PIPrintCleanUp.Codeunit.al"]
    for procedure in ("procedure ScheduleUnlessOff()", "local procedure TakesTurn()"):
        body = clean_up.split(procedure, 1)[1].split("\n    end;", 1)[0]
        assert re.search(r"if PIPrintSetup.CleanUpOff (or .*)?then", body)
        assert body.index("CleanUpOff") < min(
            body.find(word) % 10_000 for word in ("Enqueue(", "Restart(", "LastCleanUp")
        )
    assert len(re.findall(r"Enqueue\(PIPrintSetup", clean_up)) == 2  # ScheduleUnlessOff and SwitchOn


def test_al_a_failure_at_one_printer_stops_neither_the_others_nor_the_job_queue_entry(extension):
    """Business Central stops an entry after three failures, and nobody would look: its code lets no failure out."""
    body = (extension / CLEAN_UP).read_text("utf-8").split("procedure CleanUp()", 1)[1].split("\n    end;", 1)[0]
    assert re.search(r"Commit\(\);.*\n\s+if not Codeunit\.Run\(Codeunit::PIPrintRetention, PIPrintPrinter\) then", body)
    assert "CleanUpFailure :=" in body
    retention = (extension / RETENTION).read_text("utf-8")
    states = set(re.findall(r"(?:DeleteOld|EndOld)\(Rec\.RowNo, State::(\w+),", retention))
    assert states == {each.enum_name for each in contract.JobState}  # no state in which a document stays for ever


def test_al_the_guides_example_fits_the_public_codeunit(run_gate, extension):
    guide = (ROOT / "docs" / "printing.md").read_text("utf-8")
    (example,) = re.findall(r"```al\n(.*?)```", guide, re.DOTALL)
    path = extension / "src" / "Codeunit" / "PIPrintExample.Codeunit.al"
    path.write_text(f"codeunit 90099 PIPrintExample\n{{\n    Access = Internal;\n\n{example}}}\n", "utf-8")
    (only,) = run_gate(extension).stdout.splitlines()
    assert "no permission set gives rights to codeunit PIPrintExample" in only
    path.write_text(path.read_text("utf-8").replace("PIPrintAPI.SendZpl('Labels', ", "PIPrintAPI.SendZpl("), "utf-8")
    assert "call of SendZpl: it takes 4 arguments, not 3" in run_gate(extension).stdout


def test_al_the_guide_lists_what_is_public(extension):
    guide = (ROOT / "docs" / "printing.md").read_text("utf-8")
    listed = {
        name: re.findall(r"\w+(?=[,:]|$)", re.sub(r":[^,]*|var ", "", parameters))
        for name, parameters in re.findall(r"^\| `(\w+)\(([^)]*)\): \w+` \|", guide, re.MULTILINE)
    }
    source = (extension / OURS).read_text("utf-8")
    public = {
        name: re.findall(r"(\w+): ", parameters)
        for name, parameters in re.findall(r"^    procedure (\w+)\((.*)\): \w+$", source, re.MULTILINE)
    }
    assert listed == public
    assert len(public) == 4


def test_al_a_document_without_a_report_says_its_type_as_the_processor_reads_it(extension):
    payload = (extension / "src/Codeunit/PIPrintPayload.Codeunit.al").read_text("utf-8")
    assert f"PdfTypeTok: Label '{contract.PDF}', Locked = true" in payload
    assert f"ZplTypeTok: Label '{contract.ZPL}', Locked = true" in payload
