/// <summary>
/// The retention of one printer's jobs. Age counts from a job's last change. A job that waits or is on hold for too long is
/// cancelled with a message, and deleted only later as a cancelled one. A job being printed is never touched: its processor
/// changes it all the time; one that nobody changed for as long as a waiting job may wait goes to Error. One job at a time
/// (PIPrintJobEnd), each for good: what fails at one is told in the end, and holds up no other.
/// </summary>
codeunit 90010 PIPrintRetention
{
    Access = Internal;
    TableNo = PIPrintPrinter;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintQueue = r;

    // What each of the printer's date formulas says. An empty formula keeps jobs for ever.
    trigger OnRun()
    var
        State: Enum PIPrintJobState;
    begin
        EndOld(Rec.RowNo, State::Printed, Rec.AutoDeleteJobsPrinted);
        EndOld(Rec.RowNo, State::Error, Rec.AutoDeleteJobsInError);
        EndOld(Rec.RowNo, State::Cancelled, Rec.AutoDeleteJobsCancelled);
        EndOld(Rec.RowNo, State::Hold, Rec.AutoDeleteJobsOnHold);
        EndOld(Rec.RowNo, State::Queued, Rec.AutoDeleteJobsQueued);
        EndOld(Rec.RowNo, State::Printing, Rec.AutoDeleteJobsQueued);
        if FailedCount > 0 then
            Error(FailedErr, FailedCount, FailedNo, FailedText);
    end;

    var
        FailedErr: Label 'Old jobs that could be neither deleted nor ended: %1. All others were. The last is job %2: %3', Comment = '%1 is how many, %2 the number of the last one, %3 what Business Central says of it';
        FailedText: Text;
        FailedCount: Integer;
        FailedNo: Integer;

    local procedure EndOld(PrinterRowNo: Integer; State: Enum PIPrintJobState; Age: DateFormula)
    var
        Job: Record PIPrintQueue;
        RowNos: List of [Integer];
        RowNo: Integer;
    begin
        if Format(Age) = '' then
            exit;
        Job.SetLoadFields(Status);
        Job.SetRange(PrinterRowNo, PrinterRowNo);
        Job.SetRange(Status, State);
        Job.SetFilter(SystemModifiedAt, '<%1', Before(Age));
        if Job.FindSet() then
            repeat
                RowNos.Add(Job.RowNo);
            until Job.Next() = 0;
        foreach RowNo in RowNos do begin
            Job.SetRange(RowNo, RowNo);
            if Job.FindFirst() then begin
                Commit(); // Codeunit.Run tells of a failure only outside a transaction; what was done to the others stays
                if not Codeunit.Run(Codeunit::PIPrintJobEnd, Job) then begin
                    FailedCount += 1;
                    FailedNo := RowNo;
                    FailedText := GetLastErrorText();
                end;
            end;
        end;
    end;

    local procedure Before(Age: DateFormula): DateTime
    begin
        exit(CreateDateTime(CalcDate(Age, Today()), Time()));
    end;
}
