-- From schema 1 to schema 2: checkpoints, the chain of seals, and what may be taken back of a run that goes on.

-- The state from which a run can be resumed; one for each run, replaced by the next.
CREATE TABLE checkpoints (
    run_id   INTEGER PRIMARY KEY REFERENCES runs (id) ON DELETE CASCADE,
    step     INTEGER NOT NULL,
    data     BLOB NOT NULL,
    saved_at TEXT NOT NULL
);

-- The seal hashes the experiment with the seal before it (docs/store.md says how); what is deleted leaves its link here.
ALTER TABLE experiments ADD COLUMN seal TEXT CHECK (seal IS NULL OR length(seal) = 64);

CREATE TABLE deletions (
    experiment_id INTEGER PRIMARY KEY,
    seal          TEXT NOT NULL CHECK (length(seal) = 64),
    deleted_at    TEXT NOT NULL
);

DROP TRIGGER experiment_is_sealed;
CREATE TRIGGER experiment_is_sealed BEFORE UPDATE ON experiments WHEN OLD.seal IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'sealed: this experiment was opened and can''t be changed'); END;

CREATE TRIGGER experiment_is_sealed_with_its_hash BEFORE UPDATE ON experiments
WHEN OLD.seal IS NULL AND NEW.sealed_at IS NOT NULL AND NEW.seal IS NULL
BEGIN SELECT RAISE(ABORT, 'an experiment is sealed with its hash'); END;

CREATE TRIGGER experiment_is_not_replaced BEFORE INSERT ON experiments
WHEN EXISTS (SELECT 1 FROM experiments WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'sealed: this experiment was opened and can''t be changed'); END;

CREATE TRIGGER deleted_experiments_leave_their_seal AFTER DELETE ON experiments WHEN OLD.seal IS NOT NULL
BEGIN INSERT INTO deletions VALUES (OLD.id, OLD.seal, strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')); END;

CREATE TRIGGER deletions_do_not_change BEFORE UPDATE ON deletions
BEGIN SELECT RAISE(ABORT, 'sealed: what was deleted stays on record'); END;

CREATE TRIGGER deletions_are_not_replaced BEFORE INSERT ON deletions
WHEN EXISTS (SELECT 1 FROM deletions WHERE experiment_id = NEW.experiment_id)
BEGIN SELECT RAISE(ABORT, 'sealed: what was deleted stays on record'); END;

CREATE TRIGGER deletions_stay BEFORE DELETE ON deletions
BEGIN SELECT RAISE(ABORT, 'sealed: what was deleted stays on record'); END;

CREATE TRIGGER runs_stay BEFORE DELETE ON runs
WHEN EXISTS (SELECT 1 FROM experiments WHERE id = OLD.experiment_id)
BEGIN SELECT RAISE(ABORT, 'sealed: a run goes only with its whole experiment'); END;

CREATE TRIGGER runs_are_not_replaced BEFORE INSERT ON runs WHEN EXISTS (SELECT 1 FROM runs WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'sealed: what a run was opened with can''t be changed'); END;

CREATE TRIGGER runs_that_are_finished_stay_so BEFORE UPDATE ON runs WHEN OLD.state IN ('finished', 'diverged')
BEGIN SELECT RAISE(ABORT, 'a finished run can''t be changed'); END;

-- A run that was stopped records again what came after its checkpoint, so that may go; what a finished run recorded, not.
CREATE TRIGGER series_stay BEFORE DELETE ON series
WHEN (SELECT state FROM runs WHERE id = OLD.run_id) IN ('finished', 'diverged')
BEGIN SELECT RAISE(ABORT, 'what a finished run recorded can''t be deleted'); END;

CREATE TRIGGER series_are_not_replaced BEFORE INSERT ON series
WHEN EXISTS (SELECT 1 FROM series WHERE run_id = NEW.run_id AND name = NEW.name AND step = NEW.step)
BEGIN SELECT RAISE(ABORT, 'a recorded value can''t be changed'); END;

CREATE TRIGGER arrays_stay BEFORE DELETE ON arrays
WHEN (SELECT state FROM runs WHERE id = OLD.run_id) IN ('finished', 'diverged')
BEGIN SELECT RAISE(ABORT, 'what a finished run recorded can''t be deleted'); END;

CREATE TRIGGER arrays_do_not_change BEFORE UPDATE ON arrays
BEGIN SELECT RAISE(ABORT, 'a recorded array can''t be changed'); END;

CREATE TRIGGER arrays_are_not_replaced BEFORE INSERT ON arrays
WHEN EXISTS (SELECT 1 FROM arrays WHERE run_id = NEW.run_id AND name = NEW.name AND step = NEW.step)
BEGIN SELECT RAISE(ABORT, 'a recorded array can''t be changed'); END;
