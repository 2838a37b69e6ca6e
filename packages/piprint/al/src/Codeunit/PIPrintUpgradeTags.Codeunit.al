/// <summary>
/// The names of the steps an upgrade takes once. New companies and first installations have nothing to upgrade, and get them all.
/// </summary>
codeunit 90009 PIPrintUpgradeTags
{
    Access = Internal;
    InherentEntitlements = X;
    InherentPermissions = X;

    var
        CleanUpScheduledTok: Label 'PIPRINT-9-CleanUpScheduled-20261130', Locked = true;
        GraceGivenTok: Label 'PIPRINT-9-GraceGiven-20261130', Locked = true;
        PrintersJudgedTok: Label 'PIPRINT-9-PrintersJudged-20261130', Locked = true;

    /// <summary>The step that schedules the clean-up in a company.</summary>
    procedure CleanUpScheduled(): Code[250]
    begin
        exit(CleanUpScheduledTok);
    end;

    /// <summary>The step that lets a week pass before a clean-up deletes what nothing deleted before.</summary>
    procedure GraceGiven(): Code[250]
    begin
        exit(GraceGivenTok);
    end;

    /// <summary>The step that judges all printers by the rules of this version. A version with other rules names it anew.</summary>
    procedure PrintersJudged(): Code[250]
    begin
        exit(PrintersJudgedTok);
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::"Upgrade Tag", 'OnGetPerCompanyUpgradeTags', '', true, true)]
    local procedure AddPerCompany(var PerCompanyUpgradeTags: List of [Code[250]])
    begin
        PerCompanyUpgradeTags.Add(CleanUpScheduled());
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::"Upgrade Tag", 'OnGetPerDatabaseUpgradeTags', '', true, true)]
    local procedure AddPerDatabase(var PerDatabaseUpgradeTags: List of [Code[250]])
    begin
        PerDatabaseUpgradeTags.Add(GraceGiven());
        PerDatabaseUpgradeTags.Add(PrintersJudged());
    end;
}
