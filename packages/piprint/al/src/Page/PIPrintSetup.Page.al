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
                    ToolTip = 'Specifies how often the clean-up looks for jobs to cancel or delete. Choose Switch On Clean-Up to make a change count.';
                }
                field(CleanUpOff; Rec.CleanUpOff)
                {
                    ToolTip = 'Specifies whether jobs and their documents are kept for ever, in all companies. No upgrade changes it.';
                }
                field(CleanUpState; CleanUpState)
                {
                    Caption = 'Clean-Up in This Company';
                    ToolTip = 'Specifies how the job queue entry is that runs the clean-up in this company. Each company has one; whichever comes first does the work for all.';
                    Editable = false;
                }
                field(FirstCleanUp; Rec.FirstCleanUp)
                {
                    ToolTip = 'Specifies until when no clean-up begins. An upgrade from a version that deleted nothing by itself gives you a week to switch it off. Empty: it begins at once.';
                }
                field(LastCleanUp; Rec.LastCleanUp)
                {
                    ToolTip = 'Specifies when a clean-up last began, in whatever company.';
                }
                field(CleanUpFailure; Rec.CleanUpFailure)
                {
                    ToolTip = 'Specifies what went wrong in the last clean-up. Empty when nothing did. The next one tries again.';
                    Style = Unfavorable;
                }
            }
        }
    }

    actions
    {
        area(Processing)
        {
            action(SwitchOnCleanUp)
            {
                Caption = 'Switch On Clean-Up';
                ToolTip = 'Cancel and delete old jobs as the printers say, and set up this company''s job queue entry for it anew, to run with your rights. Choose it if the entry is on hold or in error, if it stays in process, or if no clean-up begins.';
                Image = Start;

                trigger OnAction()
                var
                    PIPrintCleanUp: Codeunit PIPrintCleanUp;
                begin
                    PIPrintCleanUp.SwitchOn();
                    Look();
                    PIPrintCleanUp.TellFirstCleanUp();
                end;
            }
            action(SwitchOffCleanUp)
            {
                Caption = 'Switch Off Clean-Up';
                ToolTip = 'Keep all jobs and their documents for ever, in all companies, until somebody switches the clean-up on again.';
                Image = Stop;
                Enabled = not Rec.CleanUpOff;

                trigger OnAction()
                var
                    PIPrintCleanUp: Codeunit PIPrintCleanUp;
                begin
                    if not Confirm(KeepForEverQst, false) then
                        exit;
                    PIPrintCleanUp.SwitchOff();
                    Look();
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
            actionref(SwitchOnCleanUp_Promoted; SwitchOnCleanUp)
            {
            }
            actionref(SwitchOffCleanUp_Promoted; SwitchOffCleanUp)
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
        Rec.GetOrInsert();
        PIPrintCleanUp.ScheduleUnlessOff();
        CleanUpState := PIPrintCleanUp.EntryState();
        PIPrintCleanUp.TellFirstCleanUp();
    end;

    var
        KeepForEverQst: Label 'All jobs, with the documents in them, will then be kept for ever, in all companies. Do you want to switch the clean-up off?';
        CleanUpState: Text;

    local procedure Look()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
    begin
        Rec.Get();
        CleanUpState := PIPrintCleanUp.EntryState();
        CurrPage.Update(false);
    end;
}
