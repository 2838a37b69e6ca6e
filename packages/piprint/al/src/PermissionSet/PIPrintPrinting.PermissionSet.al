/// <summary>
/// What printing itself needs, and nothing to look at: rights only through our code (small letters). Everybody has it
/// by D365 BASIC; it can be given to others on its own.
/// </summary>
permissionset 90003 PIPrintPrinting
{
    Assignable = true;
    Caption = 'Direct Printing, Print Only';
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintProcessor = r,
        tabledata PIPrintQueue = ri,
        tabledata PIPrintSetup = r,
        table PIPrintPrinter = X,
        table PIPrintProcessor = X,
        table PIPrintQueue = X,
        table PIPrintSetup = X,
        codeunit PIPrintAPI = X,
        codeunit PIPrintJobs = X,
        codeunit PIPrintManagement = X,
        codeunit PIPrintPayload = X;
}
