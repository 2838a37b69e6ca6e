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
                    ToolTip = 'The number of the printer.', Locked = true;
                    Editable = false;
                }
                field(HostID; Rec.HostID)
                {
                    Caption = 'HostID', Locked = true;
                    ToolTip = 'The host whose print processor serves the printer.', Locked = true;
                }
                field(PrinterID; Rec.PrinterID)
                {
                    Caption = 'PrinterID', Locked = true;
                    ToolTip = 'The name of the queue at the host.', Locked = true;
                }
                field(PrinterName; Rec.PrinterName)
                {
                    Caption = 'PrinterName', Locked = true;
                    ToolTip = 'The name users choose the printer by.', Locked = true;
                }
                field(PrinterJsonPayload; Rec.PrinterJsonPayload)
                {
                    Caption = 'PrinterJsonPayload', Locked = true;
                    ToolTip = 'What the printer can do, as JSON; at most 2048 characters.', Locked = true;
                }
                field(Enabled; Rec.Enabled)
                {
                    Caption = 'Enabled', Locked = true;
                    ToolTip = 'Whether the printer is offered.', Locked = true;
                }
                field(NewJobsOnHold; Rec.NewJobsOnHold)
                {
                    Caption = 'NewJobsOnHold', Locked = true;
                    ToolTip = 'Whether new jobs start on hold.', Locked = true;
                }
                field(AutoDeleteJobsOnHold; Rec.AutoDeleteJobsOnHold)
                {
                    Caption = 'AutoDeleteJobsOnHold', Locked = true;
                    ToolTip = 'Jobs on hold are cancelled after this time.', Locked = true;
                }
                field(AutoDeleteJobsQueued; Rec.AutoDeleteJobsQueued)
                {
                    Caption = 'AutoDeleteJobsQueued', Locked = true;
                    ToolTip = 'Waiting jobs are cancelled after this time.', Locked = true;
                }
                field(AutoDeleteJobsInError; Rec.AutoDeleteJobsInError)
                {
                    Caption = 'AutoDeleteJobsInError', Locked = true;
                    ToolTip = 'Jobs in error are deleted after this time.', Locked = true;
                }
                field(AutoDeleteJobsCancelled; Rec.AutoDeleteJobsCancelled)
                {
                    Caption = 'AutoDeleteJobsCancelled', Locked = true;
                    ToolTip = 'Cancelled jobs are deleted after this time.', Locked = true;
                }
                field(AutoDeleteJobsPrinted; Rec.AutoDeleteJobsPrinted)
                {
                    Caption = 'AutoDeleteJobsPrinted', Locked = true;
                    ToolTip = 'Printed jobs are deleted after this time.', Locked = true;
                }
                field(NoOnHold; Rec.NoOnHold)
                {
                    Caption = 'NoOnHold', Locked = true;
                    ToolTip = 'How many jobs are on hold.', Locked = true;
                    Editable = false;
                }
                field(NoQueued; Rec.NoQueued)
                {
                    Caption = 'NoQueued', Locked = true;
                    ToolTip = 'How many jobs are waiting.', Locked = true;
                    Editable = false;
                }
                field(NoInError; Rec.NoInError)
                {
                    Caption = 'NoInError', Locked = true;
                    ToolTip = 'How many jobs are in error.', Locked = true;
                    Editable = false;
                }
                field(NoCancelled; Rec.NoCancelled)
                {
                    Caption = 'NoCancelled', Locked = true;
                    ToolTip = 'How many jobs are cancelled.', Locked = true;
                    Editable = false;
                }
                field(NoPrinting; Rec.NoPrinting)
                {
                    Caption = 'NoPrinting', Locked = true;
                    ToolTip = 'How many jobs are being printed.', Locked = true;
                    Editable = false;
                }
                field(NoPrinted; Rec.NoPrinted)
                {
                    Caption = 'NoPrinted', Locked = true;
                    ToolTip = 'How many jobs are printed.', Locked = true;
                    Editable = false;
                }
                field(LatestUpdate; Rec.LatestUpdate)
                {
                    Caption = 'LatestUpdate', Locked = true;
                    ToolTip = 'When the printer was changed last.', Locked = true;
                    Editable = false;
                }
            }
        }
    }
}
