/// <summary>
/// Runs the retention of jobs (PIPrintRetention), by a job queue entry and by nothing else. Each company has an entry, so that
/// no company's end is the end of the clean-up; all share the jobs, so one at a time does the work. Nothing that fails in it fails the
/// entry: Business Central stops an entry that failed some times, and nobody would look.
/// </summary>
codeunit 90004 PIPrintCleanUp
{
    Access = Internal;
    TableNo = "Job Queue Entry";
    InherentEntitlements = X;
    InherentPermissions = X;
    Permissions =
        tabledata "Error Message" = rimd,
        tabledata "Error Message Register" = rimd,
        tabledata "Job Queue Entry" = rimd,
        tabledata "Job Queue Log Entry" = rimd,
        tabledata PIPrintPrinter = r,
        tabledata PIPrintQueue = r,
        tabledata PIPrintSetup = rim;

    trigger OnRun()
    begin
        if TakesTurn() then
            CleanUp();
    end;

    var
        DescriptionTxt: Label 'Clean up jobs of direct printing';
        FirstTxt: Label 'From %1 on, old print jobs are deleted with their documents, as each printer''s card says. Until now nothing deleted them. To keep them all, choose Switch Off Clean-Up on the page Direct Printing Setup before.', Comment = '%1 is a date and time';
        NotScheduledTxt: Label 'Not scheduled';

    /// <summary>Cleans up printer by printer: what fails at one takes nothing back of the others, and is shown in the setup.</summary>
    procedure CleanUp()
    var
        PIPrintPrinter: Record PIPrintPrinter;
        PIPrintSetup: Record PIPrintSetup;
        RowNos: List of [Integer];
        RowNo: Integer;
        Failure: Text;
    begin
        PIPrintPrinter.SetLoadFields(RowNo);
        if PIPrintPrinter.FindSet() then
            repeat
                RowNos.Add(PIPrintPrinter.RowNo);
            until PIPrintPrinter.Next() = 0;
        PIPrintPrinter.SetLoadFields();
        foreach RowNo in RowNos do
            if PIPrintPrinter.Get(RowNo) then begin
                Commit(); // Codeunit.Run tells of a failure only outside a transaction
                if not Codeunit.Run(Codeunit::PIPrintRetention, PIPrintPrinter) then
                    Failure := GetLastErrorText();
            end;
        PIPrintSetup.GetOrInsert();
        PIPrintSetup.CleanUpFailure := CopyStr(Failure, 1, MaxStrLen(PIPrintSetup.CleanUpFailure));
        PIPrintSetup.Modify(true);
    end;

    /// <summary>
    /// Lets a week pass before the first clean-up, where there may be documents that nothing deleted so far: whoever upgrades
    /// can read that it begins, and switch it off. Does nothing where a clean-up has run before.
    /// </summary>
    procedure GiveGrace()
    var
        PIPrintSetup: Record PIPrintSetup;
        Grace: Duration;
    begin
        PIPrintSetup.GetOrInsert();
        if PIPrintSetup.LastCleanUp <> 0DT then
            exit;
        Grace := 604800000; // seven days of milliseconds
        PIPrintSetup.FirstCleanUp := CurrentDateTime() + Grace;
        PIPrintSetup.Modify(true);
    end;

    /// <summary>Tells those who may change it when the first clean-up comes, and how to switch it off. Silent once it came.</summary>
    procedure TellFirstCleanUp()
    var
        PIPrintSetup: Record PIPrintSetup;
        FirstCleanUp: Notification;
    begin
        if not PIPrintSetup.WritePermission() then
            exit;
        PIPrintSetup.GetOrInit();
        if PIPrintSetup.CleanUpOff or (PIPrintSetup.FirstCleanUp <= CurrentDateTime()) then
            exit;
        FirstCleanUp.Id(NotificationId());
        FirstCleanUp.Message(StrSubstNo(FirstTxt, PIPrintSetup.FirstCleanUp));
        FirstCleanUp.Send();
    end;

    /// <summary>
    /// Sets up this company's job queue entry, unless it is there or the clean-up is switched off. Never fails: it says false
    /// when this session may not schedule jobs, as some of those that install and upgrade may not.
    /// </summary>
    procedure ScheduleUnlessOff(): Boolean
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        if not PIPrintSetup.ReadPermission() then
            exit(false);
        PIPrintSetup.GetOrInit();
        if PIPrintSetup.CleanUpOff then
            exit(true);
        if not MaySchedule() then
            exit(false);
        if not FindEntry(JobQueueEntry) then
            Enqueue(PIPrintSetup.CleanUpMinutes)
        else
            if (JobQueueEntry.Status = JobQueueEntry.Status::Error) or Hangs(JobQueueEntry) then // nobody holds it; it was given up
                JobQueueEntry.Restart();
        exit(true);
    end;

    /// <summary>
    /// Switches the clean-up on for all companies and sets up this company's entry anew, to run as this user: entries of a partner's
    /// delegated administrator, who may have installed us, are never run. Fails when the user may not schedule jobs. An entry in process
    /// is replaced, too: it hangs, or its run goes on to its end beside the new entry, whose runs wait for their turn.
    /// </summary>
    procedure SwitchOn()
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInsert();
        PIPrintSetup.CleanUpOff := false;
        PIPrintSetup.Modify(true);
        if FindEntry(JobQueueEntry) then
            JobQueueEntry.Cancel();
        Enqueue(PIPrintSetup.CleanUpMinutes);
    end;

    /// <summary>Switches the clean-up off for all companies, until SwitchOn; no upgrade schedules it again. Other companies' entries do nothing.</summary>
    procedure SwitchOff()
    var
        JobQueueEntry: Record "Job Queue Entry";
        PIPrintSetup: Record PIPrintSetup;
    begin
        PIPrintSetup.GetOrInsert();
        PIPrintSetup.CleanUpOff := true;
        PIPrintSetup.Modify(true);
        if FindEntry(JobQueueEntry) then
            JobQueueEntry.Cancel();
    end;

    /// <summary>Says how this company's job queue entry is, in the user's language.</summary>
    procedure EntryState(): Text
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        if FindEntry(JobQueueEntry) then
            exit(Format(JobQueueEntry.Status));
        exit(NotScheduledTxt);
    end;

    // The first company whose turn comes does the work; the others' runs before half the time is over find it done.
    local procedure TakesTurn(): Boolean
    var
        PIPrintSetup: Record PIPrintSetup;
        Pause: Duration;
        Since: Duration;
        Minutes: BigInteger;
    begin
        PIPrintSetup.ReadIsolation := IsolationLevel::UpdLock;
        PIPrintSetup.GetOrInsert();
        if PIPrintSetup.CleanUpOff or (CurrentDateTime() < PIPrintSetup.FirstCleanUp) then
            exit(false);
        if (PIPrintSetup.LastCleanUp = 0DT) and (PIPrintSetup.FirstCleanUp = 0DT) and HasOldJobs() then begin
            GiveGrace(); // nobody could schedule it for long, and then somebody only opened the setup
            exit(false);
        end;
        Minutes := PIPrintSetup.CleanUpMinutes; // milliseconds of a month are more than an Integer holds
        Pause := Minutes * 30000;
        if PIPrintSetup.LastCleanUp <> 0DT then begin
            Since := CurrentDateTime() - PIPrintSetup.LastCleanUp;
            if (Since >= 0) and (Since < Pause) then // a clock that was put back makes it negative
                exit(false);
        end;
        PIPrintSetup.LastCleanUp := CurrentDateTime();
        PIPrintSetup.Modify(true);
        Commit(); // else everybody who prints would wait for this row until the clean-up is over
        exit(true);
    end;

    local procedure HasOldJobs(): Boolean
    var
        PIPrintQueue: Record PIPrintQueue;
        Day: Duration;
    begin
        Day := 86400000;
        PIPrintQueue.SetFilter(SystemModifiedAt, '<%1', CurrentDateTime() - Day);
        exit(not PIPrintQueue.IsEmpty());
    end;

    local procedure FindEntry(var JobQueueEntry: Record "Job Queue Entry"): Boolean
    begin
        JobQueueEntry.SetRange("Object Type to Run", JobQueueEntry."Object Type to Run"::Codeunit);
        JobQueueEntry.SetRange("Object ID to Run", Codeunit::PIPrintCleanUp);
        exit(JobQueueEntry.FindFirst());
    end;

    // Business Central ends each run after 12 hours, and an entry's end is written by its run: after a day nothing runs any more.
    local procedure Hangs(JobQueueEntry: Record "Job Queue Entry"): Boolean
    var
        Day: Duration;
    begin
        Day := 86400000;
        exit((JobQueueEntry.Status = JobQueueEntry.Status::"In Process") and (JobQueueEntry."User Session Started" < CurrentDateTime() - Day));
    end;

    local procedure NotificationId(): Guid
    begin
        exit('6b0c8f0e-53d1-4c59-8a0b-2a7d3c1b9e44');
    end;

    local procedure Enqueue(Minutes: Integer)
    var
        JobQueueEntry: Record "Job Queue Entry";
    begin
        JobQueueEntry.InitRecurringJob(Minutes);
        JobQueueEntry."Object Type to Run" := JobQueueEntry."Object Type to Run"::Codeunit;
        JobQueueEntry."Object ID to Run" := Codeunit::PIPrintCleanUp;
        JobQueueEntry.Description := CopyStr(DescriptionTxt, 1, MaxStrLen(JobQueueEntry.Description));
        JobQueueEntry."Maximum No. of Attempts to Run" := 3;
        Codeunit.Run(Codeunit::"Job Queue - Enqueue", JobQueueEntry);
    end;

    // What "Job Queue - Enqueue" asks for, asked before, so that neither an installation nor an upgrade fails for it.
    local procedure MaySchedule(): Boolean
    var
        ErrorMessage: Record "Error Message";
        ErrorMessageRegister: Record "Error Message Register";
        JobQueueEntry: Record "Job Queue Entry";
        JobQueueLogEntry: Record "Job Queue Log Entry";
    begin
        if not TaskScheduler.CanCreateTask() then
            exit(false);
        if not (JobQueueEntry.ReadPermission() and JobQueueEntry.WritePermission()) then
            exit(false);
        exit(JobQueueLogEntry.WritePermission() and ErrorMessageRegister.WritePermission() and ErrorMessage.WritePermission());
    end;
}
