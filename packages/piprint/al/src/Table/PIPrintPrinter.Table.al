/// <summary>
/// A printer that a print processor offers. Fields 1 to 20 are those of PIPrint 1.0, the others are ours.
/// </summary>
table 90000 PIPrintPrinter
{
    Access = Internal;
    Caption = 'Printer of a Print Processor';
    DataClassification = SystemMetadata;
    DataPerCompany = false;
    LookupPageId = PIPrintPrinter;
    DrillDownPageId = PIPrintPrinter;
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = rmd;

    fields
    {
        field(1; RowNo; Integer)
        {
            Caption = 'No.';
            AutoIncrement = true;
            Editable = false;
        }
        field(2; HostID; Text[250])
        {
            Caption = 'Host';
            NotBlank = true;
        }
        field(3; PrinterID; Text[250])
        {
            Caption = 'Queue at the Host';
            NotBlank = true;
        }
        field(4; PrinterName; Text[250])
        {
            Caption = 'Name';
        }
        field(5; PrinterJsonPayload; Text[2048])
        {
            Caption = 'Printer Description (short)';

            trigger OnValidate()
            begin
                if Rec.PrinterJsonPayload = '' then
                    Clear(Rec.Payload)
                else
                    Rec.SetPayload(Rec.PrinterJsonPayload);
            end;
        }
        field(6; Enabled; Boolean)
        {
            Caption = 'Enabled';
            InitValue = true;
        }
        field(7; NoOnHold; Integer)
        {
            Caption = 'Jobs on Hold';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Hold)));
            Editable = false;
        }
        field(8; NoQueued; Integer)
        {
            Caption = 'Jobs Waiting';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Queued)));
            Editable = false;
        }
        field(9; NoInError; Integer)
        {
            Caption = 'Jobs in Error';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Error)));
            Editable = false;
        }
        field(10; NoCancelled; Integer)
        {
            Caption = 'Jobs Cancelled';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Cancelled)));
            Editable = false;
        }
        field(11; NoPrinted; Integer)
        {
            Caption = 'Jobs Printed';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Printed)));
            Editable = false;
        }
        field(12; NewJobsOnHold; Boolean)
        {
            Caption = 'New Jobs on Hold';
        }
        field(13; LatestUpdate; DateTime)
        {
            Caption = 'Latest Update';
            Editable = false;
        }
        field(14; AutoDeleteJobsOnHold; DateFormula)
        {
            Caption = 'Cancel Jobs on Hold after';
            InitValue = '<-1W>';

            trigger OnValidate()
            begin
                CheckInThePast(Rec.AutoDeleteJobsOnHold);
            end;
        }
        field(15; AutoDeleteJobsQueued; DateFormula)
        {
            Caption = 'Give Up Waiting and Printing Jobs after';
            InitValue = '<-1M>';

            trigger OnValidate()
            begin
                CheckInThePast(Rec.AutoDeleteJobsQueued);
            end;
        }
        field(16; AutoDeleteJobsInError; DateFormula)
        {
            Caption = 'Delete Jobs in Error after';
            InitValue = '<-1W>';

            trigger OnValidate()
            begin
                CheckInThePast(Rec.AutoDeleteJobsInError);
            end;
        }
        field(17; AutoDeleteJobsCancelled; DateFormula)
        {
            Caption = 'Delete Cancelled Jobs after';
            InitValue = '<-1D>';

            trigger OnValidate()
            begin
                CheckInThePast(Rec.AutoDeleteJobsCancelled);
            end;
        }
        field(18; AutoDeleteJobsPrinted; DateFormula)
        {
            Caption = 'Delete Printed Jobs after';
            InitValue = '<-1D>';

            trigger OnValidate()
            begin
                CheckInThePast(Rec.AutoDeleteJobsPrinted);
            end;
        }
        field(19; NoPrinting; Integer)
        {
            Caption = 'Jobs Printing';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(PrinterRowNo = field(RowNo), Status = const(Printing)));
            Editable = false;
        }
        // Kept for the data's shape of PIPrint 1.0. The clean-up does not read it: a job being printed is never deleted.
        field(20; AutoDeleteJobsPrinting; DateFormula)
        {
            Caption = 'Delete Printing Jobs after (not used)';
            Editable = false;
        }
        field(30; Payload; Blob)
        {
            Caption = 'Printer Description';
        }
        field(31; PayloadProblem; Text[250])
        {
            Caption = 'Why Not Offered';
            Editable = false;
        }
        field(32; State; Text[30])
        {
            Caption = 'State';
        }
        field(33; StateMessage; Text[250])
        {
            Caption = 'State Message';
        }
    }

    keys
    {
        key(PK; RowNo)
        {
            Clustered = true;
        }
        key(SortOrder; HostID, PrinterID)
        {
            Unique = true;
        }
        key(ByName; PrinterName)
        {
        }
    }

    fieldgroups
    {
        fieldgroup(DropDown; PrinterName, HostID, PrinterID)
        {
        }
        fieldgroup(Brick; PrinterName, State, NoQueued, StateMessage)
        {
        }
    }

    trigger OnInsert()
    begin
        Complete();
    end;

    trigger OnModify()
    var
        PIPrintQueue: Record PIPrintQueue;
    begin
        Complete();
        if Rec.HostID <> xRec.HostID then begin
            PIPrintQueue.SetRange(PrinterRowNo, Rec.RowNo);
            PIPrintQueue.ModifyAll(JobHostID, Rec.HostID);
        end;
    end;

    trigger OnDelete()
    var
        PIPrintQueue: Record PIPrintQueue;
    begin
        PIPrintQueue.SetRange(PrinterRowNo, Rec.RowNo);
        PIPrintQueue.SetFilter(
            Status, '%1|%2|%3',
            PIPrintQueue.Status::Hold, PIPrintQueue.Status::Queued, PIPrintQueue.Status::Printing);
        if not PIPrintQueue.IsEmpty() then
            Error(HasJobsErr, Rec.PrinterName);
        PIPrintQueue.SetRange(Status);
        PIPrintQueue.DeleteAll(true);
    end;

    var
        HasJobsErr: Label 'Printer %1 still has jobs that are not printed. Cancel or print them first, or disable the printer instead.', Comment = '%1 is the name of the printer';
        NotInThePastErr: Label 'The date formula must lead to a day in the past, such as -1W. Leave it empty to keep such jobs for ever.';
        NotJsonErr: Label 'The description of the printer is not JSON. The print processor writes it anew when it starts.';

    /// <summary>Reads the printer's description as the processor wrote it: JSON, of any length.</summary>
    procedure GetPayload() Content: Text
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Reader: InStream;
    begin
        if not Rec.Payload.HasValue() then
            exit(Rec.PrinterJsonPayload);
        Rec.CalcFields(Payload);
        Rec.Payload.CreateInStream(Reader, TextEncoding::UTF8);
        Content := PIPrintPayload.ReadAll(Reader);
    end;

    /// <summary>Writes the printer's description; the short field of PIPrint 1.0 follows.</summary>
    procedure SetPayload(Content: Text)
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Description: JsonObject;
        Writer: OutStream;
    begin
        if not Description.ReadFrom(Content) then
            Error(NotJsonErr);
        Clear(Rec.Payload);
        Rec.Payload.CreateOutStream(Writer, TextEncoding::UTF8);
        Writer.WriteText(Content);
        Rec.PrinterJsonPayload := PIPrintPayload.ShortPrinter(Content);
        Rec.PayloadProblem := PIPrintPayload.Problem(Description);
    end;

    local procedure Complete()
    var
        PIPrintPayload: Codeunit PIPrintPayload;
    begin
        if Rec.PrinterName = '' then
            Rec.PrinterName := FreeName();
        if (Rec.PrinterJsonPayload = '') and not Rec.Payload.HasValue() then
            Rec.SetPayload(PIPrintPayload.Plain(Rec.PrinterName));
        Rec.LatestUpdate := CurrentDateTime();
    end;

    // <PrinterID>@<HostID>, then with -1, -2 ... behind it, and never longer than the field.
    local procedure FreeName() Name: Text[250]
    var
        Other: Record PIPrintPrinter;
        Wanted: Text;
        Suffix: Text;
        Number: Integer;
    begin
        Wanted := Rec.PrinterID + '@' + Rec.HostID;
        Other.SetFilter(RowNo, '<>%1', Rec.RowNo);
        repeat
            Name := CopyStr(CopyStr(Wanted, 1, MaxStrLen(Name) - StrLen(Suffix)) + Suffix, 1, MaxStrLen(Name));
            Number += 1;
            Suffix := '-' + Format(Number, 0, 9);
            Other.SetRange(PrinterName, Name);
        until Other.IsEmpty();
    end;

    local procedure CheckInThePast(Formula: DateFormula)
    begin
        if Format(Formula) = '' then
            exit;
        if CalcDate(Formula, Today()) >= Today() then
            Error(NotInThePastErr);
    end;
}
