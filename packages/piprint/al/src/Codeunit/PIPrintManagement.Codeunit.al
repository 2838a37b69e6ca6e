/// <summary>
/// Where Business Central's printing meets ours: offers the printers, and queues what is printed on them. Deletes nothing.
/// </summary>
codeunit 90000 PIPrintManagement
{
    Access = Internal;
    Permissions =
        tabledata PIPrintPrinter = r,
        tabledata PIPrintProcessor = r,
        tabledata PIPrintQueue = ri,
        tabledata PIPrintSetup = r;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::ReportManagement, 'OnAfterSetupPrinters', '', true, true)]
    local procedure OfferPrinters(var Printers: Dictionary of [Text[250], JsonObject])
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInit();
        PIPrintPrinter.SetRange(Enabled, true);
        PIPrintPrinter.SetRange(PayloadProblem, '');
        PIPrintPrinter.SetFilter(PrinterName, '<>%1', '');
        if PIPrintPrinter.FindSet() then
            repeat
                if not HostIsSilent(PIPrintPrinter.HostID, PIPrintSetup.HostGraceMinutes) then
                    OfferPrinter(PIPrintPrinter, Printers);
            until PIPrintPrinter.Next() = 0;
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::ReportManagement, 'OnAfterDocumentPrintReady', '', true, true)]
    local procedure QueueDocument(ObjectType: Option "Report","Page"; ObjectId: Integer; ObjectPayload: JsonObject; DocumentStream: InStream; var Success: Boolean)
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintJobs: Codeunit PIPrintJobs;
        PIPrintPayload: Codeunit PIPrintPayload;
    begin
        if Success then
            exit;
        if ObjectType <> ObjectType::Report then
            exit;
        if not FindPrinter(PIPrintPayload.TextOf(ObjectPayload, 'printername'), PIPrintPrinter) then
            exit;
        PIPrintJobs.Add(PIPrintPrinter, ObjectPayload, DocumentStream);
        Success := true;
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::"Printer Setup", 'OnOpenPrinterSettings', '', false, false)]
    local procedure OpenPrinter(PrinterID: Text; var IsHandled: Boolean)
    var
        PIPrintPrinter: Record PIPrintPrinter;
    begin
        if IsHandled then
            exit;
        if not FindPrinter(PrinterID, PIPrintPrinter) then
            exit;
        Page.Run(Page::PIPrintPrinterCard, PIPrintPrinter);
        IsHandled := true;
    end;

    // Dictionary.Add fails on a name that is there, and would take every printer of every extension along. So it is asked first.
    local procedure OfferPrinter(PIPrintPrinter: Record PIPrintPrinter; var Printers: Dictionary of [Text[250], JsonObject])
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        Description: JsonObject;
        Name: Text[250];
    begin
        if not Description.ReadFrom(PIPrintPrinter.GetPayload()) then
            exit;
        if PIPrintPayload.Problem(Description) <> '' then
            exit;
        Name := OfferedName(PIPrintPrinter);
        if Printers.ContainsKey(Name) then
            Name := NumberedName(PIPrintPrinter);
        if not Printers.ContainsKey(Name) then
            Printers.Add(Name, Description);
    end;

    // A host that never had a row in PIPrintProcessor runs a processor of PIPrint 1.0, which has no heartbeat.
    local procedure HostIsSilent(HostID: Text[250]; GraceMinutes: Integer): Boolean
    var
        PIPrintProcessor: Record PIPrintProcessor;
        Grace: Duration;
        Milliseconds: BigInteger;
    begin
        if GraceMinutes = 0 then
            exit(false);
        PIPrintProcessor.SetRange(HostID, HostID);
        if PIPrintProcessor.IsEmpty() then
            exit(false);
        Milliseconds := GraceMinutes; // 25 days of milliseconds are more than an Integer holds
        Grace := Milliseconds * 60000;
        PIPrintProcessor.SetFilter(LastSeen, '>=%1', CurrentDateTime() - Grace);
        exit(PIPrintProcessor.IsEmpty());
    end;

    // Finds a printer by the name it was offered by. A silent host's printer is found, too: its jobs wait.
    local procedure FindPrinter(Name: Text; var PIPrintPrinter: Record PIPrintPrinter): Boolean
    begin
        if Name = '' then
            exit(false);
        PIPrintPrinter.SetRange(Enabled, true);
        PIPrintPrinter.SetRange(PrinterName, CopyStr(Name, 1, MaxStrLen(PIPrintPrinter.PrinterName)));
        if PIPrintPrinter.FindFirst() then
            exit(true);
        PIPrintPrinter.SetRange(PrinterName);
        if PIPrintPrinter.FindSet() then
            repeat
                if NumberedName(PIPrintPrinter) = Name then
                    exit(true);
            until PIPrintPrinter.Next() = 0;
        exit(false);
    end;

    // The first enabled printer of a name has it, the others have their number behind it: the same at every look-up.
    local procedure OfferedName(PIPrintPrinter: Record PIPrintPrinter): Text[250]
    var
        First: Record PIPrintPrinter;
    begin
        First.SetRange(Enabled, true);
        First.SetRange(PrinterName, PIPrintPrinter.PrinterName);
        if First.FindFirst() then
            if First.RowNo <> PIPrintPrinter.RowNo then
                exit(NumberedName(PIPrintPrinter));
        exit(PIPrintPrinter.PrinterName);
    end;

    local procedure NumberedName(PIPrintPrinter: Record PIPrintPrinter) Name: Text[250]
    var
        Suffix: Text;
    begin
        Suffix := ' (' + Format(PIPrintPrinter.RowNo, 0, 9) + ')';
        Name := CopyStr(CopyStr(PIPrintPrinter.PrinterName, 1, MaxStrLen(Name) - StrLen(Suffix)) + Suffix, 1, MaxStrLen(Name));
    end;
}
