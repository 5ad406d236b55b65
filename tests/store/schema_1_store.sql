PRAGMA application_id = 0x4f727279;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE arrays (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    step   INTEGER NOT NULL,
    dtype  TEXT NOT NULL CHECK (dtype IN ('f32', 'f64', 'i32', 'bool')),
    shape  TEXT NOT NULL,
    data   BLOB NOT NULL,
    PRIMARY KEY (run_id, name, step)
);
CREATE TABLE experiments (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL,
    size      TEXT NOT NULL,
    text      TEXT NOT NULL,
    version   TEXT NOT NULL,
    machine   TEXT NOT NULL,
    opened_at TEXT NOT NULL,
    sealed_at TEXT
);
INSERT INTO "experiments" VALUES(1,'first','quick','name: first
','0.1.0','a machine','2025-03-01T10:00:00.000000Z','2025-03-01T10:00:00.000000Z');
INSERT INTO "experiments" VALUES(2,'zweite ü','quick','name: zweite
notes: it''s quoted
','0.1.0','a machine','2025-03-02T10:00:00.000000Z','2025-03-02T10:00:00.000000Z');
CREATE TABLE predictions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    law           TEXT NOT NULL,
    text          TEXT NOT NULL,
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    sealed_at     TEXT NOT NULL,
    UNIQUE (experiment_id, law)
);
INSERT INTO "predictions" VALUES(1,1,'edge-of-stability','{"threshold":20.0}','d815f194a6232c23152731dcd0a1b8236821fc2be9de006bbc8bdb5cc76bcefb','2025-03-01T10:00:00.000000Z');
INSERT INTO "predictions" VALUES(2,2,'edge-of-stability','{"threshold":40.0}','c99e21edd8c6f2836257ab203ae5860e32ea207a512cfe70a377959330f2be46','2025-03-02T10:00:00.000000Z');
CREATE TABLE runs (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    seed          INTEGER NOT NULL,
    settings      TEXT NOT NULL,
    state         TEXT NOT NULL DEFAULT 'open'
                  CHECK (state IN ('open', 'running', 'finished', 'diverged', 'interrupted')),
    steps         INTEGER NOT NULL DEFAULT 0,
    started_at    TEXT,
    finished_at   TEXT
);
INSERT INTO "runs" VALUES(1,1,'gd',0,'{"steps":10}','finished',3,'2025-03-01T10:00:01.000000Z',NULL);
INSERT INTO "runs" VALUES(2,1,'gd',1,'{"steps":10}','running',3,'2025-03-01T10:00:01.000000Z',NULL);
INSERT INTO "runs" VALUES(3,2,'gd',0,'{"steps":10}','diverged',3,'2025-03-01T10:00:01.000000Z',NULL);
CREATE TABLE series (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    step   INTEGER NOT NULL,
    value  REAL,
    PRIMARY KEY (run_id, name, step)
) WITHOUT ROWID;
INSERT INTO "series" VALUES(1,'loss',0,0.0);
INSERT INTO "series" VALUES(1,'loss',1,0.1);
INSERT INTO "series" VALUES(1,'loss',2,NULL);
INSERT INTO "series" VALUES(2,'loss',0,0.0);
INSERT INTO "series" VALUES(2,'loss',1,0.1);
INSERT INTO "series" VALUES(2,'loss',2,NULL);
INSERT INTO "series" VALUES(3,'loss',0,0.0);
INSERT INTO "series" VALUES(3,'loss',1,0.1);
INSERT INTO "series" VALUES(3,'loss',2,NULL);
CREATE TABLE verdicts (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id  INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    law            TEXT NOT NULL,
    rank           INTEGER NOT NULL,
    metric         TEXT NOT NULL,
    verdict        TEXT NOT NULL CHECK (verdict IN ('HOLDS', 'FAILS', 'OUT OF REGIME')),
    value          REAL,
    tolerance_low  REAL,
    tolerance_high REAL,
    interval_low   REAL,
    interval_high  REAL,
    seeds          TEXT NOT NULL,
    note           TEXT NOT NULL,
    judged_at      TEXT NOT NULL,
    UNIQUE (experiment_id, law, rank)
);
INSERT INTO "verdicts" VALUES(1,1,'edge-of-stability',0,'r','HOLDS',1.04,NULL,NULL,NULL,NULL,'[0,1]','','2025-03-01T10:00:02.000000Z');
CREATE INDEX runs_of_experiment ON runs (experiment_id);
CREATE TRIGGER experiment_is_sealed BEFORE UPDATE ON experiments WHEN OLD.sealed_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'sealed: this experiment was opened and can''t be changed'); END;
CREATE TRIGGER runs_are_sealed BEFORE INSERT ON runs
WHEN (SELECT sealed_at FROM experiments WHERE id = NEW.experiment_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'sealed: a run can''t join an experiment that was opened'); END;
CREATE TRIGGER runs_keep_their_settings BEFORE UPDATE OF experiment_id, name, seed, settings ON runs
BEGIN SELECT RAISE(ABORT, 'sealed: what a run was opened with can''t be changed'); END;
CREATE TRIGGER predictions_are_sealed BEFORE INSERT ON predictions
WHEN (SELECT sealed_at FROM experiments WHERE id = NEW.experiment_id) IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'sealed: predictions are written only in the transaction that opens the experiment'); END;
CREATE TRIGGER predictions_do_not_change BEFORE UPDATE ON predictions
BEGIN SELECT RAISE(ABORT, 'sealed: a prediction can''t be changed'); END;
CREATE TRIGGER predictions_stay BEFORE DELETE ON predictions
WHEN EXISTS (SELECT 1 FROM experiments WHERE id = OLD.experiment_id)
BEGIN SELECT RAISE(ABORT, 'sealed: a prediction goes only with its whole experiment'); END;
CREATE TRIGGER series_follow_the_seal BEFORE INSERT ON series
WHEN (SELECT sealed_at FROM experiments, runs WHERE runs.id = NEW.run_id AND experiments.id = experiment_id) IS NULL
BEGIN SELECT RAISE(ABORT, 'nothing is recorded before the experiment is sealed'); END;
CREATE TRIGGER series_do_not_change BEFORE UPDATE ON series
BEGIN SELECT RAISE(ABORT, 'a recorded value can''t be changed'); END;
CREATE TRIGGER arrays_follow_the_seal BEFORE INSERT ON arrays
WHEN (SELECT sealed_at FROM experiments, runs WHERE runs.id = NEW.run_id AND experiments.id = experiment_id) IS NULL
BEGIN SELECT RAISE(ABORT, 'nothing is recorded before the experiment is sealed'); END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('experiments',2);
INSERT INTO "sqlite_sequence" VALUES('runs',3);
INSERT INTO "sqlite_sequence" VALUES('predictions',2);
INSERT INTO "sqlite_sequence" VALUES('verdicts',1);
COMMIT;
