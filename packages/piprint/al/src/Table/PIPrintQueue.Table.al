/// <summary>
/// A print job. Fields 1 to 10 are those of PIPrint 1.0, the others are ours. Who may change what, see PIPrintClaim
/// (processors) and PIPrintJobs (people).
/// </summary>
table 90001 PIPrintQueue
{
    Access = Internal;
    Caption = 'Print Job';
    DataClassification = CustomerContent;
    DataPerCompany = false;
    LookupPageId = PIPrintQueue;
    DrillDownPageId = PIPrintQueue;
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = r;

    fields
    {
        field(1; RowNo; Integer)
        {
            Caption = 'No.';
            DataClassification = SystemMetadata;
            AutoIncrement = true;
            Editable = false;
        }
        field(2; PrinterRowNo; Integer)
        {
            Caption = 'Printer No.';
            DataClassification = SystemMetadata;
            Editable = false;
            TableRelation = PIPrintPrinter.RowNo;
        }
        field(3; HostID; Text[250])
        {
            Caption = 'Host';
            FieldClass = FlowField;
            CalcFormula = lookup(PIPrintPrinter.HostID where(RowNo = field(PrinterRowNo)));
            Editable = false;
        }
        field(4; PrinterID; Text[250])
        {
            Caption = 'Queue at the Host';
            FieldClass = FlowField;
            CalcFormula = lookup(PIPrintPrinter.PrinterID where(RowNo = field(PrinterRowNo)));
            Editable = false;
        }
        field(5; PrinterName; Text[250])
        {
            Caption = 'Printer';
            FieldClass = FlowField;
            CalcFormula = lookup(PIPrintPrinter.PrinterName where(RowNo = field(PrinterRowNo)));
            Editable = false;
        }
        field(6; PrinterJobJsonPayload; Text[2048])
        {
            Caption = 'Print Settings (short)';
            Editable = false;
        }
        field(7; PDFPrintJob; Blob)
        {
            Caption = 'Document';
        }
        field(8; Status; Enum PIPrintJobState)
        {
            Caption = 'State';
            DataClassification = SystemMetadata;
            InitValue = Queued;

            trigger OnValidate()
            begin
                if Rec.Status = xRec.Status then
                    exit;
                if Rec.Status = Rec.Status::Printed then
                    Rec.Printed := CurrentDateTime()
                else
                    Rec.Printed := 0DT;
            end;
        }
        field(9; PrinterMessage; Text[2048])
        {
            Caption = 'Message';
        }
        field(10; Printed; DateTime)
        {
            Caption = 'Printed at';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(30; Payload; Blob)
        {
            Caption = 'Print Settings';
        }
        field(31; DocumentSize; Integer)
        {
            Caption = 'Document Size (bytes)';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(32; DocumentName; Text[250])
        {
            Caption = 'Document Name';
            Editable = false;
        }
        field(33; ReportRunID; Guid)
        {
            Caption = 'Report Run';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(34; InvokedBy; Guid)
        {
            Caption = 'Printed by (id)';
            DataClassification = EndUserPseudonymousIdentifiers;
            Editable = false;
        }
        field(35; InvokedByName; Code[50])
        {
            Caption = 'Printed by';
            DataClassification = EndUserIdentifiableInformation;
            Editable = false;
        }
        // The host at the time, so that jobs can be counted by it: a FlowField cannot be counted by another FlowField.
        field(36; JobHostID; Text[250])
        {
            Caption = 'Host of the Printer';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        // Looked up, not kept: the printer's words change, and a job must not change with them. On no API page and no web service.
        field(37; PrinterSays; Text[250])
        {
            Caption = 'Printer Says';
            FieldClass = FlowField;
            CalcFormula = lookup(PIPrintPrinter.StateMessage where(RowNo = field(PrinterRowNo)));
            Editable = false;
        }
        field(40; ClaimedBy; Text[250])
        {
            Caption = 'Claimed by';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(41; LeaseUntil; DateTime)
        {
            Caption = 'Claim Ends at';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(42; Submitted; Boolean)
        {
            Caption = 'Handed to the Printer';
            DataClassification = SystemMetadata;
            Editable = false;
        }
        field(43; Attempts; Integer)
        {
            Caption = 'Attempts';
            DataClassification = SystemMetadata;
            Editable = false;
        }
    }

    keys
    {
        key(PK; RowNo)
        {
            Clustered = true;
        }
        key(Printer; PrinterRowNo, Status)
        {
        }
        key(Host; JobHostID, Status)
        {
        }
        key(Owner; InvokedBy, Status)
        {
        }
    }

    fieldgroups
    {
        fieldgroup(Brick; DocumentName, PrinterName, Status, PrinterMessage)
        {
        }
    }

    trigger OnInsert()
    var
        PIPrintPrinter: Record PIPrintPrinter;
    begin
        if not PIPrintPrinter.Get(Rec.PrinterRowNo) then
            exit;
        Rec.JobHostID := PIPrintPrinter.HostID;
        if PIPrintPrinter.NewJobsOnHold then
            Rec.Status := Rec.Status::Hold;
    end;

    /// <summary>Reads the print settings as Business Central made them: JSON, of any length.</summary>
    procedure GetPayload() Content: Text
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Reader: InStream;
    begin
        if not Rec.Payload.HasValue() then
            exit(Rec.PrinterJobJsonPayload);
        Rec.CalcFields(Payload);
        Rec.Payload.CreateInStream(Reader, TextEncoding::UTF8);
        Content := PIPrintPayload.ReadAll(Reader);
    end;

    /// <summary>Writes the print settings; the short field of PIPrint 1.0 follows.</summary>
    procedure SetPayload(Settings: JsonObject)
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Writer: OutStream;
        Content: Text;
    begin
        Settings.WriteTo(Content);
        Clear(Rec.Payload);
        Rec.Payload.CreateOutStream(Writer, TextEncoding::UTF8);
        Writer.WriteText(Content);
        Rec.PrinterJobJsonPayload := PIPrintPayload.ShortJob(Settings);
    end;

    /// <summary>Takes the claim away: whoever had the job has it no longer, and nothing is at a printer.</summary>
    procedure ClearClaim()
    begin
        Rec.ClaimedBy := '';
        Rec.LeaseUntil := 0DT;
        Rec.Submitted := false;
    end;
}
