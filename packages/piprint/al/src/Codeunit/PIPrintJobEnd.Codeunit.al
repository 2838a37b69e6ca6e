/// <summary>
/// What the retention does to one job: deletes one that is over, cancels one that was not printed, and puts one in Error whose
/// processor fell silent. Run as a codeunit, so that a job that cannot be changed takes nothing back of what was done to others.
/// </summary>
codeunit 90011 PIPrintJobEnd
{
    Access = Internal;
    TableNo = PIPrintQueue;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintQueue = rmd,
        tabledata PIPrintSetup = r;

    // Whatever happened since the job was found, somebody else's change or the clean-up switched off, counts.
    trigger OnRun()
    var
        Job: Record PIPrintQueue;
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInit();
        if PIPrintSetup.CleanUpOff then
            exit;
        Job.ReadIsolation := IsolationLevel::UpdLock;
        if not Job.Get(Rec.RowNo) then
            exit;
        if Job.SystemModifiedAt <> Rec.SystemModifiedAt then
            exit;
        case Job.Status of
            Job.Status::Printed, Job.Status::Error, Job.Status::Cancelled:
                Job.Delete(true);
            Job.Status::Hold, Job.Status::Queued:
                EndJob(Job, Job.Status::Cancelled, StrSubstNo(TooOldTxt, CurrentDateTime()));
            Job.Status::Printing:
                EndJob(Job, Job.Status::Error, StrSubstNo(ForgottenTxt, Job.SystemModifiedAt));
        end;
    end;

    var
        ForgottenTxt: Label 'The print processor that took the job has not been heard of since %1. It may have been printed: look for the paper before you restart it.', Comment = '%1 is a date and time';
        TooOldTxt: Label 'Cancelled by the clean-up: not printed by %1. Restart it to print it all the same.', Comment = '%1 is a date and time';

    local procedure EndJob(var Job: Record PIPrintQueue; State: Enum PIPrintJobState; Reason: Text)
    begin
        Job.Validate(Status, State);
        Job.ClearClaim();
        Job.PrinterMessage := CopyStr(Reason, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;
}
