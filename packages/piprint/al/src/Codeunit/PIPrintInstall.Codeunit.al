/// <summary>What a first installation needs: the row of settings.</summary>
codeunit 90005 PIPrintInstall
{
    Access = Internal;
    Subtype = Install;

    trigger OnInstallAppPerDatabase()
    var
        PIPrintSetup: Record PIPrintSetup;
    begin
        if PIPrintSetup.Get() then
            exit;
        PIPrintSetup.Init();
        PIPrintSetup.Insert(true);
    end;
}
