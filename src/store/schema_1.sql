-- Orrery's store, schema 1, as it was first made; schema_2.sql goes on from it.  docs/store.md says what each column
-- means and in which unit.

-- One row each time that an experiment is opened: the file's text and what ran it.
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

-- One row for each network trained: a point of the sweep with a seed.
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
CREATE INDEX runs_of_experiment ON runs (experiment_id);

-- What a law said before step 0.  sha256 is that of the bytes of text.
CREATE TABLE predictions (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment_id INTEGER NOT NULL REFERENCES experiments (id) ON DELETE CASCADE,
    law           TEXT NOT NULL,
    text          TEXT NOT NULL,
    sha256        TEXT NOT NULL CHECK (length(sha256) = 64),
    sealed_at     TEXT NOT NULL,
    UNIQUE (experiment_id, law)
);

-- What instruments recorded.  NULL stands for a value that is no number (NaN).
CREATE TABLE series (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    step   INTEGER NOT NULL,
    value  REAL,
    PRIMARY KEY (run_id, name, step)
) WITHOUT ROWID;

CREATE TABLE arrays (
    run_id INTEGER NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    name   TEXT NOT NULL,
    step   INTEGER NOT NULL,
    dtype  TEXT NOT NULL CHECK (dtype IN ('f32', 'f64', 'i32', 'bool')),
    shape  TEXT NOT NULL,
    data   BLOB NOT NULL,
    PRIMARY KEY (run_id, name, step)
);

-- Judgements.  rank 0 is the law's verdict; the others are its further checks.
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

-- The seal.  Experiment, runs and predictions enter in one transaction, which ends by setting sealed_at; from then on
-- nothing of them can be added or changed, and before then nothing can be recorded.
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
