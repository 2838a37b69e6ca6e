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
        HostsSeen: Dictionary of [Text, DateTime];
        Names: List of [Text];
        IsFirst: Boolean;
        Oldest: DateTime;
    begin
        Oldest := ReadHosts(HostsSeen);
        PIPrintPrinter.SetLoadFields(HostID, PayloadProblem, PrinterJsonPayload, PrinterName);
        PIPrintPrinter.SetRange(Enabled, true);
        PIPrintPrinter.SetFilter(PrinterName, '<>%1', '');
        if not PIPrintPrinter.FindSet() then
            exit;
        repeat
            // The first enabled printer of a name has it, offered or not, the others have their number behind it: always the same.
            IsFirst := not Names.Contains(UpperCase(PIPrintPrinter.PrinterName));
            if IsFirst then
                Names.Add(UpperCase(PIPrintPrinter.PrinterName));
            if (PIPrintPrinter.PayloadProblem = '') and not IsSilent(PIPrintPrinter.HostID, HostsSeen, Oldest) then
                OfferPrinter(PIPrintPrinter, IsFirst, Printers);
        until PIPrintPrinter.Next() = 0;
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::ReportManagement, 'OnAfterDocumentPrintReady', '', true, true)]
    local procedure QueueDocument(ObjectType: Option "Report","Page"; ObjectId: Integer; ObjectPayload: JsonObject; DocumentStream: InStream; var Success: Boolean)
    var
        Job: Record PIPrintQueue;
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
        PIPrintJobs.Add(PIPrintPrinter, ObjectPayload, DocumentStream, Job);
        Success := true;
    end;

    [EventSubscriber(ObjectType::Codeunit, Codeunit::"Printer Setup", 'OnOpenPrinterSettings', '', true, true)]
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

    // The description was judged when it was written (PayloadProblem), and its short copy is whole JSON: nothing more is read here.
    // Dictionary.Add fails on a name that is there, and would take every printer of every extension along. So it is asked first.
    local procedure OfferPrinter(PIPrintPrinter: Record PIPrintPrinter; IsFirst: Boolean; var Printers: Dictionary of [Text[250], JsonObject])
    var
        Description: JsonObject;
        Name: Text[250];
    begin
        if not Description.ReadFrom(PIPrintPrinter.PrinterJsonPayload) then
            exit;
        Name := PIPrintPrinter.PrinterName;
        if not IsFirst or Printers.ContainsKey(Name) then
            Name := NumberedName(PIPrintPrinter);
        if not Printers.ContainsKey(Name) then
            Printers.Add(Name, Description);
    end;

    // Reads when each host's processors asked last, and says since when they must have asked; 0DT: no matter when.
    local procedure ReadHosts(var HostsSeen: Dictionary of [Text, DateTime]): DateTime
    var
        PIPrintProcessor: Record PIPrintProcessor;
        PIPrintSetup: Record PIPrintSetup;
        Grace: Duration;
        Milliseconds: BigInteger;
    begin
        PIPrintSetup.GetOrInit();
        if PIPrintSetup.HostGraceMinutes = 0 then
            exit(0DT);
        PIPrintProcessor.SetLoadFields(HostID, LastSeen);
        PIPrintProcessor.SetCurrentKey(HostID, LastSeen);
        if PIPrintProcessor.FindSet() then
            repeat
                HostsSeen.Set(UpperCase(PIPrintProcessor.HostID), PIPrintProcessor.LastSeen); // the latest comes last
            until PIPrintProcessor.Next() = 0;
        Milliseconds := PIPrintSetup.HostGraceMinutes; // 25 days of milliseconds are more than an Integer holds
        Grace := Milliseconds * 60000;
        exit(CurrentDateTime() - Grace);
    end;

    // A host that never had a row in PIPrintProcessor runs a processor of PIPrint 1.0, which has no heartbeat.
    local procedure IsSilent(HostID: Text; HostsSeen: Dictionary of [Text, DateTime]; Oldest: DateTime): Boolean
    begin
        if not HostsSeen.ContainsKey(UpperCase(HostID)) then
            exit(false);
        exit(HostsSeen.Get(UpperCase(HostID)) < Oldest);
    end;

    /// <summary>Finds a printer by the name it was offered by. A silent host's printer is found, too: its jobs wait.</summary>
    procedure FindPrinter(Name: Text; var PIPrintPrinter: Record PIPrintPrinter): Boolean
    var
        RowNo: Integer;
        Start: Integer;
    begin
        if Name = '' then
            exit(false);
        PIPrintPrinter.SetRange(Enabled, true);
        PIPrintPrinter.SetRange(PrinterName, CopyStr(Name, 1, MaxStrLen(PIPrintPrinter.PrinterName)));
        if PIPrintPrinter.FindFirst() then
            exit(true);
        // Else a name with the row's number behind it, as NumberedName makes it.
        Start := Name.LastIndexOf(' (');
        if (Start = 0) or not Name.EndsWith(')') then
            exit(false);
        if not Evaluate(RowNo, CopyStr(Name, Start + 2, StrLen(Name) - Start - 2)) then
            exit(false);
        PIPrintPrinter.SetRange(PrinterName);
        PIPrintPrinter.SetRange(RowNo, RowNo);
        if PIPrintPrinter.FindFirst() then
            exit(NumberedName(PIPrintPrinter) = Name);
        exit(false);
    end;

    local procedure NumberedName(PIPrintPrinter: Record PIPrintPrinter) Name: Text[250]
    var
        Suffix: Text;
    begin
        Suffix := ' (' + Format(PIPrintPrinter.RowNo, 0, 9) + ')';
        Name := CopyStr(CopyStr(PIPrintPrinter.PrinterName, 1, MaxStrLen(Name) - StrLen(Suffix)) + Suffix, 1, MaxStrLen(Name));
    end;
}
