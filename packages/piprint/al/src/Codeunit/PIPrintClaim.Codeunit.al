/// <summary>
/// What processors may do with a job, each step checked under a lock on its row. A claim is a token with a lease: whoever
/// holds it may print; when the lease runs out, the next one may take over. The code words in brackets are part of the
/// contract with the processor and are never translated.
/// </summary>
codeunit 90002 PIPrintClaim
{
    Access = Internal;
    Permissions =
        tabledata PIPrintQueue = rm;

    var
        ClaimWordTok: Label '[claim ', Locked = true;
        GoneErr: Label 'The print job is gone.';
        LeaseErr: Label 'A claim lasts 1 to 86400 seconds, not %1.', Comment = '%1 is a number of seconds';
        NotClaimableErr: Label 'Print job %1 is not waiting: its state is %2, and nobody''s claim has run out. [not-claimable]', Comment = '%1 is the number of the job, %2 its state; the word in brackets stays as it is';
        NotRestartableErr: Label 'Print job %1 is being printed. Cancel it before you restart it. [not-restartable]', Comment = '%1 is the number of the job; the word in brackets stays as it is';
        NotYoursErr: Label 'Print job %1 is not claimed by this processor, or no longer. [not-yours]', Comment = '%1 is the number of the job; the word in brackets stays as it is';
        TokenErr: Label 'A claim needs a token.';

    /// <summary>Queued, or Printing with a lease that ran out, becomes Printing. Asked again with the same token, it only renews.</summary>
    procedure Claim(JobId: Guid; ClaimToken: Text; LeaseSeconds: Integer)
    var
        Job: Record PIPrintQueue;
    begin
        if ClaimToken = '' then
            Error(TokenErr);
        LockJob(Job, JobId);
        if not ((Job.Status = Job.Status::Printing) and (Job.ClaimedBy = ClaimToken)) then begin
            if not IsClaimable(Job) then
                Error(NotClaimableErr, Job.RowNo, Job.Status);
            // Taken over, Submitted stays: the new holder must know that the last one may have printed.
            if Job.Status = Job.Status::Queued then
                Job.Submitted := false;
            Job.Validate(Status, Job.Status::Printing);
            Job.ClaimedBy := CopyStr(ClaimToken, 1, MaxStrLen(Job.ClaimedBy));
            Job.Attempts += 1;
            Job.PrinterMessage := '';
        end;
        Job.LeaseUntil := LeaseEnd(LeaseSeconds);
        Job.Modify(true);
    end;

    /// <summary>The holder still has the job.</summary>
    procedure Renew(JobId: Guid; ClaimToken: Text; LeaseSeconds: Integer)
    var
        Job: Record PIPrintQueue;
    begin
        LockOwnJob(Job, JobId, ClaimToken);
        Job.LeaseUntil := LeaseEnd(LeaseSeconds);
        Job.Modify(true);
    end;

    /// <summary>The holder hands the job to a printer now.</summary>
    procedure Submitting(JobId: Guid; ClaimToken: Text)
    var
        Job: Record PIPrintQueue;
    begin
        LockOwnJob(Job, JobId, ClaimToken);
        Job.Submitted := true;
        Job.Modify(true);
    end;

    /// <summary>The holder says what the job waits for; an empty message when it goes on.</summary>
    procedure Tell(JobId: Guid; ClaimToken: Text; Message: Text)
    var
        Job: Record PIPrintQueue;
    begin
        LockOwnJob(Job, JobId, ClaimToken);
        Job.PrinterMessage := CopyStr(Message, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;

    /// <summary>The holder gives the job back: nothing of it is at a printer.</summary>
    procedure Release(JobId: Guid; ClaimToken: Text; Message: Text)
    var
        Job: Record PIPrintQueue;
    begin
        LockOwnJob(Job, JobId, ClaimToken);
        Job.Validate(Status, Job.Status::Queued);
        Job.ClearClaim();
        Job.PrinterMessage := CopyStr(Message, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;

    /// <summary>The holder reports the outcome. Its token stays with the job, so that it can see that its report arrived.</summary>
    procedure Finish(JobId: Guid; ClaimToken: Text; IsPrinted: Boolean; Message: Text)
    var
        Job: Record PIPrintQueue;
    begin
        LockOwnJob(Job, JobId, ClaimToken);
        if IsPrinted then
            Job.Validate(Status, Job.Status::Printed)
        else
            Job.Validate(Status, Job.Status::Error);
        Job.LeaseUntil := 0DT;
        Job.PrinterMessage := CopyStr(Message, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;

    /// <summary>Something about the end of a job came to light: another message. Only while nobody had the job since.</summary>
    procedure Amend(JobId: Guid; ClaimToken: Text; Message: Text)
    var
        Job: Record PIPrintQueue;
    begin
        LockJob(Job, JobId);
        if not (Job.Status in [Job.Status::Printed, Job.Status::Error]) or (Job.ClaimedBy <> ClaimToken) or (ClaimToken = '') then
            Error(NotYoursErr, Job.RowNo);
        Job.PrinterMessage := CopyStr(Message, 1, MaxStrLen(Job.PrinterMessage));
        Job.Modify(true);
    end;

    /// <summary>Any state but Printing becomes Queued.</summary>
    procedure Restart(JobId: Guid)
    var
        Job: Record PIPrintQueue;
    begin
        LockJob(Job, JobId);
        if Job.Status = Job.Status::Printing then
            Error(NotRestartableErr, Job.RowNo);
        Job.Validate(Status, Job.Status::Queued);
        Job.ClearClaim();
        Job.PrinterMessage := '';
        Job.Modify(true);
    end;

    /// <summary>
    /// Keeps claim and attempts right when a processor of PIPrint 1.0 changes the state through the web service. Its claim
    /// has no lease and is never taken over here; ours writes its token into the message, so that it finds it again.
    /// </summary>
    procedure FollowState(var Job: Record PIPrintQueue; Before: Enum PIPrintJobState)
    begin
        case Job.Status of
            Job.Status::Printing:
                begin
                    if Before <> Before::Printing then begin
                        Job.Attempts += 1;
                        Job.LeaseUntil := 0DT;
                        Job.Submitted := true; // it cannot tell, so the careful answer
                    end;
                    if Job.LeaseUntil = 0DT then
                        Job.ClaimedBy := TokenIn(Job.PrinterMessage);
                end;
            Job.Status::Printed, Job.Status::Error:
                Job.LeaseUntil := 0DT;
            else
                Job.ClearClaim();
        end;
    end;

    local procedure LockJob(var Job: Record PIPrintQueue; JobId: Guid)
    begin
        Job.ReadIsolation := IsolationLevel::UpdLock;
        if not Job.GetBySystemId(JobId) then
            Error(GoneErr);
    end;

    local procedure LockOwnJob(var Job: Record PIPrintQueue; JobId: Guid; ClaimToken: Text)
    begin
        LockJob(Job, JobId);
        if (Job.Status <> Job.Status::Printing) or (Job.ClaimedBy <> ClaimToken) or (ClaimToken = '') then
            Error(NotYoursErr, Job.RowNo);
    end;

    local procedure IsClaimable(Job: Record PIPrintQueue): Boolean
    begin
        if Job.Status = Job.Status::Queued then
            exit(true);
        exit((Job.Status = Job.Status::Printing) and (Job.LeaseUntil <> 0DT) and (Job.LeaseUntil < CurrentDateTime()));
    end;

    local procedure LeaseEnd(LeaseSeconds: Integer): DateTime
    var
        Lease: Duration;
    begin
        if (LeaseSeconds < 1) or (LeaseSeconds > 86400) then
            Error(LeaseErr, LeaseSeconds);
        Lease := LeaseSeconds * 1000;
        exit(CurrentDateTime() + Lease);
    end;

    local procedure TokenIn(Message: Text): Text[250]
    var
        Start: Integer;
        Length: Integer;
    begin
        Start := StrPos(Message, ClaimWordTok);
        if Start = 0 then
            exit('');
        Message := CopyStr(Message, Start + StrLen(ClaimWordTok));
        Length := StrPos(Message, ']') - 1;
        if Length < 1 then
            exit('');
        exit(CopyStr(CopyStr(Message, 1, Length), 1, 250));
    end;
}
