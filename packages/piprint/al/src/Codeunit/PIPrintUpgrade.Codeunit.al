/// <summary>
/// What a newer version needs, each step once: the row of settings, a week before the first clean-up, the clean-up in each company,
/// and each printer judged by the rules of this version.
/// </summary>
codeunit 90006 PIPrintUpgrade
{
    Access = Internal;
    Subtype = Upgrade;
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata PIPrintPrinter = rm,
        tabledata PIPrintSetup = ri;

    trigger OnUpgradePerDatabase()
    var
        PIPrintSetup: Record PIPrintSetup;
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
        PIPrintUpgradeTags: Codeunit PIPrintUpgradeTags;
        UpgradeTag: Codeunit "Upgrade Tag";
    begin
        PIPrintSetup.GetOrInsert();
        if not UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.GraceGiven(), '') then begin
            PIPrintCleanUp.GiveGrace();
            UpgradeTag.SetDatabaseUpgradeTag(PIPrintUpgradeTags.GraceGiven());
        end;
        if UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.PrintersJudged(), '') then
            exit;
        JudgePrinters();
        UpgradeTag.SetDatabaseUpgradeTag(PIPrintUpgradeTags.PrintersJudged());
    end;

    // Where this session may not schedule jobs the tag stays away: the next upgrade, or whoever opens the setup, tries again.
    trigger OnUpgradePerCompany()
    var
        PIPrintCleanUp: Codeunit PIPrintCleanUp;
        PIPrintUpgradeTags: Codeunit PIPrintUpgradeTags;
        UpgradeTag: Codeunit "Upgrade Tag";
    begin
        if UpgradeTag.HasUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled()) then
            exit;
        if PIPrintCleanUp.ScheduleUnlessOff() then
            UpgradeTag.SetUpgradeTag(PIPrintUpgradeTags.CleanUpScheduled());
    end;

    local procedure JudgePrinters()
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintPayload: Codeunit PIPrintPayload;
        Description: JsonObject;
    begin
        if PIPrintPrinter.FindSet(true) then
            repeat
                Clear(Description);
                if Description.ReadFrom(PIPrintPrinter.GetPayload()) then begin
                    PIPrintPrinter.PayloadProblem := PIPrintPayload.Problem(Description);
                    PIPrintPrinter.Modify(false);
                end;
            until PIPrintPrinter.Next() = 0;
    end;
}
