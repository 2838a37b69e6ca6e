/// <summary>
/// The retention of one printer's jobs. Age counts from a job's last change. A job that waits or is on hold for too long is
/// cancelled with a message, and deleted only later as a cancelled one. A job being printed is never touched: its processor
/// changes it all the time; one that nobody changed for as long as a waiting job may wait goes to Error.
/// </summary>
codeunit 90010 PIPrintRetention
{
    Access = Internal;
    TableNo = PIPrintPrinter;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintQueue = rmd;

    // What each of the printer's date formulas says. An empty formula keeps jobs for ever.
    trigger OnRun()
    var
        State: Enum PIPrintJobState;
    begin
        DeleteOld(Rec.RowNo, State::Printed, Rec.AutoDeleteJobsPrinted);
        DeleteOld(Rec.RowNo, State::Error, Rec.AutoDeleteJobsInError);
        DeleteOld(Rec.RowNo, State::Cancelled, Rec.AutoDeleteJobsCancelled);
        EndOld(Rec.RowNo, State::Hold, Rec.AutoDeleteJobsOnHold);
        EndOld(Rec.RowNo, State::Queued, Rec.AutoDeleteJobsQueued);
        EndOld(Rec.RowNo, State::Printing, Rec.AutoDeleteJobsQueued);
    end;

    var
        ForgottenTxt: Label 'The print processor that took the job has not been heard of since %1. It may have been printed: look for the paper before you restart it.', Comment = '%1 is a date and time';
        TooOldTxt: Label 'Cancelled by the clean-up: not printed by %1. Restart it to print it all the same.', Comment = '%1 is a date and time';

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
