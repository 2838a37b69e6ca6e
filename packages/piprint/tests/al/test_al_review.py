"""What a review of the extension found (its numbers are in the tests' names): deletions nobody asked for, entries that hang, words."""

from __future__ import annotations

import re

import pytest
from al_places import (
    ADMIN,
    ALL_JOBS,
    CLEAN_UP,
    DANISH,
    GERMAN,
    INSTALL,
    JOB_END,
    JOBS,
    OURS,
    PRINTER,
    PRINTER_CARD,
    PRINTER_PAGE,
    QUEUE,
    RETENTION,
    SETUP,
    STATES,
    TABLE,
    TAGS,
    UPGRADE,
)

from piprint import contract

pytestmark = pytest.mark.xdist_group("al")

ACCESS = {
    "table that does not say": (TABLE, "    Access = Internal;\n", "", "it is public without saying so"),
    "table on purpose": (PRINTER, "Access = Internal", "Access = Public", "no public codeunit tells it"),
    "codeunit that does not say": (JOBS, "    Access = Internal;\n", "", "it is public without saying so"),
    "type of a public codeunit hidden": (STATES, "Access = Public", "Access = Internal", "others cannot name it"),
    "table told by a public codeunit": (
        OURS,
        "procedure GetJob(JobId: Guid;",
        "procedure GetJob(Job: Record PIPrintQueue; JobId: Guid;",
        "table PIPrintQueue: a public codeunit tells it",
    ),
    "grace without its tag in new environments": (
        TAGS,
        "PerDatabaseUpgradeTags.Add(GraceGiven());",
        "PerDatabaseUpgradeTags.Add(PrintersJudged());",
        "it is not told to new companies",
    ),
    "set without the right to end single jobs": (
        ADMIN,
        "        codeunit PIPrintJobEnd = X,\n",
        "",
        "no permission set gives rights to codeunit PIPrintJobEnd",
    ),
}
"""Defects that the gate finds: what is public unasked, and what belongs to the new steps."""


@pytest.fixture(scope="session")
def broken(break_all):
    return break_all({name: each[:3] for name, each in ACCESS.items()})


@pytest.fixture
def code(extension):
    """Return a procedure's code, its blanks made one."""

    def read(file: str, procedure: str = "") -> str:
        text = (extension / file).read_text("utf-8")
        if procedure:
            assert text.count(procedure) == 1, procedure
            text = text.split(procedure, 1)[1].split("\n    end;", 1)[0]
        return " ".join(text.split())

    return read


@pytest.mark.parametrize("defect", ACCESS)
def test_r30_what_is_public_by_accident_is_caught(defect, broken):
    told = broken[defect]["findings"]
    assert any(ACCESS[defect][3] in each for each in told), told


def test_r30_one_codeunit_and_what_it_tells_are_public(extension):
    """Pages have no such property (Microsoft Learn, Access property); permission sets are for people and for other sets."""
    objects = {path.name: path.read_text("utf-8") for path in (extension / "src").rglob("*.al")}
    public = [
        name
        for name, text in objects.items()
        if re.search(r"^(codeunit|enum|table|query|interface) ", text, re.MULTILINE)
        and "    Access = Internal;\n" not in text
    ]
    assert sorted(public) == ["PIPrintAPI.Codeunit.al", "PIPrintJobState.Enum.al"]
    for name, text in objects.items():
        if "PageType = API;" in text:
            assert "Extensible = false;" in text, name


# 18: an upgrade deletes nothing that its owner could not save


def test_r18_an_upgrade_gives_a_week_before_anything_is_deleted(code):
    upgrade = code(UPGRADE, "trigger OnUpgradePerDatabase()")
    step = upgrade.split("if not UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.GraceGiven(), '') then begin ", 1)[1]
    assert step.startswith(
        "PIPrintCleanUp.GiveGrace(); UpgradeTag.SetDatabaseUpgradeTag(PIPrintUpgradeTags.GraceGiven()); end;"
    )
    assert upgrade.index("GiveGrace") < upgrade.index("exit;")  # no other step skips it
    grace = code(CLEAN_UP, "procedure GiveGrace()")
    (milliseconds,) = re.findall(r"Grace := (\d+);", grace)
    assert int(milliseconds) == 7 * 24 * 60 * 60 * 1000
    assert "PIPrintSetup.FirstCleanUp := CurrentDateTime() + Grace; PIPrintSetup.Modify(true);" in grace
    assert "if PIPrintSetup.LastCleanUp <> 0DT then exit;" in grace  # whoever knows the clean-up gets no second week


def test_r18_a_first_installation_has_nothing_to_save_and_one_over_old_data_has(code):
    install = code(INSTALL, "trigger OnInstallAppPerDatabase()")
    assert "if not PIPrintQueue.IsEmpty() then PIPrintCleanUp.GiveGrace(); UpgradeTag.SetDatabaseUpgradeTag(" in install
    assert install.count("GiveGrace();") == 1


def test_r18_no_run_of_any_company_begins_before(code):
    turn = code(CLEAN_UP, "local procedure TakesTurn()")
    judged = turn.index(
        "if PIPrintSetup.CleanUpOff or (CurrentDateTime() < PIPrintSetup.FirstCleanUp) then exit(false);"
    )
    assert judged < turn.index("PIPrintSetup.LastCleanUp := ")
    assert code(CLEAN_UP, "trigger OnRun()").endswith("if TakesTurn() then CleanUp();")
    for procedure in ("procedure SwitchOn()", "procedure ScheduleUnlessOff()"):  # setting up anew shortens nothing
        assert "FirstCleanUp" not in code(CLEAN_UP, procedure)


def test_r18_a_first_clean_up_that_comes_late_gives_the_week_too(code):
    """Where the installation might not schedule it, jobs were kept for long, and opening the setup page starts it."""
    turn = code(CLEAN_UP, "local procedure TakesTurn()")
    first = "if (PIPrintSetup.LastCleanUp = 0DT) and (PIPrintSetup.FirstCleanUp = 0DT) and HasOldJobs() then begin GiveGrace();"
    assert turn.index(first) < turn.index("PIPrintSetup.LastCleanUp := CurrentDateTime()")
    assert "exit(false); end;" in turn.split(first, 1)[1][:140]


@pytest.mark.parametrize("page", [SETUP, ALL_JOBS, PRINTER_PAGE])
def test_r18_who_opens_a_page_of_administrators_is_told_when_it_begins(page, code):
    assert "PIPrintCleanUp.TellFirstCleanUp();" in code(page, "trigger OnOpenPage()")
    tells = code(CLEAN_UP, "procedure TellFirstCleanUp()")
    assert tells.index("WritePermission()") < tells.index("FirstCleanUp.Message(StrSubstNo(FirstTxt, ")
    assert tells.endswith("FirstCleanUp.Send();")
    assert "field(FirstCleanUp; Rec.FirstCleanUp)" in code(SETUP)


@pytest.mark.parametrize(
    ("file", "action", "page"),
    [
        ("Translations/piprint.g.xlf", "Switch Off Clean-Up", "Direct Printing Setup"),
        (DANISH, "Slå oprydning fra", "Opsætning af direkte udskrivning"),
        (GERMAN, "Aufräumen ausschalten", "Einrichtung Direktdruck"),
    ],
)
def test_r18_the_notice_says_how_to_switch_it_off_by_the_names_on_the_page(file, action, page, extension):
    text = (extension / file).read_text("utf-8")
    element = "source" if file.endswith(".g.xlf") else "target"
    notice = re.search(r"<source>From %1 on, old print jobs.*?</trans-unit>", text, re.DOTALL)[0]
    said = re.search(f"<{element}>(.*?)</{element}>", notice)[1]
    assert action in said
    assert page in said
    for name in (action, page):
        assert f"<{element}>{name}</{element}>" in text


# 29: an entry in process


def test_r29_switching_on_replaces_an_entry_whatever_its_state(code):
    body = code(CLEAN_UP, "procedure SwitchOn()")
    assert "if FindEntry(JobQueueEntry) then JobQueueEntry.Cancel(); Enqueue(PIPrintSetup.CleanUpMinutes);" in body
    assert "exit" not in body


def test_r29_opening_the_setup_restarts_an_entry_whose_run_died(code):
    body = code(CLEAN_UP, "procedure ScheduleUnlessOff()")
    assert re.search(r"Status::Error\) or Hangs\(JobQueueEntry\) then .*JobQueueEntry\.Restart\(\);", body)
    hangs = code(CLEAN_UP, "local procedure Hangs(")
    assert 'JobQueueEntry.Status::"In Process"' in hangs
    (milliseconds,) = re.findall(r"Day := (\d+);", hangs)
    assert int(milliseconds) == 24 * 60 * 60 * 1000  # Business Central lets a run take 12 hours at most


def test_r29_switched_off_in_the_midst_of_a_run_no_further_job_is_deleted(code):
    body = code(JOB_END, "trigger OnRun()")
    assert body.index("if PIPrintSetup.CleanUpOff then exit;") < body.index("Job.Delete(true)")
    assert "Job.Delete" not in code(RETENTION)


# 31: one job at a time


def test_r31_a_job_that_cannot_be_changed_takes_nothing_back_of_the_others(code):
    body = code(RETENTION, "local procedure EndOld(")
    loop = body.split("foreach RowNo in RowNos do begin", 1)[1]
    assert re.search(r"Commit\(\);.* if not Codeunit\.Run\(Codeunit::PIPrintJobEnd, Job\) then begin", loop)
    assert "FailedText := GetLastErrorText();" in loop
    run = code(RETENTION, "trigger OnRun()")
    assert run.rindex("EndOld(") < run.index("Error(FailedErr")  # told when all is done
    for change in (".DeleteAll(", ".Delete(", ".Modify(", ".ModifyAll("):
        assert change not in code(RETENTION)


def test_r31_a_job_that_changed_since_it_was_found_is_left_alone(code):
    body = code(JOB_END, "trigger OnRun()")
    order = [
        "Job.ReadIsolation := IsolationLevel::UpdLock;",
        "if not Job.Get(Rec.RowNo) then exit;",
        "if Job.SystemModifiedAt <> Rec.SystemModifiedAt then exit;",
        "case Job.Status of",
    ]
    assert sorted(order, key=body.index) == order


def test_r31_each_state_ends_as_the_guide_says(code):
    said = code(JOB_END, "trigger OnRun()").split("case Job.Status of", 1)[1]
    states = set(re.findall(r"Job\.Status::(\w+)[,:]", said))
    assert states == {each.enum_name for each in contract.JobState}
    assert "Job.Status::Printed, Job.Status::Error, Job.Status::Cancelled: Job.Delete(true);" in said
    assert "Job.Status::Hold, Job.Status::Queued: EndJob(Job, Job.Status::Cancelled, StrSubstNo(TooOldTxt" in said
    assert "Job.Status::Printing: EndJob(Job, Job.Status::Error, StrSubstNo(ForgottenTxt" in said


# 32: words


def test_r32_a_formula_that_ends_printing_jobs_says_so(code, extension):
    caption = re.search(r"field\(15; AutoDeleteJobsQueued; DateFormula\) \{ Caption = '([^']+)'", code(PRINTER))[1]
    assert "Waiting and Printing" in caption
    assert "A printing job" in re.search(r"Rec.AutoDeleteJobsQueued\) \{ ToolTip = '([^']+)'", code(PRINTER_CARD))[1]
    for file, word in ((DANISH, "under udskrivning"), (GERMAN, "druckende")):
        unit = (extension / file).read_text("utf-8").split(f"<source>{caption}</source>", 1)[1]
        assert word in unit.split("</trans-unit>", 1)[0]


@pytest.mark.parametrize(
    ("procedure", "question", "error"),
    [
        ("procedure SendPdf(", "if Document.EOS() then", "NoPdfErr"),
        ("procedure SendZpl(", "if DelChr(Zpl) = '' then", "NoZplErr"),
    ],
)
def test_r32_an_empty_document_is_refused_before_it_is_queued(procedure, question, error, code):
    body = code(OURS, procedure)
    assert f"{question} Error({error});" in body
    assert body.index(error) < body.index("Send(PrinterName")
    assert re.search(error + r": Label 'There is no [^']+ is empty\. Nothing was printed\.'", code(OURS))


# The printer's own words, for those who see their own jobs only


@pytest.mark.parametrize("page", [QUEUE, ALL_JOBS])
def test_p5_users_see_what_the_printer_says_while_their_job_waits(page, code):
    assert "field(PrinterSays; PrinterSays)" in code(page)
    assert "PrinterSays := PIPrintJobs.PrinterSays(Rec);" in code(page, "trigger OnAfterGetRecord()")
    column = code(TABLE).split("field(37; PrinterSays; Text[250]) {", 1)[1].split("}", 1)[0]
    assert "lookup(PIPrintPrinter.StateMessage where(RowNo = field(PrinterRowNo)))" in column
    says = code(JOBS, "procedure PrinterSays(")
    for state in contract.JobState:
        over = state.enum_name in ("Printed", "Error", "Cancelled")
        assert (f"Job.Status::{state.enum_name}" in says) is not over


def test_p5_the_printers_words_are_on_no_page_that_is_served(extension, extension_said):
    """There they would take part in the tag of a job, which would change under its processor's hand."""
    served = [
        path for path in (extension / "src" / "Page").glob("*.al") if path.stem.split(".")[0].endswith(("API", "WS"))
    ]
    assert len(served) == len(extension_said["contract"]["entities"])
    assert not [path.name for path in served if "PrinterSays" in path.read_text("utf-8")]


# What a processor asks for


@pytest.mark.parametrize("action", [each.name for each in contract.JOBS_API.actions])
def test_al_each_action_is_guarded_in_one_place_and_says_who_may(action, code):
    """The API page only hands on: the lock and the guard stand in PIPrintClaim, as the stand-in's do in its actions."""
    served = code("src/Page/PIPrintJobsAPI.Page.al", f"procedure {action}(")
    name = action.capitalize()
    assert f"PIPrintClaim.{name}(Rec.SystemId" in served
    body = code("src/Codeunit/PIPrintClaim.Codeunit.al", f"procedure {name}(")
    assert body.index("Lock") < body.index("Job.Modify(true)")
    alone = {"Tell", "Amend"}
    assert ("Job.Validate(" in body) == (name in {"Claim", "Release", "Finish", "Restart"})
    if name in alone:  # the message, and nothing else
        assert re.findall(r"Job\.(\w+) [:+]=", body) == ["PrinterMessage"]
