-- The journal, schema version 1. One row per claim of a job; the columns are the fields of
-- piprint.journal.entry.Entry, and two more.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    row_no INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    printer_id TEXT NOT NULL,
    claim TEXT NOT NULL,
    name TEXT NOT NULL,
    row_id TEXT NOT NULL,
    payload TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    company TEXT NOT NULL DEFAULT '',
    run_id TEXT NOT NULL DEFAULT '',
    step TEXT NOT NULL,
    tries INTEGER NOT NULL,
    faults INTEGER NOT NULL,
    restarts INTEGER NOT NULL,
    inherits TEXT NOT NULL,
    inherited INTEGER,
    ipp_id INTEGER NOT NULL,
    ipp_uuid TEXT NOT NULL,
    ipp_up_time INTEGER,
    ipp_begun INTEGER,
    ipp_run TEXT NOT NULL DEFAULT '',
    held INTEGER NOT NULL,
    submitted INTEGER NOT NULL,
    size INTEGER NOT NULL,
    notes TEXT NOT NULL,
    message TEXT NOT NULL,
    outcome TEXT,
    begun TEXT NOT NULL,
    ended TEXT,
    changed TEXT NOT NULL,
    -- Its place among the reported ones, and after how many hours of this journal's use: clocks may be set.
    reported_no INTEGER NOT NULL DEFAULT 0,
    reported_hour INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (row_no, attempt)
) STRICT, WITHOUT ROWID;

-- A handful of rows at any time: what a start has to look at.
CREATE INDEX job_open ON job (row_no) WHERE step <> 'reported';
CREATE INDEX job_changed ON job (changed);

CREATE TABLE total (
    outcome TEXT PRIMARY KEY,
    jobs INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What printers could do when they were last asked, as Business Central is told it.
CREATE TABLE printer (
    printer_id TEXT PRIMARY KEY,
    payload TEXT NOT NULL
) STRICT, WITHOUT ROWID;
