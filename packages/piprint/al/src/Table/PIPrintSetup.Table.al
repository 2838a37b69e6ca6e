/// <summary>The settings of the extension; one row for all companies.</summary>
table 90003 PIPrintSetup
{
    Access = Internal;
    Caption = 'Direct Printing Setup';
    DataClassification = SystemMetadata;
    DataPerCompany = false;
    Permissions =
        tabledata PIPrintSetup = ri;

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
        // Off, not on: a field that is new with an upgrade is false in the row that is there already.
        field(4; CleanUpOff; Boolean)
        {
            Caption = 'Clean-Up Is Switched Off';
            Editable = false;
        }
        field(5; LastCleanUp; DateTime)
        {
            Caption = 'Last Clean-Up Began at';
            Editable = false;
        }
        field(6; CleanUpFailure; Text[250])
        {
            Caption = 'What Failed in It';
            Editable = false;
        }
        field(7; FirstCleanUp; DateTime)
        {
            Caption = 'No Clean-Up Before';
            Editable = false;
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

    /// <summary>Reads the settings; writes the initial ones when the row is not there yet.</summary>
    procedure GetOrInsert()
    begin
        if Rec.Get() then
            exit;
        Rec.Init();
        Rec.Insert(true);
    end;
}
