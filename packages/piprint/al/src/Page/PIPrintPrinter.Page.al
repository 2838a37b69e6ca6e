/// <summary>
/// The printers that print processors offer. Processors add them; people rename, disable and delete them.
/// </summary>
page 90001 PIPrintPrinter
{
    Caption = 'Printers of Print Processors';
    PageType = List;
    SourceTable = PIPrintPrinter;
    SourceTableView = sorting(HostID, PrinterID);
    CardPageId = PIPrintPrinterCard;
    UsageCategory = Administration;
    ApplicationArea = All;
    AdditionalSearchTerms = 'piprint,direct printing';
    Editable = false;
    InsertAllowed = false;
    Permissions =
        tabledata PIPrintQueue = r;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(PrinterName; Rec.PrinterName)
                {
                    ToolTip = 'Specifies the name users choose the printer by.';
                }
                field(Enabled; Rec.Enabled)
                {
                    ToolTip = 'Specifies whether the printer is offered.';
                }
                field(HostID; Rec.HostID)
                {
                    ToolTip = 'Specifies the host whose print processor serves the printer.';
                }
                field(PrinterID; Rec.PrinterID)
                {
                    ToolTip = 'Specifies the name of the print queue at the host.';
                }
                field(State; Rec.State)
                {
                    ToolTip = 'Specifies what the printer said last: idle, processing or stopped.';
                }
                field(StateMessage; Rec.StateMessage)
                {
                    ToolTip = 'Specifies why the printer is stopped, or what else it said.';
                }
                field(PayloadProblem; Rec.PayloadProblem)
                {
                    ToolTip = 'Specifies why Business Central cannot offer the printer. Empty when it can.';
                    Style = Unfavorable;
                }
                field(NoQueued; Rec.NoQueued)
                {
                    ToolTip = 'Specifies how many jobs are waiting.';
                }
                field(NoPrinting; Rec.NoPrinting)
                {
                    ToolTip = 'Specifies how many jobs are being printed.';
                }
                field(NoInError; Rec.NoInError)
                {
                    ToolTip = 'Specifies how many jobs ended with an error.';
                }
                field(NoOnHold; Rec.NoOnHold)
                {
                    ToolTip = 'Specifies how many jobs are on hold.';
                }
            }
        }
    }

    actions
    {
        area(Processing)
        {
            action(PrintTestPage)
            {
                Caption = 'Print Test Page';
                ToolTip = 'Queue a page of text for this printer, to see whether it comes out.';
                Image = TestReport;
                Enabled = Rec.RowNo <> 0;

                trigger OnAction()
                var
                    PIPrintTestPage: Codeunit PIPrintTestPage;
                begin
                    PIPrintTestPage.Print(Rec);
                end;
            }
        }
        area(Navigation)
        {
            action(AllJobs)
            {
                Caption = 'All Print Jobs';
                ToolTip = 'Open everybody''s jobs for this printer.';
                Image = List;
                RunObject = page PIPrintAllJobs;
                RunPageLink = PrinterRowNo = field(RowNo);
            }
        }
        area(Promoted)
        {
            actionref(PrintTestPage_Promoted; PrintTestPage)
            {
            }
            actionref(AllJobs_Promoted; AllJobs)
            {
            }
        }
    }

    trigger OnOpenPage()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
    begin
        PIPrintCleanUp.TellFirstCleanUp();
    end;
}
