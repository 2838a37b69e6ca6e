/// <summary>
/// The retention of jobs, run by a job queue entry and by nothing else. Age counts from a job's last change. A job that
/// waits or is on hold for too long is cancelled with a message, and deleted only later as a cancelled one. A job being
/// printed is never touched: its processor changes it all the time; one that nobody changed for as long goes to Error.
/// Each company has an entry, so that no company's end is the end of the clean-up; all share the jobs, so one a time does the work.
/// </summary>
codeunit 90004 PIPrintCleanUp
{
    Access = Internal;
    TableNo = "Job Queue Entry";
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata "Error Message" = rimd,
        tabledata "Error Message Register" = rimd,
        tabledata "Job Queue Entry" = rimd,
        tabledata "Job Queue Log Entry" = rimd,
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = rmd,
        tabledata PIPrintSetup = rim;

    trigger OnRun()
    begin
        if TakesTurn() then
            CleanUp();
    end;

    var
        DescriptionTxt: Label 'Clean up jobs of direct printing';
        ForgottenTxt: Label 'The print processor that took the job has not been heard of since %1. It may have been printed: look for the paper before you restart it.', Comment = '%1 is a date and time';
        NotScheduledTxt: Label 'Not scheduled';
        TooOldTxt: Label 'Cancelled by the clean-up: not printed by %1. Restart it to print it all the same.', Comment = '%1 is a date and time';

    /// <summary>Cancels and deletes what each printer's date formulas say. An empty formula keeps jobs for ever.</summary>
    procedure CleanUp()
    var
        PIPrintPrinter: Record PIPrintPrinter;
        State: Enum PIPrintJobState;
    begin
        if not PIPrintPrinter.FindSet() then
            exit;
        repeat
            DeleteOld(PIPrintPrinter.RowNo, State::Printed, PIPrintPrinter.AutoDeleteJobsPrinted);
            DeleteOld(PIPrintPrinter.RowNo, State::Error, PIPrintPrinter.AutoDeleteJobsInError);
            DeleteOld(PIPrintPrinter.RowNo, State::Cancelled, PIPrintPrinter.AutoDeleteJobsCancelled);
            EndOld(PIPrintPrinter.RowNo, State::Hold, PIPrintPrinter.AutoDeleteJobsOnHold);
            EndOld(PIPrintPrinter.RowNo, State::Queued, PIPrintPrinter.AutoDeleteJobsQueued);
            EndOld(PIPrintPrinter.RowNo, State::Printing, PIPrintPrinter.AutoDeleteJobsQueued);
        until PIPrintPrinter.Next() = 0;
    end;

    /// <summary>
    /// Sets up this company's job queue entry, unless it is there or the clean-up is switched off. Never fails: it says false
    /// when this session may not schedule jobs, as some of those that install and upgrade may not.
    /// </summary>
    procedure ScheduleUnlessOff(): Boolean
    var
        PIPrintSetup: Record PIPrintSetup;
    begin
        if not PIPrintSetup.ReadPermission() then
            exit(false);
        PIPrintSetup.GetOrInit();
        if PIPrintSetup.CleanUpOff then
            exit(true);
        if not MaySchedule() then
            exit(false);
        if not IsScheduled() then
            Enqueue(PIPrintSetup.CleanUpMinutes);
        exit(true);
    end;

    /// <summary>
    /// Switches the clean-up on for all companies and sets up this company's entry anew, to run as this user: entries of a partner's
    /// delegated administrator, who may have installed us, are never run. Fails when the user may not schedule jobs.
    /// </summary>
    procedure SwitchOn()
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInsert();
        PIPrintSetup.CleanUpOff := false;
        PIPrintSetup.Modify(true);
        if FindEntry(JobQueueEntry) then begin
            if JobQueueEntry.Status = JobQueueEntry.Status::"In Process" then
                exit;
            JobQueueEntry.Cancel();
        end;
        Enqueue(PIPrintSetup.CleanUpMinutes);
    end;

    /// <summary>Switches the clean-up off for all companies, until SwitchOn; no upgrade schedules it again. Other companies' entries do nothing.</summary>
    procedure SwitchOff()
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInsert();
        PIPrintSetup.CleanUpOff := true;
        PIPrintSetup.Modify(true);
        if FindEntry(JobQueueEntry) then
            JobQueueEntry.Cancel();
    end;

    /// <summary>Whether this company has the job queue entry.</summary>
    procedure IsScheduled(): Boolean
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        exit(FindEntry(JobQueueEntry));
    end;

    /// <summary>Says how this company's job queue entry is, in the user's language.</summary>
    procedure EntryState(): Text
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        if FindEntry(JobQueueEntry) then
            exit(Format(JobQueueEntry.Status));
        exit(NotScheduledTxt);
    end;

    // The first company whose turn comes does the work; the others' runs before half the time is over find it done.
    local procedure TakesTurn(): Boolean
    var
        PIPrintSetup: Record PIPrintSetup;
        Pause: Duration;
        Since: Duration;
        Minutes: BigInteger;
    begin
        PIPrintSetup.ReadIsolation := IsolationLevel::UpdLock;
        PIPrintSetup.GetOrInsert();
        if PIPrintSetup.CleanUpOff then
            exit(false);
        Minutes := PIPrintSetup.CleanUpMinutes; // milliseconds of a month are more than an Integer holds
        Pause := Minutes * 30000;
        if PIPrintSetup.LastCleanUp <> 0DT then begin
            Since := CurrentDateTime() - PIPrintSetup.LastCleanUp;
            if (Since >= 0) and (Since < Pause) then // a clock that was put back makes it negative
                exit(false);
        end;
        PIPrintSetup.LastCleanUp := CurrentDateTime();
        PIPrintSetup.Modify(true);
        Commit(); // else everybody who prints would wait for this row until the clean-up is over
        exit(true);
    end;

    local procedure FindEntry(var JobQueueEntry: Record "Job Queue Entry"): Boolean
    begin
        JobQueueEntry.SetRange("Object Type to Run", JobQueueEntry."Object Type to Run"::Codeunit);
        JobQueueEntry.SetRange("Object ID to Run", Codeunit::PIPrintCleanUp);
        exit(JobQueueEntry.FindFirst());
    end;

    local procedure Enqueue(Minutes: Integer)
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        JobQueueEntry.InitRecurringJob(Minutes);
        JobQueueEntry."Object Type to Run" := JobQueueEntry."Object Type to Run"::Codeunit;
        JobQueueEntry."Object ID to Run" := Codeunit::PIPrintCleanUp;
        JobQueueEntry.Description := CopyStr(DescriptionTxt, 1, MaxStrLen(JobQueueEntry.Description));
        JobQueueEntry."Maximum No. of Attempts to Run" := 3;
        Codeunit.Run(Codeunit::"Job Queue - Enqueue", JobQueueEntry);
    end;

    // What "Job Queue - Enqueue" asks for, asked before, so that neither an installation nor an upgrade fails for it.
    local procedure MaySchedule(): Boolean
    var
        ErrorMessage: Record "Error Message";
        ErrorMessageRegister: Record "Error Message Register";
        JobQueueEntry: Record "Job Queue Entry";
        JobQueueLogEntry: Record "Job Queue Log Entry";
    begin
        if not TaskScheduler.CanCreateTask() then
            exit(false);
        if not (JobQueueEntry.ReadPermission() and JobQueueEntry.WritePermission()) then
            exit(false);
        exit(JobQueueLogEntry.WritePermission() and ErrorMessageRegister.WritePermission() and ErrorMessage.WritePermission());
    end;

    local procedure DeleteOld(PrinterRowNo: Integer; State: Enum PIPrintJobState; Age: DateFormula)
    var
        Job: Record PIPrintQueue;
    begin
        if Format(Age) = '' then
            exit;
        Job.SetRange(PrinterRowNo, PrinterRowNo);
        Job.SetRange(Status, State);
        Job.SetFilter(SystemModifiedAt, '<%1', Before(Age));
        Job.DeleteAll(true);
    end;

    local procedure EndOld(PrinterRowNo: Integer; State: Enum PIPrintJobState; Age: DateFormula)
    var
        Job: Record PIPrintQueue;
    begin
        if Format(Age) = '' then
            exit;
        Job.ReadIsolation := IsolationLevel::UpdLock;
        Job.SetRange(PrinterRowNo, PrinterRowNo);
        Job.SetRange(Status, State);
        Job.SetFilter(SystemModifiedAt, '<%1', Before(Age));
        while Job.FindFirst() do
            EndJob(Job);
    end;

    local procedure EndJob(var Job: Record PIPrintQueue)
    var
        Reason: Text;
    begin
        if Job.Status = Job.Status::Printing then begin
            Reason := StrSubstNo(ForgottenTxt, Job.SystemModifiedAt);
            Job.Validate(Status, Job.Status::Error);
        end else begin
            Reason := StrSubstNo(TooOldTxt, CurrentDateTime());
            Job.Validate(Status, Job.Status::Cancelled);
        end;
        Job.ClearClaim();
        Job.PrinterMessage := CopyStr(Reason, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;

    local procedure Before(Age: DateFormula): DateTime
    begin
        exit(CreateDateTime(CalcDate(Age, Today()), Time()));
    end;
}
