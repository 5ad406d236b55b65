#!/usr/bin/env python3
"""Writes schema_1_store.sql: a store as Orrery wrote it with schema 1, two experiments of which the second is sealed later,
three runs (finished, killed, diverged), their predictions, values and a verdict.  Run: schema_1_store.py SCHEMA_1.SQL"""
import hashlib
import pathlib
import sqlite3
import sys

here = pathlib.Path(__file__).parent
db = sqlite3.connect(":memory:", isolation_level=None)
db.executescript(pathlib.Path(sys.argv[1]).read_text())
for i, (name, text) in enumerate([("first", "name: first\n"), ("zweite \u00fc", "name: zweite\nnotes: it's quoted\n")], 1):
    opened = f"2025-03-0{i}T10:00:00.000000Z"
    db.execute("INSERT INTO experiments (name, size, text, version, machine, opened_at) VALUES (?, 'quick', ?, '0.1.0', 'a machine', ?)", (name, text, opened))
    for seed in range(2 if i == 1 else 1):
        db.execute("INSERT INTO runs (experiment_id, name, seed, settings) VALUES (?, 'gd', ?, '{\"steps\":10}')", (i, seed))
    prediction = '{"threshold":%d.0}' % (20 * i)
    db.execute("INSERT INTO predictions (experiment_id, law, text, sha256, sealed_at) VALUES (?, 'edge-of-stability', ?, ?, ?)",
               (i, prediction, hashlib.sha256(prediction.encode()).hexdigest(), opened))
    db.execute("UPDATE experiments SET sealed_at = ? WHERE id = ?", (opened, i))
for run, state in [(1, "finished"), (2, "running"), (3, "diverged")]:
    db.execute("UPDATE runs SET state = ?, steps = 3, started_at = '2025-03-01T10:00:01.000000Z' WHERE id = ?", (state, run))
    db.executemany("INSERT INTO series VALUES (?, 'loss', ?, ?)", [(run, step, 0.1 * step if step < 2 else None) for step in range(3)])
db.execute("INSERT INTO verdicts (experiment_id, law, rank, metric, verdict, value, seeds, note, judged_at) VALUES (1, 'edge-of-stability', 0, 'r', 'HOLDS', 1.04, '[0,1]', '', '2025-03-01T10:00:02.000000Z')")
lines = ["PRAGMA application_id = 0x4f727279;", "PRAGMA user_version = 1;", *db.iterdump()]
(here / "schema_1_store.sql").write_text("\n".join(lines) + "\n")
