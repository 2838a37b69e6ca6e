/// <summary>
/// Who looks after printers, processors and everybody's jobs. The small letters let our code, and no page, set up the
/// job queue entry of the clean-up.
/// </summary>
permissionset 90000 PIPrintAdmin
{
    Assignable = true;
    Caption = 'Direct Printing, All Jobs';
    IncludedPermissionSets = PIPrintUser;
    Permissions =
        tabledata "Error Message" = rimd,
        tabledata "Error Message Register" = rimd,
        tabledata "Job Queue Entry" = rimd,
        tabledata "Job Queue Log Entry" = rimd,
        tabledata PIPrintPrinter = RIMD,
        tabledata PIPrintProcessor = RIMD,
        tabledata PIPrintQueue = RIMD,
        tabledata PIPrintSetup = RIMD,
        codeunit PIPrintCleanUp = X,
        codeunit PIPrintInstall = X,
        codeunit PIPrintJobEnd = X,
        codeunit PIPrintRetention = X,
        codeunit PIPrintUpgrade = X,
        codeunit PIPrintUpgradeTags = X,
        page PIPrintAllJobs = X,
        page PIPrintProcessors = X,
        page PIPrintSetup = X;
}
