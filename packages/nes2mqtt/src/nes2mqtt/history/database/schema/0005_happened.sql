-- What happened to the meters by their own logs, in the order in which this program learned of it. Times are UTC, milliseconds since 1970.

CREATE TABLE happened (
    number INTEGER PRIMARY KEY,
    meter TEXT NOT NULL,                -- its name in the configuration: a log may be read before the first reading is written
    identity TEXT NOT NULL,             -- tells the entry from all others of the meter
    kind TEXT NOT NULL,                 -- event, outage
    time INTEGER,                       -- when it happened, or began, by the meter's clock
    read INTEGER NOT NULL,              -- when this program read it
    news INTEGER NOT NULL,              -- 0: the meter had logged it before its logs were first read
    sequence INTEGER,                   -- its number in the meter's log
    event INTEGER,                      -- what happened; NULL for an outage
    who TEXT,
    user INTEGER,
    argument TEXT NOT NULL,             -- hexadecimal
    ended INTEGER,                      -- of an outage
    seconds INTEGER,
    cause TEXT NOT NULL
);

CREATE UNIQUE INDEX happened_once ON happened (meter, identity);

CREATE INDEX happened_of ON happened (meter, number);

-- How far each log of a meter was read, as the library notes it.
CREATE TABLE log_marks (
    meter TEXT NOT NULL,
    log TEXT NOT NULL,                  -- event, outage
    serial TEXT NOT NULL,               -- of the meter itself
    mark TEXT NOT NULL,
    PRIMARY KEY (meter, log)
) WITHOUT ROWID;
