/// <summary>
/// What an installation and a new company need: the row of settings, and the clean-up. An installation may find the jobs of an
/// earlier one, which was uninstalled without its data.
/// </summary>
codeunit 90005 PIPrintInstall
{
    Access = Internal;
    Subtype = Install;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintQueue = r,
        tabledata PIPrintSetup = ri;

    trigger OnInstallAppPerDatabase()
    var
        PIPrintQueue: Record PIPrintQueue;
        PIPrintSetup: Record PIPrintSetup;
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
        PIPrintUpgradeTags: Codeunit PIPrintUpgradeTags;
        UpgradeTag: Codeunit "Upgrade Tag";
    begin
        PIPrintSetup.GetOrInsert();
        if not UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.GraceGiven(), '') then begin
            if not PIPrintQueue.IsEmpty() then
                PIPrintCleanUp.GiveGrace();
            UpgradeTag.SetDatabaseUpgradeTag(PIPrintUpgradeTags.GraceGiven());
        end;
        if not UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.PrintersJudged(), '') then
            UpgradeTag.SetDatabaseUpgradeTag(PIPrintUpgradeTags.PrintersJudged());
    end;

    trigger OnInstallAppPerCompany()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
        PIPrintUpgradeTags: Codeunit PIPrintUpgradeTags;
        UpgradeTag: Codeunit "Upgrade Tag";
    begin
        if not PIPrintCleanUp.ScheduleUnlessOff() then
            exit;
        if not UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled()) then
            UpgradeTag.SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled());
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::"Company-Initialize", 'OnCompanyInitialize', '', true, true)]
    local procedure ScheduleInNewCompany()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
    begin
        PIPrintCleanUp.ScheduleUnlessOff();
    end;
}
