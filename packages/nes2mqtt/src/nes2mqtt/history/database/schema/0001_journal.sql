-- The journal: every reading as it was received. Times are UTC, milliseconds since 1970.
-- The tables of readings (registers_a, b, c and kept, present_a, b and c) are made before, from nes2mqtt.history.tables.columns.

CREATE TABLE meters (
    meter INTEGER PRIMARY KEY,          -- small number that stands for the meter in all other tables
    id TEXT NOT NULL UNIQUE             -- its name in the configuration
);

-- Which physical meter stood at that place. A meter swap starts the next segment.
CREATE TABLE segments (
    meter INTEGER NOT NULL REFERENCES meters,
    segment INTEGER NOT NULL,
    first_received INTEGER NOT NULL,    -- first register reading of this segment
    started INTEGER,                    -- when the swap was seen, if it was
    restarted TEXT,                     -- JSON object: registers that rolled over in this segment, and when
    serial TEXT NOT NULL DEFAULT '',
    manufacturer TEXT NOT NULL DEFAULT '',
    model TEXT NOT NULL DEFAULT '',
    firmware TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (meter, segment)
) WITHOUT ROWID;

-- state "part" (0 a, 1 b, 2 c) is the part of readings in use, "part_started" since when (ms).
CREATE VIEW registers AS
SELECT * FROM registers_kept
UNION ALL SELECT * FROM registers_a
UNION ALL SELECT * FROM registers_b
UNION ALL SELECT * FROM registers_c;

-- Where in "registers" an hour (its start) is found: no reading of that hour has a seq outside first_seq..last_seq.
-- last_seq is NULL while the hour still grows.
CREATE TABLE hours (
    hour INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER
);

CREATE VIEW present AS
SELECT * FROM present_a
UNION ALL SELECT * FROM present_b
UNION ALL SELECT * FROM present_c;

-- How far each output has delivered register readings. While readings come in, the last one's "behind" is newer:
-- it costs no page of its own.
CREATE TABLE outboxes (
    outbox INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL           -- seq of the last reading delivered
);

-- Numbers that must survive: how far roll-ups have come.
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
