/// <summary>
/// The settings, and whether the clean-up is scheduled.
/// </summary>
page 90006 PIPrintSetup
{
    Caption = 'Direct Printing Setup';
    PageType = Card;
    SourceTable = PIPrintSetup;
    UsageCategory = Administration;
    ApplicationArea = All;
    AdditionalSearchTerms = 'piprint,direct printing';
    InsertAllowed = false;
    DeleteAllowed = false;

    layout
    {
        area(Content)
        {
            group(General)
            {
                Caption = 'General';

                field(HostGraceMinutes; Rec.HostGraceMinutes)
                {
                    ToolTip = 'Specifies for how long printers are still offered when no print processor of their host asks for work. 0: always.';
                }
                field(CleanUpMinutes; Rec.CleanUpMinutes)
                {
                    ToolTip = 'Specifies how often the clean-up looks for jobs to cancel or delete. It counts when the clean-up is scheduled.';
                }
                field(CleanUpScheduled; CleanUpScheduled)
                {
                    Caption = 'Clean-Up Is Scheduled';
                    ToolTip = 'Specifies whether this company has a job queue entry for the clean-up. One company is enough.';
                    Editable = false;
                }
            }
        }
    }

    actions
    {
        area(Processing)
        {
            action(ScheduleCleanUp)
            {
                Caption = 'Schedule Clean-Up';
                ToolTip = 'Set up the job queue entry that cancels and deletes old jobs as the printers say.';
                Image = Start;
                Enabled = not CleanUpScheduled;

                trigger OnAction()
                var
                    PIPrintCleanUp: Codeunit PIPrintCleanUp;
                begin
                    PIPrintCleanUp.Schedule();
                    CleanUpScheduled := PIPrintCleanUp.IsScheduled();
                end;
            }
        }
        area(Navigation)
        {
            action(Printers)
            {
                Caption = 'Printers of Print Processors';
                ToolTip = 'Open the printers that print processors offer.';
                Image = Print;
                RunObject = page PIPrintPrinter;
            }
            action(Processors)
            {
                Caption = 'Print Processors';
                ToolTip = 'Open the list of print processors, to see which of them live.';
                Image = Server;
                RunObject = page PIPrintProcessors;
            }
        }
        area(Promoted)
        {
            actionref(ScheduleCleanUp_Promoted; ScheduleCleanUp)
            {
            }
            actionref(Printers_Promoted; Printers)
            {
            }
            actionref(Processors_Promoted; Processors)
            {
            }
        }
    }

    trigger OnOpenPage()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
    begin
        if not Rec.Get() then begin
            Rec.Init();
            Rec.Insert(true);
        end;
        CleanUpScheduled := PIPrintCleanUp.IsScheduled();
    end;

    var
        CleanUpScheduled: Boolean;
}
