-- From schema 2 to schema 3: maps of regimes, so that a page can show one that was made before.

-- A law along an axis, as `orrery law map` measured it.  Its runs and their seals are experiments like any other.
CREATE TABLE maps (
    id         INTEGER PRIMARY KEY,
    law        TEXT NOT NULL,
    axis       TEXT NOT NULL, -- as --axis takes it
    size       TEXT NOT NULL, -- of the experiment that the axis changes
    experiment TEXT NOT NULL, -- its text, as in experiments but for the data's hash
    text       TEXT NOT NULL, -- JSON, as `orrery law map --json` prints it
    version    TEXT NOT NULL, -- of Orrery
    made_at    TEXT NOT NULL
);
CREATE INDEX maps_by_law ON maps (law);
