/// <summary>What a first installation and a new company need: the row of settings, and the clean-up.</summary>
codeunit 90005 PIPrintInstall
{
    Access = Internal;
    Subtype = Install;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintSetup = ri;

    trigger OnInstallAppPerDatabase()
    var
        PIPrintSetup: Record PIPrintSetup;
        PIPrintUpgradeTags: Codeunit PIPrintUpgradeTags;
        UpgradeTag: Codeunit "Upgrade Tag";
    begin
        PIPrintSetup.GetOrInsert();
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
