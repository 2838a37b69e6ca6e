/// <summary>
/// What people do with jobs: print, hold, restart, cancel, look. Its own rights let users do that with jobs the pages show
/// them, although they may not read the table themselves.
/// </summary>
codeunit 90003 PIPrintJobs
{
    Access = Internal;
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = rim;

    var
        CancelledTxt: Label 'Cancelled by %1', Comment = '%1 is the name of a user';
        FileNameTok: Label '%1-%2.%3', Locked = true, Comment = '%1 is the name of the document, %2 the number of the job, %3 pdf or zpl';
        HeldTxt: Label 'Put on hold by %1', Comment = '%1 is the name of a user';
        NoDocumentErr: Label 'Print job %1 has no document.', Comment = '%1 is the number of the job';
        StateHoldTxt: Label 'On hold';
        StateQueuedTxt: Label 'Waiting';
        StateErrorTxt: Label 'Error';
        StateCancelledTxt: Label 'Cancelled';
        StatePrintingTxt: Label 'Printing';
        StatePrintedTxt: Label 'Printed';

    /// <summary>Queues a document; on hold if the printer says so.</summary>
    procedure Add(PIPrintPrinter: Record PIPrintPrinter; Settings: JsonObject; Document: InStream; var Job: Record PIPrintQueue)
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Writer: OutStream;
    begin
        Job.Init();
        Job.PrinterRowNo := PIPrintPrinter.RowNo;
        Job.Status := Job.Status::Queued;
        Job.SetPayload(Settings);
        Job.PDFPrintJob.CreateOutStream(Writer);
        CopyStream(Writer, Document);
        Job.DocumentSize := Job.PDFPrintJob.Length();
        Job.DocumentName := CopyStr(PIPrintPayload.TextOf(Settings, 'objectname'), 1, MaxStrLen(Job.DocumentName));
        if not Evaluate(Job.ReportRunID, PIPrintPayload.TextOf(Settings, 'reportrunid')) then
            Clear(Job.ReportRunID);
        Job.InvokedBy := UserSecurityId();
        Job.InvokedByName := CopyStr(UserId(), 1, MaxStrLen(Job.InvokedByName));
        Job.Insert(true);
    end;

    /// <summary>Keeps a job from being printed until it is restarted; the processor takes it back from the printer if it can.</summary>
    procedure Hold(var Job: Record PIPrintQueue)
    begin
        SetState(Job, Job.Status::Hold, StrSubstNo(HeldTxt, UserId()));
    end;

    /// <summary>Ends a job unprinted; the processor takes it back from the printer if it can.</summary>
    procedure Cancel(var Job: Record PIPrintQueue)
    begin
        SetState(Job, Job.Status::Cancelled, StrSubstNo(CancelledTxt, UserId()));
    end;

    /// <summary>Prints a job again, unless it is being printed.</summary>
    procedure Restart(var Job: Record PIPrintQueue)
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Restart(Job.SystemId);
        Job.Get(Job.RowNo); // not Find, which fails when the user has filtered the page by the old state
    end;

    /// <summary>What the printer says now, for a job that is not over: with the others it has nothing to do any more.</summary>
    procedure PrinterSays(var Job: Record PIPrintQueue): Text
    begin
        if not (Job.Status in [Job.Status::Hold, Job.Status::Queued, Job.Status::Printing]) then
            exit('');
        Job.CalcFields(PrinterSays);
        exit(Job.PrinterSays);
    end;

    /// <summary>Hands the document to the user's browser.</summary>
    procedure ShowDocument(Job: Record PIPrintQueue)
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Settings: JsonObject;
        Reader: InStream;
        FileName: Text;
        Ending: Text;
    begin
        if not Job.PDFPrintJob.HasValue() then
            Error(NoDocumentErr, Job.RowNo);
        Job.CalcFields(PDFPrintJob);
        Job.PDFPrintJob.CreateInStream(Reader);
        Ending := 'pdf';
        if Settings.ReadFrom(Job.GetPayload()) then
            if PIPrintPayload.TextOf(Settings, 'documenttype') = PIPrintPayload.ZplType() then
                Ending := 'zpl';
        FileName := StrSubstNo(FileNameTok, Job.DocumentName, Job.RowNo, Ending);
        DownloadFromStream(Reader, '', '', '', FileName);
    end;

    /// <summary>Says a state in the user's language; the captions of the enum are locked for the web services.</summary>
    procedure StateText(State: Enum PIPrintJobState): Text
    begin
        case State of
            State::Hold:
                exit(StateHoldTxt);
            State::Queued:
                exit(StateQueuedTxt);
            State::Error:
                exit(StateErrorTxt);
            State::Cancelled:
                exit(StateCancelledTxt);
            State::Printing:
                exit(StatePrintingTxt);
            State::Printed:
                exit(StatePrintedTxt);
        end;
    end;

    // The page's own record is left without filters to fail on, and without a lock that its next reads would keep.
    local procedure SetState(var Job: Record PIPrintQueue; State: Enum PIPrintJobState; Message: Text)
    var
        LockedJob: Record PIPrintQueue;
    begin
        LockedJob.ReadIsolation := IsolationLevel::UpdLock;
        LockedJob.Get(Job.RowNo);
        LockedJob.Validate(Status, State);
        LockedJob.ClearClaim();
        LockedJob.PrinterMessage := CopyStr(Message, 1, MaxStrLen(LockedJob.PrinterMessage));
        LockedJob.Modify(true);
        Job.Get(Job.RowNo);
    end;
}
