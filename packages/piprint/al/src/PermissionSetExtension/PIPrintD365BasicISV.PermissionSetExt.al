/// <summary>
/// Lets everybody with "D365 BASIC ISV" print on our printers, and no more.
/// </summary>
permissionsetextension 90001 PIPrintD365BasicISV extends "D365 BASIC ISV"
{
    IncludedPermissionSets = PIPrintPrinting;
}
