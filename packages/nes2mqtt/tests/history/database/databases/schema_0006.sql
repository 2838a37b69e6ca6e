BEGIN TRANSACTION;
CREATE TABLE block_hours (
    first_block INTEGER PRIMARY KEY,
    hour INTEGER NOT NULL
);
INSERT INTO "block_hours" VALUES(1,1768478400000);
CREATE TABLE blocks_a (
    block INTEGER PRIMARY KEY,          -- grows for ever, in the order of commits, whatever the clock does
    meter INTEGER NOT NULL,
    first INTEGER NOT NULL,             -- time of the earliest reading in it (ms)
    last INTEGER NOT NULL,              -- time of the latest
    samples INTEGER NOT NULL,
    layout INTEGER NOT NULL,            -- which values, in table layouts
    data BLOB NOT NULL
);
INSERT INTO "blocks_a" VALUES(1,1,1768478400000,1768478400000,1,1,X'789C636400817B6D07673302E90D8C0C10105ACB0CA601531F0449');
INSERT INTO "blocks_a" VALUES(2,1,1768478500000,1768478500000,1,1,X'789C6364008205291D07673302191B41040884D63283690057B60472');
INSERT INTO "blocks_a" VALUES(3,1,1768478600000,1768478600000,1,1,X'789C6364000287D79D07673302199B40040884D6328369005B4E049B');
INSERT INTO "blocks_a" VALUES(4,1,1768478700000,1768478700000,1,1,X'789C636400820785DD07673302199B41040884D6328369005FE504C4');
INSERT INTO "blocks_a" VALUES(5,1,1768478800000,1768478800000,1,1,X'789C63640082861F3D07673302195B40040884D632836900637D04ED');
INSERT INTO "blocks_a" VALUES(6,1,1768478900000,1768478900000,1,1,X'789C6364000285FABE83B319818CAD200204426B99C134004E2D0417');
INSERT INTO "blocks_a" VALUES(7,1,1768479000000,1768479000000,1,1,X'789C6364008203AC130ECE660432B681081008AD6506D30052C40440');
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
CREATE TABLE day_rollups (
    at INTEGER PRIMARY KEY,             -- start of the bucket (ms) * 65536 + meter
    meter INTEGER AS (at & 65535) VIRTUAL,
    start INTEGER AS (at >> 16) VIRTUAL,
    samples INTEGER NOT NULL,           -- present samples in it
    energy_from INTEGER,                -- the energies were counted from the reading at this time (ms) ...
    energy_to INTEGER,                  -- ... to the reading at this time
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    active_power_import_avg INTEGER, active_power_import_min INTEGER, active_power_import_max INTEGER,
    active_power_export_avg INTEGER, active_power_export_min INTEGER, active_power_export_max INTEGER,
    reactive_power_import_avg INTEGER, reactive_power_import_min INTEGER, reactive_power_import_max INTEGER,
    reactive_power_export_avg INTEGER, reactive_power_export_min INTEGER, reactive_power_export_max INTEGER,
    apparent_power_avg INTEGER, apparent_power_min INTEGER, apparent_power_max INTEGER,
    voltage_l1_avg INTEGER, voltage_l1_min INTEGER, voltage_l1_max INTEGER,
    voltage_l2_avg INTEGER, voltage_l2_min INTEGER, voltage_l2_max INTEGER,
    voltage_l3_avg INTEGER, voltage_l3_min INTEGER, voltage_l3_max INTEGER,
    current_l1_avg INTEGER, current_l1_min INTEGER, current_l1_max INTEGER,
    current_l2_avg INTEGER, current_l2_min INTEGER, current_l2_max INTEGER,
    current_l3_avg INTEGER, current_l3_min INTEGER, current_l3_max INTEGER,
    active_power_import_l1_avg INTEGER, active_power_import_l1_min INTEGER, active_power_import_l1_max INTEGER,
    active_power_import_l2_avg INTEGER, active_power_import_l2_min INTEGER, active_power_import_l2_max INTEGER,
    active_power_import_l3_avg INTEGER, active_power_import_l3_min INTEGER, active_power_import_l3_max INTEGER,
    active_power_export_l1_avg INTEGER, active_power_export_l1_min INTEGER, active_power_export_l1_max INTEGER,
    active_power_export_l2_avg INTEGER, active_power_export_l2_min INTEGER, active_power_export_l2_max INTEGER,
    active_power_export_l3_avg INTEGER, active_power_export_l3_min INTEGER, active_power_export_l3_max INTEGER,
    power_factor_l1_avg INTEGER, power_factor_l1_min INTEGER, power_factor_l1_max INTEGER,
    power_factor_l2_avg INTEGER, power_factor_l2_min INTEGER, power_factor_l2_max INTEGER,
    power_factor_l3_avg INTEGER, power_factor_l3_min INTEGER, power_factor_l3_max INTEGER,
    frequency_avg INTEGER, frequency_min INTEGER, frequency_max INTEGER
);
CREATE TABLE days_run (
    day INTEGER PRIMARY KEY,
    label INTEGER NOT NULL              -- ms since 1970
);
CREATE TABLE filled (
    number INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    since INTEGER NOT NULL,
    segment INTEGER NOT NULL,
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
INSERT INTO "filled" VALUES(1,1,1768477500000,1768476600000,1,NULL,65845330,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE gaps (
    gap INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    began INTEGER NOT NULL,             -- last reading before it (ms)
    ended INTEGER NOT NULL,             -- first reading after it (ms)
    readings INTEGER NOT NULL,          -- how many could be filled in
    outcome TEXT NOT NULL,              -- one word: what became of it
    unplaced TEXT NOT NULL              -- keys of registers that counted in it, nobody knows when; blanks between
);
INSERT INTO "gaps" VALUES(1,1,1768476600000,1768478400000,1,'filled','active_energy_export');
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
INSERT INTO "happened" VALUES(1,'house','83334/event/71/20260115T120000/2/65534/0000','event',1768478400000,1768478400000,0,71,2,'power_line',NULL,'0000',NULL,NULL,'');
CREATE TABLE heads (
    meter INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
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
INSERT INTO "heads" VALUES(1,7,1768479000000,1,NULL,NULL,'{"reactive_energy_export_t7":5}',65845402,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE hour_rollups (
    at INTEGER PRIMARY KEY,             -- start of the bucket (ms) * 65536 + meter
    meter INTEGER AS (at & 65535) VIRTUAL,
    start INTEGER AS (at >> 16) VIRTUAL,
    samples INTEGER NOT NULL,           -- present samples in it
    energy_from INTEGER,                -- the energies were counted from the reading at this time (ms) ...
    energy_to INTEGER,                  -- ... to the reading at this time
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    active_power_import_avg INTEGER, active_power_import_min INTEGER, active_power_import_max INTEGER,
    active_power_export_avg INTEGER, active_power_export_min INTEGER, active_power_export_max INTEGER,
    reactive_power_import_avg INTEGER, reactive_power_import_min INTEGER, reactive_power_import_max INTEGER,
    reactive_power_export_avg INTEGER, reactive_power_export_min INTEGER, reactive_power_export_max INTEGER,
    apparent_power_avg INTEGER, apparent_power_min INTEGER, apparent_power_max INTEGER,
    voltage_l1_avg INTEGER, voltage_l1_min INTEGER, voltage_l1_max INTEGER,
    voltage_l2_avg INTEGER, voltage_l2_min INTEGER, voltage_l2_max INTEGER,
    voltage_l3_avg INTEGER, voltage_l3_min INTEGER, voltage_l3_max INTEGER,
    current_l1_avg INTEGER, current_l1_min INTEGER, current_l1_max INTEGER,
    current_l2_avg INTEGER, current_l2_min INTEGER, current_l2_max INTEGER,
    current_l3_avg INTEGER, current_l3_min INTEGER, current_l3_max INTEGER,
    active_power_import_l1_avg INTEGER, active_power_import_l1_min INTEGER, active_power_import_l1_max INTEGER,
    active_power_import_l2_avg INTEGER, active_power_import_l2_min INTEGER, active_power_import_l2_max INTEGER,
    active_power_import_l3_avg INTEGER, active_power_import_l3_min INTEGER, active_power_import_l3_max INTEGER,
    active_power_export_l1_avg INTEGER, active_power_export_l1_min INTEGER, active_power_export_l1_max INTEGER,
    active_power_export_l2_avg INTEGER, active_power_export_l2_min INTEGER, active_power_export_l2_max INTEGER,
    active_power_export_l3_avg INTEGER, active_power_export_l3_min INTEGER, active_power_export_l3_max INTEGER,
    power_factor_l1_avg INTEGER, power_factor_l1_min INTEGER, power_factor_l1_max INTEGER,
    power_factor_l2_avg INTEGER, power_factor_l2_min INTEGER, power_factor_l2_max INTEGER,
    power_factor_l3_avg INTEGER, power_factor_l3_min INTEGER, power_factor_l3_max INTEGER,
    frequency_avg INTEGER, frequency_min INTEGER, frequency_max INTEGER
);
CREATE TABLE hours (
    hour INTEGER PRIMARY KEY,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER
);
INSERT INTO "hours" VALUES(1768478400000,1,NULL);
CREATE TABLE imported (
    number INTEGER PRIMARY KEY,
    import INTEGER NOT NULL,
    meter INTEGER NOT NULL,
    received INTEGER NOT NULL,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER
);
INSERT INTO "imported" VALUES(1,1,1,1767758400000,65825342,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported" VALUES(2,1,1,1768118400000,65835342,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported" VALUES(3,1,1,1768467600000,65845042,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported" VALUES(4,1,1,1768471200000,65845142,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported" VALUES(5,1,1,1768474800000,65845242,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE imported_moves (
    number INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    began INTEGER NOT NULL,
    last INTEGER NOT NULL,
    ended INTEGER NOT NULL,
    unplaced TEXT NOT NULL,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER
);
CREATE TABLE imported_steps (
    number INTEGER PRIMARY KEY,
    meter INTEGER NOT NULL,
    level INTEGER NOT NULL,
    start INTEGER NOT NULL,
    alone INTEGER NOT NULL,
    energy_from INTEGER NOT NULL,
    energy_to INTEGER NOT NULL,
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER
);
INSERT INTO "imported_steps" VALUES(1,1,900000,1768466700000,1,1768118400000,1768467600000,9700,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(2,1,3600000,1768464000000,1,1768118400000,1768467600000,9700,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(3,1,900000,1768470300000,1,1768467600000,1768471200000,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(4,1,900000,1768473900000,1,1768471200000,1768474800000,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(5,1,3600000,1768467600000,0,1768467600000,1768471200000,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(6,1,900000,1768476600000,1,1768474800000,1768477500000,88,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(7,1,3600000,1768471200000,0,1768471200000,1768474800000,100,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "imported_steps" VALUES(8,1,3600000,1768474800000,0,1768474800000,1768477500000,88,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE imported_swaps (
    import INTEGER NOT NULL REFERENCES imports,
    meter INTEGER NOT NULL,
    at INTEGER NOT NULL,                -- first reading of the new meter, or before it
    PRIMARY KEY (import, at)
) WITHOUT ROWID;
INSERT INTO "imported_swaps" VALUES(1,1,1767873600000);
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
INSERT INTO "imports" VALUES(1,1,1768479100000,'csv','old.csv',5,1767758400000,1768474800000);
CREATE TABLE layouts (
    layout INTEGER PRIMARY KEY,
    keys TEXT NOT NULL UNIQUE
);
INSERT INTO "layouts" VALUES(1,'active_power_import voltage_l1');
CREATE TABLE log_marks (
    meter TEXT NOT NULL,
    log TEXT NOT NULL,                  -- event, outage
    serial TEXT NOT NULL,               -- of the meter itself
    mark TEXT NOT NULL,
    PRIMARY KEY (meter, log)
) WITHOUT ROWID;
INSERT INTO "log_marks" VALUES('house','event','83334','BT74:71:9ae1c07f');
CREATE TABLE meters (
    meter INTEGER PRIMARY KEY,          -- small number that stands for the meter in all other tables
    id TEXT NOT NULL UNIQUE             -- its name in the configuration
);
INSERT INTO "meters" VALUES(1,'house');
CREATE TABLE minute_rollups (
    at INTEGER PRIMARY KEY,             -- start of the bucket (ms) * 65536 + meter
    meter INTEGER AS (at & 65535) VIRTUAL,
    start INTEGER AS (at >> 16) VIRTUAL,
    samples INTEGER NOT NULL,           -- present samples in it
    energy_from INTEGER,                -- the energies were counted from the reading at this time (ms) ...
    energy_to INTEGER,                  -- ... to the reading at this time
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    active_power_import_avg INTEGER, active_power_import_min INTEGER, active_power_import_max INTEGER,
    active_power_export_avg INTEGER, active_power_export_min INTEGER, active_power_export_max INTEGER,
    reactive_power_import_avg INTEGER, reactive_power_import_min INTEGER, reactive_power_import_max INTEGER,
    reactive_power_export_avg INTEGER, reactive_power_export_min INTEGER, reactive_power_export_max INTEGER,
    apparent_power_avg INTEGER, apparent_power_min INTEGER, apparent_power_max INTEGER,
    voltage_l1_avg INTEGER, voltage_l1_min INTEGER, voltage_l1_max INTEGER,
    voltage_l2_avg INTEGER, voltage_l2_min INTEGER, voltage_l2_max INTEGER,
    voltage_l3_avg INTEGER, voltage_l3_min INTEGER, voltage_l3_max INTEGER,
    current_l1_avg INTEGER, current_l1_min INTEGER, current_l1_max INTEGER,
    current_l2_avg INTEGER, current_l2_min INTEGER, current_l2_max INTEGER,
    current_l3_avg INTEGER, current_l3_min INTEGER, current_l3_max INTEGER,
    active_power_import_l1_avg INTEGER, active_power_import_l1_min INTEGER, active_power_import_l1_max INTEGER,
    active_power_import_l2_avg INTEGER, active_power_import_l2_min INTEGER, active_power_import_l2_max INTEGER,
    active_power_import_l3_avg INTEGER, active_power_import_l3_min INTEGER, active_power_import_l3_max INTEGER,
    active_power_export_l1_avg INTEGER, active_power_export_l1_min INTEGER, active_power_export_l1_max INTEGER,
    active_power_export_l2_avg INTEGER, active_power_export_l2_min INTEGER, active_power_export_l2_max INTEGER,
    active_power_export_l3_avg INTEGER, active_power_export_l3_min INTEGER, active_power_export_l3_max INTEGER,
    power_factor_l1_avg INTEGER, power_factor_l1_min INTEGER, power_factor_l1_max INTEGER,
    power_factor_l2_avg INTEGER, power_factor_l2_min INTEGER, power_factor_l2_max INTEGER,
    power_factor_l3_avg INTEGER, power_factor_l3_min INTEGER, power_factor_l3_max INTEGER,
    frequency_avg INTEGER, frequency_min INTEGER, frequency_max INTEGER
);
INSERT INTO "minute_rollups" VALUES(115899000422400001,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,432,432,432,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899004354560001,1,1768478400000,1768478500000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,433,433,433,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899012218880001,1,1768478500000,1768478600000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,434,434,434,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899016151040001,0,1768478600000,1768478700000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899020083200001,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,435,435,435,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899024015360001,1,1768478700000,1768478800000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,436,436,436,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899031879680001,1,1768478800000,1768478900000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,437,437,437,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899035811840001,0,1768478900000,1768479000000,10,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "minute_rollups" VALUES(115899039744000001,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,438,438,438,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,228693,228693,228693,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE outboxes (
    outbox INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    position INTEGER NOT NULL           -- seq of the last reading delivered
);
INSERT INTO "outboxes" VALUES(1,'mqtt localhost',0);
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
CREATE TABLE profile_marks (
    meter INTEGER PRIMARY KEY,
    mark TEXT NOT NULL
);
INSERT INTO "profile_marks" VALUES(1,'{}');
CREATE TABLE quarter_rollups (
    at INTEGER PRIMARY KEY,             -- start of the bucket (ms) * 65536 + meter
    meter INTEGER AS (at & 65535) VIRTUAL,
    start INTEGER AS (at >> 16) VIRTUAL,
    samples INTEGER NOT NULL,           -- present samples in it
    energy_from INTEGER,                -- the energies were counted from the reading at this time (ms) ...
    energy_to INTEGER,                  -- ... to the reading at this time
    active_energy_import INTEGER,
    active_energy_export INTEGER,
    reactive_energy_import INTEGER,
    reactive_energy_export INTEGER,
    active_energy_import_t1 INTEGER,
    active_energy_export_t1 INTEGER,
    active_energy_import_t2 INTEGER,
    active_energy_export_t2 INTEGER,
    active_energy_import_t3 INTEGER,
    active_energy_export_t3 INTEGER,
    active_energy_import_t4 INTEGER,
    active_energy_export_t4 INTEGER,
    pulse_count_1 INTEGER,
    pulse_count_2 INTEGER,
    active_power_import_avg INTEGER, active_power_import_min INTEGER, active_power_import_max INTEGER,
    active_power_export_avg INTEGER, active_power_export_min INTEGER, active_power_export_max INTEGER,
    reactive_power_import_avg INTEGER, reactive_power_import_min INTEGER, reactive_power_import_max INTEGER,
    reactive_power_export_avg INTEGER, reactive_power_export_min INTEGER, reactive_power_export_max INTEGER,
    apparent_power_avg INTEGER, apparent_power_min INTEGER, apparent_power_max INTEGER,
    voltage_l1_avg INTEGER, voltage_l1_min INTEGER, voltage_l1_max INTEGER,
    voltage_l2_avg INTEGER, voltage_l2_min INTEGER, voltage_l2_max INTEGER,
    voltage_l3_avg INTEGER, voltage_l3_min INTEGER, voltage_l3_max INTEGER,
    current_l1_avg INTEGER, current_l1_min INTEGER, current_l1_max INTEGER,
    current_l2_avg INTEGER, current_l2_min INTEGER, current_l2_max INTEGER,
    current_l3_avg INTEGER, current_l3_min INTEGER, current_l3_max INTEGER,
    active_power_import_l1_avg INTEGER, active_power_import_l1_min INTEGER, active_power_import_l1_max INTEGER,
    active_power_import_l2_avg INTEGER, active_power_import_l2_min INTEGER, active_power_import_l2_max INTEGER,
    active_power_import_l3_avg INTEGER, active_power_import_l3_min INTEGER, active_power_import_l3_max INTEGER,
    active_power_export_l1_avg INTEGER, active_power_export_l1_min INTEGER, active_power_export_l1_max INTEGER,
    active_power_export_l2_avg INTEGER, active_power_export_l2_min INTEGER, active_power_export_l2_max INTEGER,
    active_power_export_l3_avg INTEGER, active_power_export_l3_min INTEGER, active_power_export_l3_max INTEGER,
    power_factor_l1_avg INTEGER, power_factor_l1_min INTEGER, power_factor_l1_max INTEGER,
    power_factor_l2_avg INTEGER, power_factor_l2_min INTEGER, power_factor_l2_max INTEGER,
    power_factor_l3_avg INTEGER, power_factor_l3_min INTEGER, power_factor_l3_max INTEGER,
    frequency_avg INTEGER, frequency_min INTEGER, frequency_max INTEGER
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
INSERT INTO "registers_a" VALUES(1,1,1768478400000,1,1768478400000,1,'{"reactive_energy_export_t7":5}',65845342,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(2,1,1768478500000,1,1768478500000,1,'{"reactive_energy_export_t7":5}',65845352,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(3,1,1768478600000,1,1768478600000,1,'{"reactive_energy_export_t7":5}',65845362,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(4,1,1768478700000,1,1768478700000,1,'{"reactive_energy_export_t7":5}',65845372,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(5,1,1768478800000,1,1768478800000,1,'{"reactive_energy_export_t7":5}',65845382,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(6,1,1768478900000,1,1768478900000,1,'{"reactive_energy_export_t7":5}',65845392,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "registers_a" VALUES(7,1,1768479000000,1,1768479000000,1,'{"reactive_energy_export_t7":5}',65845402,179,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
    firmware TEXT NOT NULL DEFAULT '', base TEXT,
    PRIMARY KEY (meter, segment)
) WITHOUT ROWID;
INSERT INTO "segments" VALUES(1,1,1768478400000,NULL,NULL,'83334','','','3.10.21',NULL);
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO "state" VALUES('built:day_rollups',1768435200000);
INSERT INTO "state" VALUES('built:hour_rollups',1768478400000);
INSERT INTO "state" VALUES('built:quarter_rollups',1768478400000);
INSERT INTO "state" VALUES('ran',600);
INSERT INTO "state" VALUES('rolled_block',7);
INSERT INTO "state" VALUES('rolled_seq',7);
INSERT INTO "state" VALUES('seq_reserved',1000000);
CREATE VIEW registers AS
SELECT * FROM registers_kept
UNION ALL SELECT * FROM registers_a
UNION ALL SELECT * FROM registers_b
UNION ALL SELECT * FROM registers_c;
CREATE VIEW present AS
SELECT * FROM present_a
UNION ALL SELECT * FROM present_b
UNION ALL SELECT * FROM present_c;
CREATE VIEW blocks AS
SELECT * FROM blocks_a
UNION ALL SELECT * FROM blocks_b
UNION ALL SELECT * FROM blocks_c;
CREATE UNIQUE INDEX filled_times ON filled (meter, received);
CREATE INDEX gap_times ON gaps (meter, ended);
CREATE UNIQUE INDEX happened_once ON happened (meter, identity);
CREATE INDEX happened_of ON happened (meter, number);
CREATE UNIQUE INDEX imported_times ON imported (meter, received);
CREATE INDEX imported_of ON imported (import);
CREATE INDEX imported_step_times ON imported_steps (meter, level, start);
CREATE INDEX imported_move_times ON imported_moves (meter, ended);
PRAGMA user_version = 6;
COMMIT;
