/// <summary>
/// The API of print processors: every write that changes something is a heartbeat, and its answer tells whether there is work.
/// </summary>
page 90012 PIPrintProcessorsAPI
{
    Caption = 'processors', Locked = true;
    PageType = API;
    APIPublisher = 'piprint';
    APIGroup = 'printing';
    APIVersion = 'v2.0';
    EntityName = 'processor';
    EntitySetName = 'processors';
    EntityCaption = 'processor', Locked = true;
    EntitySetCaption = 'processors', Locked = true;
    SourceTable = PIPrintProcessor;
    ODataKeyFields = SystemId;
    DelayedInsert = true;
    Extensible = false;
    DeleteAllowed = false;

    layout
    {
        area(Content)
        {
            repeater(General)
            {
                field(id; Rec.SystemId)
                {
                    Caption = 'id', Locked = true;
                    Editable = false;
                }
                field(hostId; Rec.HostID)
                {
                    Caption = 'hostId', Locked = true;
                }
                field(instanceId; Rec.InstanceID)
                {
                    Caption = 'instanceId', Locked = true;
                }
                field(version; Rec.Version)
                {
                    Caption = 'version', Locked = true;
                }
                field(lastSeen; Rec.LastSeen)
                {
                    Caption = 'lastSeen', Locked = true;
                    Editable = false;
                }
                field(stateMessage; Rec.StateMessage)
                {
                    Caption = 'stateMessage', Locked = true;
                }
                field(beat; Rec.Beat)
                {
                    Caption = 'beat', Locked = true;
                }
                field(queued; Rec.NoQueued)
                {
                    Caption = 'queued', Locked = true;
                    Editable = false;
                }
                field(printing; Rec.NoPrinting)
                {
                    Caption = 'printing', Locked = true;
                    Editable = false;
                }
            }
        }
    }
}
