/// <summary>
/// Leads from Business Central's page of printers to ours.
/// </summary>
pageextension 90000 PIPrintPrinterManagement extends "Printer Management"
{
    actions
    {
        addlast(Processing)
        {
            action(PIPrintPrinters)
            {
                ApplicationArea = All;
                Caption = 'Printers of Print Processors';
                ToolTip = 'Open the printers that print processors offer.';
                Image = Print;
                RunObject = page PIPrintPrinter;
            }
            action(PIPrintMyJobs)
            {
                ApplicationArea = All;
                Caption = 'My Print Jobs';
                ToolTip = 'See your own print jobs, and hold, restart or cancel them.';
                Image = PrintDocument;
                RunObject = page PIPrintQueue;
            }
            action(PIPrintDirectPrintingSetup)
            {
                ApplicationArea = All;
                Caption = 'Direct Printing Setup';
                ToolTip = 'Open the settings of direct printing.';
                Image = Setup;
                RunObject = page PIPrintSetup;
            }
        }
    }
}
