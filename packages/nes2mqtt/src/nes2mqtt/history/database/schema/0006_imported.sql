-- Readings of times before this program, or of gaps in them, from a file or by hand. Times are UTC, milliseconds since 1970.
-- Tables "imported", "imported_steps" and "imported_moves" are made before, from nes2mqtt.history.tables.columns.

CREATE TABLE imports (
    import INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL REFERENCES meters,
    made INTEGER NOT NULL,
    kind TEXT NOT NULL,                 -- csv, homeassistant, totals
    name TEXT NOT NULL,                 -- of the file, without its folder
    readings INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL
);

-- When the meter was exchanged, as the owner says: no difference crosses it.
CREATE TABLE imported_swaps (
    import INTEGER NOT NULL REFERENCES imports,
    meter INTEGER NOT NULL,
    at INTEGER NOT NULL,                -- first reading of the new meter, or before it
    PRIMARY KEY (import, at)
) WITHOUT ROWID;

CREATE UNIQUE INDEX imported_times ON imported (meter, received);

CREATE INDEX imported_of ON imported (import);

CREATE INDEX imported_step_times ON imported_steps (meter, level, start);

CREATE INDEX imported_move_times ON imported_moves (meter, ended);
