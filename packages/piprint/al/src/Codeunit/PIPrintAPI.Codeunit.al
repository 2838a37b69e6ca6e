/// <summary>
/// For other extensions: print a PDF or labels without a report, and ask what became of it. This and the states it tells
/// (PIPrintJobState) are what they may build on, and stay as they are. Whoever may print may call it (PIPrintPrinting, which D365 BASIC includes).
/// </summary>
codeunit 90008 PIPrintAPI
{
    Access = Public;
    Permissions =
        tabledata PIPrintQueue = r;

    var
        CopiesErr: Label 'A document is printed 1 to 999 times, not %1.', Comment = '%1 is a number';
        NoPdfErr: Label 'There is no PDF to print: the document is empty. Nothing was printed.';
        NoPrinterErr: Label 'There is no enabled printer %1 on the page Printers of Print Processors. Nothing was printed.', Comment = '%1 is the name of a printer';
        NoZplErr: Label 'There is no ZPL to print: the text is empty. Nothing was printed.';

    /// <summary>Says whether a printer of that name can be sent to.</summary>
    /// <param name="PrinterName">The name users choose it by.</param>
    procedure HasPrinter(PrinterName: Text): Boolean
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintManagement: Codeunit PIPrintManagement;
    begin
        exit(PIPrintManagement.FindPrinter(PrinterName, PIPrintPrinter));
    end;

    /// <summary>Queues a PDF. It is printed once the transaction is committed.</summary>
    /// <param name="PrinterName">The name users choose the printer by.</param>
    /// <param name="DocumentName">What people shall read in the list of jobs; rules of the print processor can name it, too.</param>
    /// <param name="Document">The PDF, from where the stream stands. An empty one is refused.</param>
    /// <param name="Copies">1 to 999.</param>
    /// <returns>The job, for GetJob.</returns>
    procedure SendPdf(PrinterName: Text; DocumentName: Text; Document: InStream; Copies: Integer): Guid
    var
        PIPrintPayload: Codeunit PIPrintPayload;
    begin
        if Document.EOS() then
            Error(NoPdfErr);
        exit(Send(PrinterName, DocumentName, PIPrintPayload.PdfType(), Document, Copies));
    end;

    /// <summary>
    /// Queues labels in ZPL. They go to the printer byte for byte, in UTF-8 (write ^CI28 into the label); a printer that does
    /// not speak ZPL gets nothing, and the job ends in Error with a message that says so.
    /// </summary>
    /// <param name="PrinterName">The name users choose the printer by.</param>
    /// <param name="DocumentName">What people shall read in the list of jobs.</param>
    /// <param name="Zpl">One or more labels: ^XA ... ^XZ.</param>
    /// <param name="Copies">How often all of it is sent, 1 to 999; ^PQ in the label counts besides.</param>
    /// <returns>The job, for GetJob.</returns>
    procedure SendZpl(PrinterName: Text; DocumentName: Text; Zpl: Text; Copies: Integer): Guid
    var
        PIPrintPayload: Codeunit PIPrintPayload;
        TempBlob: Codeunit "Temp Blob";
        Reader: InStream;
        Writer: OutStream;
    begin
        if DelChr(Zpl) = '' then
            Error(NoZplErr);
        TempBlob.CreateOutStream(Writer, TextEncoding::UTF8);
        Writer.WriteText(Zpl);
        TempBlob.CreateInStream(Reader);
        exit(Send(PrinterName, DocumentName, PIPrintPayload.ZplType(), Reader, Copies));
    end;

    /// <summary>Asks how a job is. False when it is gone: the clean-up deletes jobs that are over.</summary>
    /// <param name="JobId">What SendPdf or SendZpl returned.</param>
    /// <param name="State">Queued, Printing, Printed, Error, Cancelled or Hold.</param>
    /// <param name="Message">What the print processor says of it.</param>
    procedure GetJob(JobId: Guid; var State: Enum PIPrintJobState; var Message: Text): Boolean
    var
        Job: Record PIPrintQueue;
    begin
        Job.SetLoadFields(Status, PrinterMessage);
        if not Job.GetBySystemId(JobId) then
            exit(false);
        State := Job.Status;
        Message := Job.PrinterMessage;
        exit(true);
    end;

    local procedure Send(PrinterName: Text; DocumentName: Text; DocumentType: Text; Document: InStream; Copies: Integer): Guid
    var
        Job: Record PIPrintQueue;
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintJobs: Codeunit PIPrintJobs;
        PIPrintManagement: Codeunit PIPrintManagement;
        PIPrintPayload: Codeunit PIPrintPayload;
    begin
        if (Copies < 1) or (Copies > 999) then
            Error(CopiesErr, Copies);
        if not PIPrintManagement.FindPrinter(PrinterName, PIPrintPrinter) then
            Error(NoPrinterErr, PrinterName);
        PIPrintJobs.Add(PIPrintPrinter, PIPrintPayload.PlainJob(PrinterName, DocumentName, DocumentType, Copies), Document, Job);
        exit(Job.SystemId);
    end;
}
