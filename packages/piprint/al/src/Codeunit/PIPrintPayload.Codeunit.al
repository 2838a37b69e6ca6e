/// <summary>
/// Reads, checks and shortens the two JSON payloads of extension printers: a printer's description (OnAfterSetupPrinters)
/// and a job's print settings (OnAfterDocumentPrintReady). Touches no table.
/// </summary>
codeunit 90001 PIPrintPayload
{
    Access = Internal;

    var
        PdfTypeTok: Label 'application/pdf', Locked = true;
        ZplTypeTok: Label 'application/vnd.zebra-zpl', Locked = true;
        VersionTxt: Label 'The description of the printer has no version 1.';
        TraysTxt: Label 'The description of the printer must have 1 to 14 paper trays.';
        TrayTxt: Label 'Paper tray %1 of the printer has no source or no paper.', Comment = '%1 is the number of the tray';
        TwiceTxt: Label 'Two paper trays of the printer have the source %1.', Comment = '%1 is the name or number of the source';
        SizeTxt: Label 'Paper tray %1 of the printer has custom paper without width or height.', Comment = '%1 is the number of the tray';
        LongTxt: Label 'The description text of the printer has more than 250 characters.';
        CopiesTxt: Label 'The default copies of the printer are not a number from 0 to 32767.';

    /// <summary>Reads a text stream to its end. Line ends are left out: JSON does not need them.</summary>
    procedure ReadAll(Reader: InStream): Text
    var
        Content: TextBuilder;
        Line: Text;
    begin
        while not Reader.EOS() do begin
            Reader.ReadText(Line);
            Content.Append(Line);
        end;
        exit(Content.ToText());
    end;

    /// <summary>Reads a value as text; '' when it is missing, null, or no plain value.</summary>
    procedure TextOf(Source: JsonObject; Name: Text): Text
    var
        Token: JsonToken;
    begin
        if not Source.Get(Name, Token) then
            exit('');
        if not Token.IsValue() then
            exit('');
        if Token.AsValue().IsNull() then
            exit('');
        exit(Token.AsValue().AsText());
    end;

    /// <summary>The document type of a PDF, as Business Central itself says it.</summary>
    procedure PdfType(): Text
    begin
        exit(PdfTypeTok);
    end;

    /// <summary>The document type of labels in ZPL; part of the contract with the processor.</summary>
    procedure ZplType(): Text
    begin
        exit(ZplTypeTok);
    end;

    /// <summary>Makes the print settings of a document that comes from no report. What is not said is left to the printer and the rules.</summary>
    procedure PlainJob(PrinterName: Text; DocumentName: Text; DocumentType: Text; Copies: Integer) Settings: JsonObject
    begin
        Settings.Add('version', 1);
        Settings.Add('objectname', DocumentName);
        Settings.Add('objectid', 0);
        Settings.Add('documenttype', DocumentType);
        Settings.Add('companyname', CompanyName());
        Settings.Add('printername', PrinterName);
        Settings.Add('defaultcopies', Copies);
    end;

    /// <summary>Describes a printer nobody described: one tray with A4, colour, no duplex.</summary>
    procedure Plain(Name: Text) Content: Text
    var
        Description: JsonObject;
        Tray: JsonObject;
        Trays: JsonArray;
    begin
        Tray.Add('papersourcekind', 7); // AutomaticFeed
        Tray.Add('paperkind', 9); // A4
        Trays.Add(Tray);
        Description.Add('version', 1);
        Description.Add('description', CopyStr(Name, 1, 250));
        Description.Add('duplex', false);
        Description.Add('color', true);
        Description.Add('defaultcopies', 1);
        Description.Add('papertrays', Trays);
        Description.WriteTo(Content);
    end;

    /// <summary>
    /// Says why Business Central would refuse a printer's description; '' when it would not. One refused description
    /// breaks the look-up of every printer, so printers with a problem are not offered.
    /// </summary>
    procedure Problem(Description: JsonObject): Text[250]
    var
        Token: JsonToken;
        Copies: Integer;
        CopiesText: Text;
    begin
        if TextOf(Description, 'version') <> '1' then
            exit(CopyStr(VersionTxt, 1, 250));
        if StrLen(TextOf(Description, 'description')) > 250 then
            exit(CopyStr(LongTxt, 1, 250));
        CopiesText := TextOf(Description, 'defaultcopies');
        if CopiesText <> '' then begin
            if not Evaluate(Copies, CopiesText) then
                exit(CopyStr(CopiesTxt, 1, 250));
            if (Copies < 0) or (Copies > 32767) then
                exit(CopyStr(CopiesTxt, 1, 250));
        end;
        if not Description.Get('papertrays', Token) then
            exit(CopyStr(TraysTxt, 1, 250));
        if not Token.IsArray() then
            exit(CopyStr(TraysTxt, 1, 250));
        exit(TraysProblem(Token.AsArray()));
    end;

    local procedure TraysProblem(Trays: JsonArray): Text[250]
    var
        Token: JsonToken;
        Tray: JsonObject;
        Sources: List of [Text];
        Source: Text;
        Number: Integer;
    begin
        if (Trays.Count() < 1) or (Trays.Count() > 14) then
            exit(CopyStr(TraysTxt, 1, 250));
        foreach Token in Trays do begin
            Number += 1;
            if not Token.IsObject() then
                exit(CopyStr(StrSubstNo(TrayTxt, Number), 1, 250));
            Tray := Token.AsObject();
            Source := LowerCase(TextOf(Tray, 'papersourcekind'));
            if (Source = '') or (TextOf(Tray, 'paperkind') = '') then
                exit(CopyStr(StrSubstNo(TrayTxt, Number), 1, 250));
            if Sources.Contains(Source) then
                exit(CopyStr(StrSubstNo(TwiceTxt, Source), 1, 250));
            Sources.Add(Source);
            if LowerCase(TextOf(Tray, 'paperkind')) in ['0', 'custom'] then
                if not (HasLength(Tray, 'height') and HasLength(Tray, 'width')) then
                    exit(CopyStr(StrSubstNo(SizeTxt, Number), 1, 250));
        end;
        exit('');
    end;

    local procedure HasLength(Tray: JsonObject; Name: Text): Boolean
    var
        Length: Decimal;
    begin
        if not Evaluate(Length, TextOf(Tray, Name), 9) then
            exit(false);
        exit(Length >= 1);
    end;

    /// <summary>Shortens a printer's description to what the field of PIPrint 1.0 holds, and leaves it valid.</summary>
    procedure ShortPrinter(Content: Text): Text[2048]
    var
        Description: JsonObject;
        First: JsonToken;
        Token: JsonToken;
        Trays: JsonArray;
    begin
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        if not Description.ReadFrom(Content) then
            exit('');
        Description.WriteTo(Content); // without blanks between its parts
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        if Description.Remove('description') then
            Description.WriteTo(Content);
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        if Description.Get('papertrays', Token) then
            if Token.IsArray() then
                if Token.AsArray().Get(0, First) then begin
                    Trays.Add(First.Clone());
                    Description.Replace('papertrays', Trays);
                    Description.WriteTo(Content);
                end;
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        exit(CopyStr(Plain(''), 1, 2048));
    end;

    /// <summary>Shortens print settings to what the field of PIPrint 1.0 holds: without the filters, then only what printing needs.</summary>
    procedure ShortJob(Settings: JsonObject): Text[2048]
    var
        Short: JsonObject;
        Needed: JsonObject;
        Token: JsonToken;
        Names: List of [Text];
        Content: Text;
        Name: Text;
    begin
        Settings.WriteTo(Content);
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        Short := Settings.Clone().AsObject();
        if Short.Remove('filterviews') then
            Short.WriteTo(Content);
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        Names := NeededNames();
        foreach Name in Names do
            if Short.Get(Name, Token) then
                Needed.Add(Name, Token.Clone());
        Needed.WriteTo(Content);
        if StrLen(Content) <= 2048 then
            exit(CopyStr(Content, 1, 2048));
        exit('{}');
    end;

    local procedure NeededNames() Names: List of [Text]
    begin
        Names.Add('version');
        Names.Add('objectid');
        Names.Add('documenttype');
        Names.Add('printername');
        Names.Add('duplex');
        Names.Add('color');
        Names.Add('defaultcopies');
        Names.Add('papertray');
        Names.Add('reportrunid');
    end;
}
