/// <summary>
/// A user who looks after the own jobs, and sees the printers. Others' documents stay out of reach: the table can be
/// read only through the page of own jobs.
/// </summary>
permissionset 90002 PIPrintUser
{
    Assignable = true;
    Caption = 'Direct Printing, Own Jobs';
    IncludedPermissionSets = PIPrintPrinting;
    Permissions =
        tabledata PIPrintPrinter = R,
        tabledata PIPrintQueue = rim,
        codeunit PIPrintClaim = X,
        codeunit PIPrintTestPage = X,
        page PIPrintPrinter = X,
        page PIPrintPrinterCard = X,
        page PIPrintQueue = X;
}
