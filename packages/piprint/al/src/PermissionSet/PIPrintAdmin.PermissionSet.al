/// <summary>
/// Who looks after printers, processors and everybody's jobs.
/// </summary>
permissionset 90000 PIPrintAdmin
{
    Assignable = true;
    Caption = 'Direct Printing, Administration';
    IncludedPermissionSets = PIPrintUser;
    Permissions =
        tabledata PIPrintPrinter = RIMD,
        tabledata PIPrintProcessor = RIMD,
        tabledata PIPrintQueue = RIMD,
        tabledata PIPrintSetup = RIMD,
        codeunit PIPrintCleanUp = X,
        codeunit PIPrintInstall = X,
        codeunit PIPrintUpgrade = X,
        page PIPrintAllJobs = X,
        page PIPrintProcessors = X,
        page PIPrintSetup = X;
}
