/// <summary>
/// The API of jobs: read only but for its actions, which check who holds the job. The document is a stream of its own.
/// </summary>
page 90011 PIPrintJobsAPI
{
    Caption = 'printJobs', Locked = true;
    PageType = API;
    APIPublisher = 'piprint';
    APIGroup = 'printing';
    APIVersion = 'v2.0';
    EntityName = 'printJob';
    EntitySetName = 'printJobs';
    EntityCaption = 'printJob', Locked = true;
    EntitySetCaption = 'printJobs', Locked = true;
    SourceTable = PIPrintQueue;
    ODataKeyFields = SystemId;
    DelayedInsert = true;
    Extensible = false;
    InsertAllowed = false;
    ModifyAllowed = false;
    DeleteAllowed = false;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(id; Rec.SystemId)
                {
                    Caption = 'id', Locked = true;
                    Editable = false;
                }
                field(rowNo; Rec.RowNo)
                {
                    Caption = 'rowNo', Locked = true;
                    Editable = false;
                }
                field(hostId; Rec.HostID)
                {
                    Caption = 'hostId', Locked = true;
                    Editable = false;
                }
                field(printerId; Rec.PrinterID)
                {
                    Caption = 'printerId', Locked = true;
                    Editable = false;
                }
                field(printerName; Rec.PrinterName)
                {
                    Caption = 'printerName', Locked = true;
                    Editable = false;
                }
                field(payload; PayloadText)
                {
                    Caption = 'payload', Locked = true;
                    Editable = false;
                }
                field(document; Rec.PDFPrintJob)
                {
                    Caption = 'document', Locked = true;
                    Editable = false;
                }
                field(documentSize; Rec.DocumentSize)
                {
                    Caption = 'documentSize', Locked = true;
                    Editable = false;
                }
                field(documentName; Rec.DocumentName)
                {
                    Caption = 'documentName', Locked = true;
                    Editable = false;
                }
                field(status; Rec.Status)
                {
                    Caption = 'status', Locked = true;
                    Editable = false;
                }
                field(claimedBy; Rec.ClaimedBy)
                {
                    Caption = 'claimedBy', Locked = true;
                    Editable = false;
                }
                field(leaseUntil; Rec.LeaseUntil)
                {
                    Caption = 'leaseUntil', Locked = true;
                    Editable = false;
                }
                field(submitted; Rec.Submitted)
                {
                    Caption = 'submitted', Locked = true;
                    Editable = false;
                }
                field(attempts; Rec.Attempts)
                {
                    Caption = 'attempts', Locked = true;
                    Editable = false;
                }
                field(message; Rec.PrinterMessage)
                {
                    Caption = 'message', Locked = true;
                    Editable = false;
                }
                field(reportRunId; Rec.ReportRunID)
                {
                    Caption = 'reportRunId', Locked = true;
                    Editable = false;
                }
                field(createdDateTime; Rec.SystemCreatedAt)
                {
                    Caption = 'createdDateTime', Locked = true;
                    Editable = false;
                }
                field(printedDateTime; Rec.Printed)
                {
                    Caption = 'printedDateTime', Locked = true;
                    Editable = false;
                }
            }
        }
    }

    trigger OnAfterGetRecord()
    begin
        PayloadText := Rec.GetPayload();
    end;

    /// <summary>Takes the job, or a job whose holder's lease ran out.</summary>
    [ServiceEnabled]
    procedure claim(var ActionContext: WebServiceActionContext; claimToken: Text[250]; leaseSeconds: Integer)
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Claim(Rec.SystemId, claimToken, leaseSeconds);
        Answer(ActionContext);
    end;

    /// <summary>Says that the holder still has the job.</summary>
    [ServiceEnabled]
    procedure renew(var ActionContext: WebServiceActionContext; claimToken: Text[250]; leaseSeconds: Integer)
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Renew(Rec.SystemId, claimToken, leaseSeconds);
        Answer(ActionContext);
    end;

    /// <summary>Says that the holder hands the job to a printer now.</summary>
    [ServiceEnabled]
    procedure submitting(var ActionContext: WebServiceActionContext; claimToken: Text[250])
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Submitting(Rec.SystemId, claimToken);
        Answer(ActionContext);
    end;

    /// <summary>Says what the job waits for.</summary>
    [ServiceEnabled]
    procedure tell(var ActionContext: WebServiceActionContext; claimToken: Text[250]; message: Text[2048])
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Tell(Rec.SystemId, claimToken, message);
        Answer(ActionContext);
    end;

    /// <summary>Gives the job back, unprinted.</summary>
    [ServiceEnabled]
    procedure release(var ActionContext: WebServiceActionContext; claimToken: Text[250]; message: Text[2048])
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Release(Rec.SystemId, claimToken, message);
        Answer(ActionContext);
    end;

    /// <summary>Reports the outcome: printed, or an error.</summary>
    [ServiceEnabled]
    procedure finish(var ActionContext: WebServiceActionContext; claimToken: Text[250]; printed: Boolean; message: Text[2048])
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Finish(Rec.SystemId, claimToken, printed, message);
        Answer(ActionContext);
    end;

    /// <summary>Says something that came to light about the job's end.</summary>
    [ServiceEnabled]
    procedure amend(var ActionContext: WebServiceActionContext; claimToken: Text[250]; message: Text[2048])
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Amend(Rec.SystemId, claimToken, message);
        Answer(ActionContext);
    end;

    /// <summary>Queues the job again, unless it is being printed.</summary>
    [ServiceEnabled]
    procedure restart(var ActionContext: WebServiceActionContext)
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.Restart(Rec.SystemId);
        Answer(ActionContext);
    end;

    local procedure Answer(var ActionContext: WebServiceActionContext)
    begin
        ActionContext.SetObjectType(ObjectType::Page);
        ActionContext.SetObjectId(Page::PIPrintJobsAPI);
        ActionContext.AddEntityKey(Rec.FieldNo(SystemId), Rec.SystemId);
        ActionContext.SetResultCode(WebServiceActionResultCode::Updated);
    end;

    var
        PayloadText: Text;
}
