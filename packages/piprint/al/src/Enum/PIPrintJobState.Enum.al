/// <summary>
/// The states of a print job, with the numbers of PIPrint 1.0. Captions are locked: web services tell a caption, and in
/// whatever language the request asks for; pages show the words of PIPrintJobs.StateText instead. Public, as PIPrintAPI tells it.
/// </summary>
enum 90000 PIPrintJobState
{
    Access = Public;
    Extensible = false;
    Caption = 'Print Job State';

    value(0; Hold)
    {
        Caption = 'OnHold', Locked = true;
    }
    value(10; Queued)
    {
        Caption = 'Queued', Locked = true;
    }
    value(20; Error)
    {
        Caption = 'Error', Locked = true;
    }
    value(30; Cancelled)
    {
        Caption = 'Cancelled', Locked = true;
    }
    value(40; Printing)
    {
        Caption = 'Printing', Locked = true;
    }
    value(50; Printed)
    {
        Caption = 'Printed', Locked = true;
    }
}
