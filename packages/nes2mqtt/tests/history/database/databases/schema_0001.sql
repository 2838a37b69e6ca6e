-- A history as program versions with schema 1 wrote it: one meter, seven register and seven present readings.
-- Made with sqlite3's iterdump from 0001_journal.sql and rows typed for it.
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE hours (
    hour INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER
);
INSERT INTO "hours" VALUES(1768478400000,1,NULL);
CREATE TABLE meters (
    meter INTEGER PRIMARY KEY,          -- small number that stands for the meter in all other tables
    id TEXT NOT NULL UNIQUE             -- its name in the configuration
);
INSERT INTO "meters" VALUES(1,'house');
CREATE TABLE outboxes (
    outbox INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL           -- seq of the last reading delivered
);
INSERT INTO "outboxes" VALUES(1,'mqtt localhost',3);
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
INSERT INTO "present_a" VALUES(115899000422400001,432,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899006976000001,433,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899013529600001,434,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899020083200001,435,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899026636800001,436,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899033190400001,437,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "present_a" VALUES(115899039744000001,438,NULL,NULL,NULL,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "registers_a" VALUES(1,1,1768478400000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845342,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(2,1,1768478500000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845352,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(3,1,1768478600000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845362,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(4,1,1768478700000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845372,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(5,1,1768478800000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845382,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(6,1,1768478900000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845392,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(7,1,1768479000000,1,NULL,1,'{"reactive_energy_export_t7":5}',65845402,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "segments" VALUES(1,1,1768478400000,NULL,NULL,'83334','','','3.10.21');
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
CREATE VIEW registers AS
SELECT * FROM registers_kept
UNION ALL SELECT * FROM registers_a
UNION ALL SELECT * FROM registers_b
UNION ALL SELECT * FROM registers_c;
CREATE VIEW present AS
SELECT * FROM present_a
UNION ALL SELECT * FROM present_b
UNION ALL SELECT * FROM present_c;
COMMIT;
