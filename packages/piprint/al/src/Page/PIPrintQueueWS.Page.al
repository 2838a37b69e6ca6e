/// <summary>
/// The web service of PIPrint 1.0 for jobs. Names and meaning of its fields never change.
/// </summary>
page 90002 PIPrintQueueWS
{
    Caption = 'PIPrintQueueWS', Locked = true;
    PageType = List;
    SourceTable = PIPrintQueue;
    UsageCategory = None;
    ApplicationArea = All;
    InsertAllowed = false;
    DeleteAllowed = false;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(RowNo; Rec.RowNo)
                {
                    Caption = 'RowNo', Locked = true;
                    ToolTip = 'Specifies the number of the job.', Locked = true;
                    Editable = false;
                }
                field(PrinterRowNo; Rec.PrinterRowNo)
                {
                    Caption = 'PrinterRowNo', Locked = true;
                    ToolTip = 'Specifies the number of the printer.', Locked = true;
                    Editable = false;
                }
                field(HostID; Rec.HostID)
                {
                    Caption = 'HostID', Locked = true;
                    ToolTip = 'Specifies the host whose print processor serves the printer.', Locked = true;
                    Editable = false;
                }
                field(PrinterID; Rec.PrinterID)
                {
                    Caption = 'PrinterID', Locked = true;
                    ToolTip = 'Specifies the name of the queue at the host.', Locked = true;
                    Editable = false;
                }
                field(PrinterName; Rec.PrinterName)
                {
                    Caption = 'PrinterName', Locked = true;
                    ToolTip = 'Specifies the name of the printer.', Locked = true;
                    Editable = false;
                }
                field(PrinterJobJsonPayload; Rec.PrinterJobJsonPayload)
                {
                    Caption = 'PrinterJobJsonPayload', Locked = true;
                    ToolTip = 'Specifies the print settings, as JSON; at most 2048 characters.', Locked = true;
                    Editable = false;
                }
                field(PDFPrintJobBASE64; PDFPrintJobBASE64)
                {
                    Caption = 'PDFPrintJobBASE64', Locked = true;
                    ToolTip = 'Specifies the document, in base64.', Locked = true;
                    Editable = false;
                }
                field(Status; Rec.Status)
                {
                    Caption = 'Status', Locked = true;
                    ToolTip = 'Specifies the state of the job.', Locked = true;
                }
                field(Printed; Rec.Printed)
                {
                    Caption = 'Printed', Locked = true;
                    ToolTip = 'Specifies when the job was printed.', Locked = true;
                    Editable = false;
                }
                field(PrinterMessage; Rec.PrinterMessage)
                {
                    Caption = 'PrinterMessage', Locked = true;
                    ToolTip = 'Specifies what the processor says about the job.', Locked = true;
                }
            }
        }
    }

    trigger OnAfterGetRecord()
    var
        Base64Convert: Codeunit "Base64 Convert";
        Reader: InStream;
    begin
        PDFPrintJobBASE64 := '';
        if not Rec.PDFPrintJob.HasValue() then
            exit;
        Rec.CalcFields(PDFPrintJob);
        Rec.PDFPrintJob.CreateInStream(Reader);
        PDFPrintJobBASE64 := Base64Convert.ToBase64(Reader);
    end;

    trigger OnModifyRecord(): Boolean
    var
        PIPrintClaim: Codeunit PIPrintClaim;
    begin
        PIPrintClaim.FollowState(Rec, xRec.Status);
        exit(true);
    end;

    var
        PDFPrintJobBASE64: Text;
}
