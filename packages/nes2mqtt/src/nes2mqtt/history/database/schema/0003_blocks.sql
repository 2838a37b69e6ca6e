-- Present values in blocks: one row holds what one meter showed between two commits, packed (nes2mqtt.history.tables.blocks).
-- Tables present_a, present_b and present_c keep what an earlier program wrote until their part is emptied.

CREATE TABLE blocks_a (
    block INTEGER PRIMARY KEY,          -- grows for ever, in the order of commits, whatever the clock does
    meter INTEGER NOT NULL,
    first INTEGER NOT NULL,             -- time of the earliest reading in it (ms)
    last INTEGER NOT NULL,              -- time of the latest
    samples INTEGER NOT NULL,
    layout INTEGER NOT NULL,            -- which values, in table layouts
    data BLOB NOT NULL
);

CREATE TABLE blocks_b (
    block INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE TABLE blocks_c (
    block INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    samples INTEGER NOT NULL,
    layout INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE VIEW blocks AS
SELECT * FROM blocks_a
UNION ALL SELECT * FROM blocks_b
UNION ALL SELECT * FROM blocks_c;

-- Keys of osgp.sources, separated by blanks, in the order in which a block holds their values.
CREATE TABLE layouts (
    layout INTEGER PRIMARY KEY,
    keys TEXT NOT NULL UNIQUE
);

-- Where an hour is found in "blocks": a block whose latest reading lies in that hour (its start, ms) has a number from
-- this one up to the next row's. An hour may have several rows: the clock may have gone back.
CREATE TABLE block_hours (
    first_block INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL
);

-- What time of day it was at the start of each day of running. Days are counted by the time this program ran (state "ran",
-- seconds), which no clock can change: what is thrown away is thrown away by these.
CREATE TABLE days_run (
    day INTEGER PRIMARY KEY,
    label INTEGER NOT NULL              -- ms since 1970
);

-- JSON object: what each register showed first in a segment that began with a swap; NULL if nobody saw its beginning.
ALTER TABLE segments ADD COLUMN base TEXT;
