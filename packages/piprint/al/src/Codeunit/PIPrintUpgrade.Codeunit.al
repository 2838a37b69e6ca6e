/// <summary>What a newer version needs: the row of settings, and each printer judged by the rules of this version.</summary>
codeunit 90006 PIPrintUpgrade
{
    Access = Internal;
    Subtype = Upgrade;

    trigger OnUpgradePerDatabase()
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintSetup: Record PIPrintSetup;
        PIPrintPayload: Codeunit PIPrintPayload;
        Description: JsonObject;
    begin
        if not PIPrintSetup.Get() then begin
            PIPrintSetup.Init();
            PIPrintSetup.Insert(true);
        end;
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
