/// <summary>
/// Queues a test page: a PDF of one A4 page with a few lines of text, written here, so that it needs no report and no layout.
/// </summary>
codeunit 90007 PIPrintTestPage
{
    Access = Internal;

    var
        NameTxt: Label 'Test page';
        PrinterTxt: Label 'Printer: %1', Comment = '%1 is the name of the printer';
        HostTxt: Label 'Host: %1, queue: %2', Comment = '%1 is the name of the host, %2 that of the queue there';
        UserTxt: Label 'Printed by %1, %2', Comment = '%1 is the name of the user, %2 the date and time';
        QueuedMsg: Label 'The test page is queued as print job %1.', Comment = '%1 is the number of the job';
        GreetingTxt: Label 'If you can read this, Business Central can print here.';

    /// <summary>Queues a test page for a printer, enabled or not, and tells the user its number.</summary>
    procedure Print(PIPrintPrinter: Record PIPrintPrinter)
    var
        Job: Record PIPrintQueue;
        PIPrintJobs: Codeunit PIPrintJobs;
        PIPrintPayload: Codeunit PIPrintPayload;
        TempBlob: Codeunit "Temp Blob";
        Lines: List of [Text];
        Reader: InStream;
        Writer: OutStream;
    begin
        Lines.Add(NameTxt);
        Lines.Add(StrSubstNo(PrinterTxt, PIPrintPrinter.PrinterName));
        Lines.Add(StrSubstNo(HostTxt, PIPrintPrinter.HostID, PIPrintPrinter.PrinterID));
        Lines.Add(StrSubstNo(UserTxt, UserId(), Format(CurrentDateTime(), 0, 9)));
        Lines.Add(GreetingTxt);
        TempBlob.CreateOutStream(Writer, TextEncoding::UTF8);
        Writer.WriteText(Pdf(Lines));
        TempBlob.CreateInStream(Reader);
        PIPrintJobs.Add(PIPrintPrinter, PIPrintPayload.PlainJob(PIPrintPrinter.PrinterName, NameTxt, PIPrintPayload.PdfType(), 1), Reader, Job);
        Message(QueuedMsg, Job.RowNo);
    end;

    // PDF 1.4 (ISO 32000-1, 7.5): objects, a table of where each starts, a trailer. All of it ASCII, so characters are bytes.
    local procedure Pdf(Lines: List of [Text]) Document: Text
    var
        Objects: List of [Text];
        Starts: List of [Integer];
        Drawing: Text;
        Item: Text;
        Lf: Text[1];
        Number: Integer;
        Start: Integer;
    begin
        Lf[1] := 10;
        Drawing := 'BT /F1 14 Tf 20 TL 60 770 Td';
        foreach Item in Lines do
            Drawing += ' (' + Escape(Item) + ') Tj T*';
        Drawing += ' ET';
        Objects.Add('<< /Type /Catalog /Pages 2 0 R >>');
        Objects.Add('<< /Type /Pages /Kids [3 0 R] /Count 1 >>');
        Objects.Add('<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>');
        Objects.Add('<< /Length ' + Format(StrLen(Drawing), 0, 9) + ' >>' + Lf + 'stream' + Lf + Drawing + Lf + 'endstream');
        Objects.Add('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>');
        Document := '%PDF-1.4' + Lf;
        foreach Item in Objects do begin
            Number += 1;
            Starts.Add(StrLen(Document));
            Document += Format(Number, 0, 9) + ' 0 obj' + Lf + Item + Lf + 'endobj' + Lf;
        end;
        Number := StrLen(Document);
        Document += 'xref' + Lf + '0 6' + Lf + '0000000000 65535 f ' + Lf;
        foreach Start in Starts do
            Document += PadLeft(Format(Start, 0, 9), 10) + ' 00000 n ' + Lf;
        Document += 'trailer << /Size 6 /Root 1 0 R >>' + Lf + 'startxref' + Lf + Format(Number, 0, 9) + Lf + '%%EOF' + Lf;
    end;

    // A PDF string: brackets and backslash escaped, Latin-1 as octal numbers, what is beyond as a question mark.
    local procedure Escape(Plain: Text) Escaped: Text
    var
        Code: Integer;
        Position: Integer;
    begin
        for Position := 1 to StrLen(Plain) do begin
            Code := Plain[Position];
            case true of
                Plain[Position] in ['(', ')', '\']:
                    Escaped += '\' + CopyStr(Plain, Position, 1);
                (Code >= 32) and (Code <= 126):
                    Escaped += CopyStr(Plain, Position, 1);
                (Code >= 160) and (Code <= 255):
                    Escaped += '\' + Octal(Code);
                else
                    Escaped += '?';
            end;
        end;
    end;

    local procedure Octal(Code: Integer): Text
    begin
        exit(Format(Code div 64, 0, 9) + Format((Code div 8) mod 8, 0, 9) + Format(Code mod 8, 0, 9));
    end;

    local procedure PadLeft(Digits: Text; Width: Integer): Text
    begin
        exit(PadStr('', Width - StrLen(Digits), '0') + Digits);
    end;
}
