/// <summary>
/// The API of printers: a processor registers its printers here.
/// </summary>
page 90010 PIPrintPrintersAPI
{
    Caption = 'printers', Locked = true;
    PageType = API;
    APIPublisher = 'piprint';
    APIGroup = 'printing';
    APIVersion = 'v2.0';
    EntityName = 'printer';
    EntitySetName = 'printers';
    EntityCaption = 'printer', Locked = true;
    EntitySetCaption = 'printers', Locked = true;
    SourceTable = PIPrintPrinter;
    ODataKeyFields = SystemId;
    DelayedInsert = true;
    Extensible = false;
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
                }
                field(printerId; Rec.PrinterID)
                {
                    Caption = 'printerId', Locked = true;
                }
                field(printerName; Rec.PrinterName)
                {
                    Caption = 'printerName', Locked = true;
                }
                field(payload; PayloadText)
                {
                    Caption = 'payload', Locked = true;

                    trigger OnValidate()
                    begin
                        Rec.SetPayload(PayloadText);
                    end;
                }
                field(enabled; Rec.Enabled)
                {
                    Caption = 'enabled', Locked = true;
                }
                field(newJobsOnHold; Rec.NewJobsOnHold)
                {
                    Caption = 'newJobsOnHold', Locked = true;
                }
                field(state; Rec.State)
                {
                    Caption = 'state', Locked = true;
                }
                field(stateMessage; Rec.StateMessage)
                {
                    Caption = 'stateMessage', Locked = true;
                }
                field(queued; Rec.NoQueued)
                {
                    Caption = 'queued', Locked = true;
                    Editable = false;
                }
                field(printing; Rec.NoPrinting)
                {
                    Caption = 'printing', Locked = true;
                    Editable = false;
                }
                field(lastModifiedDateTime; Rec.SystemModifiedAt)
                {
                    Caption = 'lastModifiedDateTime', Locked = true;
                    Editable = false;
                }
            }
        }
    }

    trigger OnAfterGetRecord()
    begin
        PayloadText := Rec.GetPayload();
    end;

    var
        PayloadText: Text;
}
