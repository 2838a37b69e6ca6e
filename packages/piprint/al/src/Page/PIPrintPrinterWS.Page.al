/// <summary>
/// The web service of PIPrint 1.0 for printers. Names and meaning of its fields never change.
/// </summary>
page 90000 PIPrintPrinterWS
{
    Caption = 'PIPrintPrinterWS', Locked = true;
    PageType = List;
    SourceTable = PIPrintPrinter;
    UsageCategory = None;
    ApplicationArea = All;
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
                    ToolTip = 'Specifies the number of the printer.', Locked = true;
                    Editable = false;
                }
                field(HostID; Rec.HostID)
                {
                    Caption = 'HostID', Locked = true;
                    ToolTip = 'Specifies the host whose print processor serves the printer.', Locked = true;
                }
                field(PrinterID; Rec.PrinterID)
                {
                    Caption = 'PrinterID', Locked = true;
                    ToolTip = 'Specifies the name of the queue at the host.', Locked = true;
                }
                field(PrinterName; Rec.PrinterName)
                {
                    Caption = 'PrinterName', Locked = true;
                    ToolTip = 'Specifies the name users choose the printer by.', Locked = true;
                }
                field(PrinterJsonPayload; Rec.PrinterJsonPayload)
                {
                    Caption = 'PrinterJsonPayload', Locked = true;
                    ToolTip = 'Specifies what the printer can do, as JSON; at most 2048 characters.', Locked = true;
                }
                field(Enabled; Rec.Enabled)
                {
                    Caption = 'Enabled', Locked = true;
                    ToolTip = 'Specifies whether the printer is offered.', Locked = true;
                }
                field(NewJobsOnHold; Rec.NewJobsOnHold)
                {
                    Caption = 'NewJobsOnHold', Locked = true;
                    ToolTip = 'Specifies whether new jobs start on hold.', Locked = true;
                }
                field(AutoDeleteJobsOnHold; Rec.AutoDeleteJobsOnHold)
                {
                    Caption = 'AutoDeleteJobsOnHold', Locked = true;
                    ToolTip = 'Specifies after what time jobs on hold are cancelled.', Locked = true;
                }
                field(AutoDeleteJobsQueued; Rec.AutoDeleteJobsQueued)
                {
                    Caption = 'AutoDeleteJobsQueued', Locked = true;
                    ToolTip = 'Specifies after what time waiting jobs are cancelled, and printing jobs nobody was heard of are put in error.', Locked = true;
                }
                field(AutoDeleteJobsInError; Rec.AutoDeleteJobsInError)
                {
                    Caption = 'AutoDeleteJobsInError', Locked = true;
                    ToolTip = 'Specifies after what time jobs in error are deleted.', Locked = true;
                }
                field(AutoDeleteJobsCancelled; Rec.AutoDeleteJobsCancelled)
                {
                    Caption = 'AutoDeleteJobsCancelled', Locked = true;
                    ToolTip = 'Specifies after what time cancelled jobs are deleted.', Locked = true;
                }
                field(AutoDeleteJobsPrinted; Rec.AutoDeleteJobsPrinted)
                {
                    Caption = 'AutoDeleteJobsPrinted', Locked = true;
                    ToolTip = 'Specifies after what time printed jobs are deleted.', Locked = true;
                }
                field(NoOnHold; Rec.NoOnHold)
                {
                    Caption = 'NoOnHold', Locked = true;
                    ToolTip = 'Specifies how many jobs are on hold.', Locked = true;
                    Editable = false;
                }
                field(NoQueued; Rec.NoQueued)
                {
                    Caption = 'NoQueued', Locked = true;
                    ToolTip = 'Specifies how many jobs are waiting.', Locked = true;
                    Editable = false;
                }
                field(NoInError; Rec.NoInError)
                {
                    Caption = 'NoInError', Locked = true;
                    ToolTip = 'Specifies how many jobs are in error.', Locked = true;
                    Editable = false;
                }
                field(NoCancelled; Rec.NoCancelled)
                {
                    Caption = 'NoCancelled', Locked = true;
                    ToolTip = 'Specifies how many jobs are cancelled.', Locked = true;
                    Editable = false;
                }
                field(NoPrinting; Rec.NoPrinting)
                {
                    Caption = 'NoPrinting', Locked = true;
                    ToolTip = 'Specifies how many jobs are being printed.', Locked = true;
                    Editable = false;
                }
                field(NoPrinted; Rec.NoPrinted)
                {
                    Caption = 'NoPrinted', Locked = true;
                    ToolTip = 'Specifies how many jobs are printed.', Locked = true;
                    Editable = false;
                }
                field(LatestUpdate; Rec.LatestUpdate)
                {
                    Caption = 'LatestUpdate', Locked = true;
                    ToolTip = 'Specifies when the printer was changed last.', Locked = true;
                    Editable = false;
                }
            }
        }
    }
}
