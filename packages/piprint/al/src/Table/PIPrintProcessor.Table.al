/// <summary>
/// A print processor that said it lives. Several may serve one host id. Processors of PIPrint 1.0 never appear here.
/// </summary>
table 90002 PIPrintProcessor
{
    Access = Internal;
    Caption = 'Print Processor';
    DataClassification = SystemMetadata;
    DataPerCompany = false;
    LookupPageId = PIPrintProcessors;
    DrillDownPageId = PIPrintProcessors;

    fields
    {
        field(1; RowNo; Integer)
        {
            Caption = 'No.';
            AutoIncrement = true;
            Editable = false;
        }
        field(2; HostID; Text[250])
        {
            Caption = 'Host';
            NotBlank = true;
        }
        field(3; InstanceID; Text[50])
        {
            Caption = 'Processor';
            NotBlank = true;
        }
        field(4; Version; Text[50])
        {
            Caption = 'Version';
        }
        field(5; LastSeen; DateTime)
        {
            Caption = 'Last Seen';
            Editable = false;
        }
        field(6; StateMessage; Text[250])
        {
            Caption = 'State Message';
        }
        field(7; NoQueued; Integer)
        {
            Caption = 'Jobs Waiting';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(JobHostID = field(HostID), Status = const(Queued)));
            Editable = false;
        }
        field(8; NoPrinting; Integer)
        {
            Caption = 'Jobs Printing';
            FieldClass = FlowField;
            CalcFormula = count(PIPrintQueue where(JobHostID = field(HostID), Status = const(Printing)));
            Editable = false;
        }
        field(9; Beat; Integer)
        {
            Caption = 'Heartbeat';

            // The processor writes another number each time. A write that changes nothing may run no trigger.
            trigger OnValidate()
            begin
                Rec.LastSeen := CurrentDateTime();
            end;
        }
    }

    keys
    {
        key(PK; RowNo)
        {
            Clustered = true;
        }
        key(Instance; HostID, InstanceID)
        {
            Unique = true;
        }
        key(Seen; HostID, LastSeen)
        {
        }
    }

    trigger OnInsert()
    begin
        Rec.LastSeen := CurrentDateTime();
    end;

    trigger OnModify()
    begin
        Rec.LastSeen := CurrentDateTime();
    end;
}
