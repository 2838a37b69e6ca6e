/// <summary>
/// Lets everybody with "D365 BASIC" print on our printers, and no more.
/// </summary>
permissionsetextension 90000 PIPrintD365Basic extends "D365 BASIC"
{
    IncludedPermissionSets = PIPrintPrinting;
}
