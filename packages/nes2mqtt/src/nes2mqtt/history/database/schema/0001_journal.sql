-- The journal: every reading as it was received. Times are UTC, milliseconds since 1970.
-- Columns of values are named by osgp.sources keys and hold the meter's own integers; NULL is "absent".

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

-- Readings go into one of three parts; when it is old enough, the oldest part is emptied as a whole and used next.
-- Emptying a table frees its pages without writing them: deleting the same rows would write each page again.
-- state "part" (0 a, 1 b, 2 c) is the part in use, "part_started" since when (ms).

-- Register readings in the order in which they were committed. There is no index besides seq: an index would
-- double the pages written by each commit. Table "hours" finds a time, the writer keeps doubles out.
CREATE TABLE registers_a (
    seq INTEGER PRIMARY KEY,            -- grows for ever, never used twice; outboxes count by it
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    meter_time INTEGER,
    behind,                             -- by how many numbers each outbox was behind: in order, blanks between
    other TEXT,                         -- JSON object of registers that have no column; NULL if there are none
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    outage_duration INTEGER,
    outage_count INTEGER,
    active_energy_sum INTEGER,
    active_energy_net INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    error_count INTEGER,
    reactive_energy_q1 INTEGER,
    reactive_energy_q2 INTEGER,
    reactive_energy_q3 INTEGER,
    reactive_energy_q4 INTEGER,
    apparent_energy_q1 INTEGER,
    apparent_energy_q2 INTEGER,
    apparent_energy_q3 INTEGER,
    apparent_energy_q4 INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    reactive_energy_import_t1 INTEGER,
    reactive_energy_export_t1 INTEGER,
    active_energy_sum_t1 INTEGER,
    active_energy_net_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    reactive_energy_import_t2 INTEGER,
    reactive_energy_export_t2 INTEGER,
    active_energy_sum_t2 INTEGER,
    active_energy_net_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    reactive_energy_import_t3 INTEGER,
    reactive_energy_export_t3 INTEGER,
    active_energy_sum_t3 INTEGER,
    active_energy_net_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    reactive_energy_import_t4 INTEGER,
    reactive_energy_export_t4 INTEGER,
    active_energy_sum_t4 INTEGER,
    active_energy_net_t4 INTEGER
);

CREATE TABLE registers_b (
    seq INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    meter_time INTEGER,
    behind,
    other TEXT,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    outage_duration INTEGER,
    outage_count INTEGER,
    active_energy_sum INTEGER,
    active_energy_net INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    error_count INTEGER,
    reactive_energy_q1 INTEGER,
    reactive_energy_q2 INTEGER,
    reactive_energy_q3 INTEGER,
    reactive_energy_q4 INTEGER,
    apparent_energy_q1 INTEGER,
    apparent_energy_q2 INTEGER,
    apparent_energy_q3 INTEGER,
    apparent_energy_q4 INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    reactive_energy_import_t1 INTEGER,
    reactive_energy_export_t1 INTEGER,
    active_energy_sum_t1 INTEGER,
    active_energy_net_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    reactive_energy_import_t2 INTEGER,
    reactive_energy_export_t2 INTEGER,
    active_energy_sum_t2 INTEGER,
    active_energy_net_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    reactive_energy_import_t3 INTEGER,
    reactive_energy_export_t3 INTEGER,
    active_energy_sum_t3 INTEGER,
    active_energy_net_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    reactive_energy_import_t4 INTEGER,
    reactive_energy_export_t4 INTEGER,
    active_energy_sum_t4 INTEGER,
    active_energy_net_t4 INTEGER
);

CREATE TABLE registers_c (
    seq INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    meter_time INTEGER,
    behind,
    other TEXT,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    outage_duration INTEGER,
    outage_count INTEGER,
    active_energy_sum INTEGER,
    active_energy_net INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    error_count INTEGER,
    reactive_energy_q1 INTEGER,
    reactive_energy_q2 INTEGER,
    reactive_energy_q3 INTEGER,
    reactive_energy_q4 INTEGER,
    apparent_energy_q1 INTEGER,
    apparent_energy_q2 INTEGER,
    apparent_energy_q3 INTEGER,
    apparent_energy_q4 INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    reactive_energy_import_t1 INTEGER,
    reactive_energy_export_t1 INTEGER,
    active_energy_sum_t1 INTEGER,
    active_energy_net_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    reactive_energy_import_t2 INTEGER,
    reactive_energy_export_t2 INTEGER,
    active_energy_sum_t2 INTEGER,
    active_energy_net_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    reactive_energy_import_t3 INTEGER,
    reactive_energy_export_t3 INTEGER,
    active_energy_sum_t3 INTEGER,
    active_energy_net_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    reactive_energy_import_t4 INTEGER,
    reactive_energy_export_t4 INTEGER,
    active_energy_sum_t4 INTEGER,
    active_energy_net_t4 INTEGER
);

-- Of parts that were emptied: the last reading of each quarter of an hour.
CREATE TABLE registers_kept (
    seq INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    meter_time INTEGER,
    behind,
    other TEXT,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    outage_duration INTEGER,
    outage_count INTEGER,
    active_energy_sum INTEGER,
    active_energy_net INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    error_count INTEGER,
    reactive_energy_q1 INTEGER,
    reactive_energy_q2 INTEGER,
    reactive_energy_q3 INTEGER,
    reactive_energy_q4 INTEGER,
    apparent_energy_q1 INTEGER,
    apparent_energy_q2 INTEGER,
    apparent_energy_q3 INTEGER,
    apparent_energy_q4 INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    reactive_energy_import_t1 INTEGER,
    reactive_energy_export_t1 INTEGER,
    active_energy_sum_t1 INTEGER,
    active_energy_net_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    reactive_energy_import_t2 INTEGER,
    reactive_energy_export_t2 INTEGER,
    active_energy_sum_t2 INTEGER,
    active_energy_net_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    reactive_energy_import_t3 INTEGER,
    reactive_energy_export_t3 INTEGER,
    active_energy_sum_t3 INTEGER,
    active_energy_net_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    reactive_energy_import_t4 INTEGER,
    reactive_energy_export_t4 INTEGER,
    active_energy_sum_t4 INTEGER,
    active_energy_net_t4 INTEGER
);

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

-- Present values. The key holds time and meter, so that one b-tree, appended to, is all there is to write.
CREATE TABLE present_a (
    at INTEGER PRIMARY KEY,             -- received * 65536 + meter
    meter INTEGER AS (at & 65535) VIRTUAL,
    received INTEGER AS (at >> 16) VIRTUAL,
    active_power_import INTEGER,
    active_power_export INTEGER,
    reactive_power_import INTEGER,
    reactive_power_export INTEGER,
    voltage_l1 INTEGER,
    voltage_l2 INTEGER,
    voltage_l3 INTEGER,
    current_l1 INTEGER,
    current_l2 INTEGER,
    current_l3 INTEGER,
    active_power_import_l1 INTEGER,
    active_power_import_l2 INTEGER,
    active_power_import_l3 INTEGER,
    active_power_export_l1 INTEGER,
    active_power_export_l2 INTEGER,
    active_power_export_l3 INTEGER,
    power_factor_l1 INTEGER,
    power_factor_l2 INTEGER,
    power_factor_l3 INTEGER,
    frequency INTEGER,
    apparent_power INTEGER,
    reactive_power_import_l1 INTEGER,
    reactive_power_import_l2 INTEGER,
    reactive_power_import_l3 INTEGER,
    reactive_power_export_l1 INTEGER,
    reactive_power_export_l2 INTEGER,
    reactive_power_export_l3 INTEGER,
    current_neutral INTEGER,
    voltage_angle_l1_l2 INTEGER,
    voltage_angle_l2_l3 INTEGER,
    voltage_angle_l3_l1 INTEGER
);

CREATE TABLE present_b (
    at INTEGER PRIMARY KEY,
    meter INTEGER AS (at & 65535) VIRTUAL,
    received INTEGER AS (at >> 16) VIRTUAL,
    active_power_import INTEGER,
    active_power_export INTEGER,
    reactive_power_import INTEGER,
    reactive_power_export INTEGER,
    voltage_l1 INTEGER,
    voltage_l2 INTEGER,
    voltage_l3 INTEGER,
    current_l1 INTEGER,
    current_l2 INTEGER,
    current_l3 INTEGER,
    active_power_import_l1 INTEGER,
    active_power_import_l2 INTEGER,
    active_power_import_l3 INTEGER,
    active_power_export_l1 INTEGER,
    active_power_export_l2 INTEGER,
    active_power_export_l3 INTEGER,
    power_factor_l1 INTEGER,
    power_factor_l2 INTEGER,
    power_factor_l3 INTEGER,
    frequency INTEGER,
    apparent_power INTEGER,
    reactive_power_import_l1 INTEGER,
    reactive_power_import_l2 INTEGER,
    reactive_power_import_l3 INTEGER,
    reactive_power_export_l1 INTEGER,
    reactive_power_export_l2 INTEGER,
    reactive_power_export_l3 INTEGER,
    current_neutral INTEGER,
    voltage_angle_l1_l2 INTEGER,
    voltage_angle_l2_l3 INTEGER,
    voltage_angle_l3_l1 INTEGER
);

CREATE TABLE present_c (
    at INTEGER PRIMARY KEY,
    meter INTEGER AS (at & 65535) VIRTUAL,
    received INTEGER AS (at >> 16) VIRTUAL,
    active_power_import INTEGER,
    active_power_export INTEGER,
    reactive_power_import INTEGER,
    reactive_power_export INTEGER,
    voltage_l1 INTEGER,
    voltage_l2 INTEGER,
    voltage_l3 INTEGER,
    current_l1 INTEGER,
    current_l2 INTEGER,
    current_l3 INTEGER,
    active_power_import_l1 INTEGER,
    active_power_import_l2 INTEGER,
    active_power_import_l3 INTEGER,
    active_power_export_l1 INTEGER,
    active_power_export_l2 INTEGER,
    active_power_export_l3 INTEGER,
    power_factor_l1 INTEGER,
    power_factor_l2 INTEGER,
    power_factor_l3 INTEGER,
    frequency INTEGER,
    apparent_power INTEGER,
    reactive_power_import_l1 INTEGER,
    reactive_power_import_l2 INTEGER,
    reactive_power_import_l3 INTEGER,
    reactive_power_export_l1 INTEGER,
    reactive_power_export_l2 INTEGER,
    reactive_power_export_l3 INTEGER,
    current_neutral INTEGER,
    voltage_angle_l1_l2 INTEGER,
    voltage_angle_l2_l3 INTEGER,
    voltage_angle_l3_l1 INTEGER
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
