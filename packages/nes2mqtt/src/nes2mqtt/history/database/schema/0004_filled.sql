-- What the meter's own load profile tells about times in which this program did not read it.
-- Table "filled" is made before, from nes2mqtt.history.tables.columns.

CREATE UNIQUE INDEX filled_times ON filled (meter, received);

-- Gaps between two readings that were looked into, so that each is once.
CREATE TABLE gaps (
    gap INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    began INTEGER NOT NULL,             -- last reading before it (ms)
    ended INTEGER NOT NULL,             -- first reading after it (ms)
    readings INTEGER NOT NULL,          -- how many could be filled in
    outcome TEXT NOT NULL,              -- one word: what became of it
    unplaced TEXT NOT NULL              -- keys of registers that counted in it, nobody knows when; blanks between
);

CREATE INDEX gap_times ON gaps (meter, ended);

-- How far a meter's load profile was read, as the library notes it.
CREATE TABLE profile_marks (
    meter INTEGER PRIMARY KEY,
    mark TEXT NOT NULL
);
