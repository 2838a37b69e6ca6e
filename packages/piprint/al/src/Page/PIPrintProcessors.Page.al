/// <summary>
/// The print processors that said they live, and when.
/// </summary>
page 90007 PIPrintProcessors
{
    Caption = 'Print Processors';
    PageType = List;
    SourceTable = PIPrintProcessor;
    UsageCategory = Administration;
    ApplicationArea = All;
    AdditionalSearchTerms = 'piprint,direct printing';
    Editable = false;
    InsertAllowed = false;
    ModifyAllowed = false;
    Permissions =
        tabledata PIPrintQueue = r;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(HostID; Rec.HostID)
                {
                    ToolTip = 'Specifies the host the print processor serves.';
                }
                field(InstanceID; Rec.InstanceID)
                {
                    ToolTip = 'Specifies which print processor it is; several may serve one host.';
                }
                field(LastSeen; Rec.LastSeen)
                {
                    ToolTip = 'Specifies when the print processor asked for work last. Printers of a host that is silent for too long are not offered.';
                }
                field(Version; Rec.Version)
                {
                    ToolTip = 'Specifies the version of the print processor.';
                }
                field(StateMessage; Rec.StateMessage)
                {
                    ToolTip = 'Specifies what the print processor says about itself.';
                }
                field(NoQueued; Rec.NoQueued)
                {
                    ToolTip = 'Specifies how many jobs wait for the host.';
                }
                field(NoPrinting; Rec.NoPrinting)
                {
                    ToolTip = 'Specifies how many jobs of the host are being printed.';
                }
            }
        }
    }
}
