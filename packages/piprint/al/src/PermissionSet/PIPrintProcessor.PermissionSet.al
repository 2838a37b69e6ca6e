/// <summary>
/// What the service user of a print processor may: the web services and the API, and no page of the client.
/// </summary>
permissionset 90001 PIPrintProcessor
{
    Assignable = true;
    Caption = 'Print Processor';
    Permissions =
        tabledata PIPrintPrinter = RIM,
        tabledata PIPrintProcessor = RIM,
        tabledata PIPrintQueue = RM,
        tabledata PIPrintSetup = R,
        table PIPrintPrinter = X,
        table PIPrintProcessor = X,
        table PIPrintQueue = X,
        table PIPrintSetup = X,
        codeunit PIPrintClaim = X,
        codeunit PIPrintPayload = X,
        page PIPrintJobsAPI = X,
        page PIPrintPrintersAPI = X,
        page PIPrintPrinterWS = X,
        page PIPrintProcessorsAPI = X,
        page PIPrintQueueWS = X;
}
