/// <summary>
/// One printer: what people may set, what the processor says of it, how long its jobs are kept.
/// </summary>
page 90004 PIPrintPrinterCard
{
    Caption = 'Printer of a Print Processor';
    PageType = Card;
    SourceTable = PIPrintPrinter;
    UsageCategory = None;
    ApplicationArea = All;
    InsertAllowed = false;
    Permissions =
        tabledata PIPrintQueue = r;

    layout
    {
        area(Content)
        {
            group(General)
            {
                Caption = 'General';

                field(PrinterName; Rec.PrinterName)
                {
                    ToolTip = 'Specifies the name users choose the printer by.';
                }
                field(Enabled; Rec.Enabled)
                {
                    ToolTip = 'Specifies whether the printer is offered.';
                }
                field(NewJobsOnHold; Rec.NewJobsOnHold)
                {
                    ToolTip = 'Specifies whether new jobs wait for somebody to restart them.';
                }
                field(HostID; Rec.HostID)
                {
                    ToolTip = 'Specifies the host whose print processor serves the printer.';
                    Editable = false;
                }
                field(PrinterID; Rec.PrinterID)
                {
                    ToolTip = 'Specifies the name of the print queue at the host.';
                    Editable = false;
                }
            }
            group(Condition)
            {
                Caption = 'Condition';

                field(State; Rec.State)
                {
                    ToolTip = 'Specifies what the printer said last: idle, processing or stopped.';
                    Editable = false;
                }
                field(StateMessage; Rec.StateMessage)
                {
                    ToolTip = 'Specifies why the printer is stopped, or what else it said.';
                    Editable = false;
                }
                field(PayloadProblem; Rec.PayloadProblem)
                {
                    ToolTip = 'Specifies why Business Central cannot offer the printer. Empty when it can.';
                    Style = Unfavorable;
                }
                field(LatestUpdate; Rec.LatestUpdate)
                {
                    ToolTip = 'Specifies when the printer was changed last.';
                }
            }
            group(Jobs)
            {
                Caption = 'Jobs';

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
                field(NoCancelled; Rec.NoCancelled)
                {
                    ToolTip = 'Specifies how many jobs were cancelled.';
                }
                field(NoPrinted; Rec.NoPrinted)
                {
                    ToolTip = 'Specifies how many jobs were printed and are kept.';
                }
            }
            group(Retention)
            {
                Caption = 'How Long Jobs Are Kept';

                field(AutoDeleteJobsQueued; Rec.AutoDeleteJobsQueued)
                {
                    ToolTip = 'Specifies after what time without change a waiting job is cancelled, such as -1M. It is deleted only later, with the cancelled ones. A printing job of which no print processor was heard for as long goes to Error, with a message that it may have been printed. Empty: never.';
                }
                field(AutoDeleteJobsOnHold; Rec.AutoDeleteJobsOnHold)
                {
                    ToolTip = 'Specifies after what time without change a job on hold is cancelled. It is deleted only later, with the cancelled ones. Empty: never.';
                }
                field(AutoDeleteJobsInError; Rec.AutoDeleteJobsInError)
                {
                    ToolTip = 'Specifies after what time jobs in error are deleted. Empty: never.';
                }
                field(AutoDeleteJobsCancelled; Rec.AutoDeleteJobsCancelled)
                {
                    ToolTip = 'Specifies after what time cancelled jobs are deleted. Empty: never.';
                }
                field(AutoDeleteJobsPrinted; Rec.AutoDeleteJobsPrinted)
                {
                    ToolTip = 'Specifies after what time printed jobs are deleted, with their documents. Empty: never.';
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
}
