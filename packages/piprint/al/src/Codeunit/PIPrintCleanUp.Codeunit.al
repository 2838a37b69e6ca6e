/// <summary>
/// The retention of jobs, run by a job queue entry and by nothing else. Age counts from a job's last change. A job that
/// waits or is on hold for too long is cancelled with a message, and deleted only later as a cancelled one; a job being
/// printed is never touched.
/// </summary>
codeunit 90004 PIPrintCleanUp
{
    Access = Internal;
    TableNo = "Job Queue Entry";
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = rmd;

    trigger OnRun()
    begin
        CleanUp();
    end;

    var
        DescriptionTxt: Label 'Clean up jobs of direct printing';
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
            CancelOld(PIPrintPrinter.RowNo, State::Hold, PIPrintPrinter.AutoDeleteJobsOnHold);
            CancelOld(PIPrintPrinter.RowNo, State::Queued, PIPrintPrinter.AutoDeleteJobsQueued);
        until PIPrintPrinter.Next() = 0;
    end;

    /// <summary>Sets up the job queue entry, unless there is one. Asks for the right to schedule jobs.</summary>
    procedure Schedule()
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        if IsScheduled() then
            exit;
        PIPrintSetup.GetOrInit();
        JobQueueEntry.InitRecurringJob(PIPrintSetup.CleanUpMinutes);
        JobQueueEntry."Object Type to Run" := JobQueueEntry."Object Type to Run"::Codeunit;
        JobQueueEntry."Object ID to Run" := Codeunit::PIPrintCleanUp;
        JobQueueEntry.Description := CopyStr(DescriptionTxt, 1, MaxStrLen(JobQueueEntry.Description));
        JobQueueEntry."Maximum No. of Attempts to Run" := 3;
        Codeunit.Run(Codeunit::"Job Queue - Enqueue", JobQueueEntry);
    end;

    /// <summary>Whether this company has the job queue entry. One company is enough: jobs belong to no company.</summary>
    procedure IsScheduled(): Boolean
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        JobQueueEntry.SetRange("Object Type to Run", JobQueueEntry."Object Type to Run"::Codeunit);
        JobQueueEntry.SetRange("Object ID to Run", Codeunit::PIPrintCleanUp);
        exit(not JobQueueEntry.IsEmpty());
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

    local procedure CancelOld(PrinterRowNo: Integer; State: Enum PIPrintJobState; Age: DateFormula)
    var
        Job: Record PIPrintQueue;
    begin
        if Format(Age) = '' then
            exit;
        Job.ReadIsolation := IsolationLevel::UpdLock;
        Job.SetRange(PrinterRowNo, PrinterRowNo);
        Job.SetRange(Status, State);
        Job.SetFilter(SystemModifiedAt, '<%1', Before(Age));
        while Job.FindFirst() do begin
            Job.Validate(Status, Job.Status::Cancelled);
            Job.ClearClaim();
            Job.PrinterMessage := CopyStr(StrSubstNo(TooOldTxt, CurrentDateTime()), 1, MaxStrLen(Job.PrinterMessage));
            Job.Modify(true);
        end;
    end;

    local procedure Before(Age: DateFormula): DateTime
    begin
        exit(CreateDateTime(CalcDate(Age, Today()), Time()));
    end;
}
