/// <summary>
/// Everybody's jobs. It has no rights of its own: whoever opens it must have the right to read the table
/// (PIPrintAdmin).
/// </summary>
page 90005 PIPrintAllJobs
{
    Caption = 'All Print Jobs';
    PageType = List;
    SourceTable = PIPrintQueue;
    SourceTableView = sorting(RowNo) order(descending);
    UsageCategory = Administration;
    ApplicationArea = All;
    AdditionalSearchTerms = 'piprint,print queue,direct printing';
    Editable = false;
    InsertAllowed = false;
    ModifyAllowed = false;
    DeleteAllowed = false;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(RowNo; Rec.RowNo)
                {
                    ToolTip = 'Specifies the number of the job.';
                }
                field(DocumentName; Rec.DocumentName)
                {
                    ToolTip = 'Specifies what was printed.';
                }
                field(PrinterName; Rec.PrinterName)
                {
                    ToolTip = 'Specifies the printer the job is for.';
                }
                field(InvokedByName; Rec.InvokedByName)
                {
                    ToolTip = 'Specifies who printed.';
                }
                field(HostID; Rec.HostID)
                {
                    ToolTip = 'Specifies the host whose print processor serves the printer.';
                }
                field(ClaimedBy; Rec.ClaimedBy)
                {
                    ToolTip = 'Specifies which print processor has taken the job.';
                    Visible = false;
                }
                field(LeaseUntil; Rec.LeaseUntil)
                {
                    ToolTip = 'Specifies when another print processor may take the job over.';
                    Visible = false;
                }
                field(Submitted; Rec.Submitted)
                {
                    ToolTip = 'Specifies whether the job may have reached the printer.';
                    Visible = false;
                }
                field(StateText; StateText)
                {
                    Caption = 'State';
                    ToolTip = 'Specifies how far the job is: on hold, waiting, printing, printed, cancelled or in error.';
                    StyleExpr = StateStyle;
                }
                field(PrinterMessage; Rec.PrinterMessage)
                {
                    ToolTip = 'Specifies what the print processor says about the job.';
                }
                field(PrinterSays; PrinterSays)
                {
                    Caption = 'Printer Says';
                    ToolTip = 'Specifies what the printer says now, such as why it waits. Only for jobs that are not over.';
                }
                field(CreatedAt; Rec.SystemCreatedAt)
                {
                    Caption = 'Created at';
                    ToolTip = 'Specifies when the job was printed from Business Central.';
                }
                field(Printed; Rec.Printed)
                {
                    ToolTip = 'Specifies when the job came out of the printer.';
                }
                field(Attempts; Rec.Attempts)
                {
                    ToolTip = 'Specifies how often a print processor has taken the job.';
                    Visible = false;
                }
                field(DocumentSize; Rec.DocumentSize)
                {
                    ToolTip = 'Specifies the size of the document.';
                    Visible = false;
                }
                field(Status; Rec.Status)
                {
                    Caption = 'State (for filters)';
                    ToolTip = 'Specifies the state by the name that web services use. Filter and sort by this column.';
                    Visible = false;
                }
            }
        }
    }

    actions
    {
        area(Processing)
        {
            action(ShowDocument)
            {
                Caption = 'Show Document';
                ToolTip = 'Open the document of the job: a PDF, or the ZPL of labels.';
                Image = SendAsPDF;
                Enabled = Rec.DocumentSize > 0;

                trigger OnAction()
                var
                    PIPrintJobs: Codeunit PIPrintJobs;
                begin
                    PIPrintJobs.ShowDocument(Rec);
                end;
            }
            action(HoldJob)
            {
                Caption = 'Hold';
                ToolTip = 'Keep the job from being printed until you restart it.';
                Image = Pause;
                Enabled = Rec.Status = Rec.Status::Queued;

                trigger OnAction()
                var
                    PIPrintJobs: Codeunit PIPrintJobs;
                begin
                    PIPrintJobs.Hold(Rec);
                end;
            }
            action(RestartJob)
            {
                Caption = 'Restart';
                ToolTip = 'Print the job, or print it again. A job that is being printed must be cancelled first.';
                Image = Restore;
                Enabled = (Rec.RowNo <> 0) and (Rec.Status <> Rec.Status::Printing) and (Rec.Status <> Rec.Status::Queued);

                trigger OnAction()
                var
                    PIPrintJobs: Codeunit PIPrintJobs;
                begin
                    PIPrintJobs.Restart(Rec);
                end;
            }
            action(CancelJob)
            {
                Caption = 'Cancel';
                ToolTip = 'End the job. If it is at the printer already, the print processor takes it back when it can.';
                Image = Cancel;
                Enabled = (Rec.RowNo <> 0) and (Rec.Status <> Rec.Status::Cancelled) and (Rec.Status <> Rec.Status::Printed);

                trigger OnAction()
                var
                    PIPrintJobs: Codeunit PIPrintJobs;
                begin
                    PIPrintJobs.Cancel(Rec);
                end;
            }
        }
        area(Promoted)
        {
            actionref(ShowDocument_Promoted; ShowDocument)
            {
            }
            actionref(HoldJob_Promoted; HoldJob)
            {
            }
            actionref(RestartJob_Promoted; RestartJob)
            {
            }
            actionref(CancelJob_Promoted; CancelJob)
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

    trigger OnAfterGetRecord()
    var
        PIPrintJobs: Codeunit PIPrintJobs;
    begin
        StateText := PIPrintJobs.StateText(Rec.Status);
        PrinterSays := PIPrintJobs.PrinterSays(Rec);
        case Rec.Status of
            Rec.Status::Error:
                StateStyle := 'Unfavorable';
            Rec.Status::Printed:
                StateStyle := 'Favorable';
            Rec.Status::Hold, Rec.Status::Cancelled:
                StateStyle := 'Subordinate';
            else
                StateStyle := 'Standard';
        end;
    end;

    var
        PrinterSays: Text;
        StateStyle: Text;
        StateText: Text;
}
