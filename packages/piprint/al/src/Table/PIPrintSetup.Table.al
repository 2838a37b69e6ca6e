/// <summary>The settings of the extension; one row for all companies.</summary>
table 90003 PIPrintSetup
{
    Caption = 'Direct Printing Setup';
    DataClassification = SystemMetadata;
    DataPerCompany = false;
    Permissions =
        tabledata PIPrintSetup = r;

    fields
    {
        field(1; PrimaryKey; Code[10])
        {
            Caption = 'Primary Key';
        }
        field(2; HostGraceMinutes; Integer)
        {
            Caption = 'Hide Printers of Silent Hosts after (minutes)';
            InitValue = 1440;
            MinValue = 0;
        }
        field(3; CleanUpMinutes; Integer)
        {
            Caption = 'Clean Up every (minutes)';
            InitValue = 60;
            MinValue = 5;
        }
    }

    keys
    {
        key(PK; PrimaryKey)
        {
            Clustered = true;
        }
    }

    /// <summary>Reads the settings; the initial ones when the row is not there yet, without writing it.</summary>
    procedure GetOrInit()
    begin
        if not Rec.Get() then
            Rec.Init();
    end;
}
