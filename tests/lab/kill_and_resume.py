#!/usr/bin/env python3
"""Kills runs at random moments, resumes them, and holds every recorded value and array against the uninterrupted run's, bit by bit.

usage: kill_and_resume.py ORRERY [KILLS] [SEED]     each kind of run is killed in turn, KILLS times in all"""
import os, random, signal, sqlite3, subprocess, sys, tempfile, time

KINDS = {
    "gd": """
name: gd
architecture: { kind: mlp, widths: [24, 24] }
data: { kind: gaussian, n: 200, n_test: 50 }
task: { kind: mse }
rule: { kind: gd, learning_rate: 0.05 }
steps: STEPS
observe: [ { kind: loss, every: 1 }, { kind: norms, every: 3 }, { kind: sharpness, every: 200 } ]
""",
    "adam-schedule": """
name: adam-schedule
architecture: { kind: mlp, widths: [32] }
data: { kind: gaussian, n: 200 }
task: { kind: mse }
rule: { kind: adam, learning_rate: 0.01, schedule: cosine, warmup: 100, batch: 32, clip: 1.0 }
steps: STEPS
observe: [ { kind: loss, per_decade: 20 } ]
""",
    "online-sgd": """
name: online-sgd
architecture: { kind: committee }
data: { kind: teacher, n: 200 }
task: { kind: mse }
rule: { kind: sgd, learning_rate: 0.05, batch: 4, sampling: online }
steps: STEPS
observe: [ { kind: loss, every: 50 } ]
""",
    "cnn": """
name: cnn
architecture: { kind: cnn, channels: [4, 8] }
data: { kind: gaussian, dimension: 64, n: 64 }
task: { kind: mse }
rule: { kind: sgd, learning_rate: 0.01, momentum: 0.9, batch: 16 }
steps: STEPS
observe: [ { kind: loss, every: 25 } ]
""",
    "ensemble-sweep": """
name: ensemble-sweep
architecture: { kind: mlp, widths: [4] }
data: { kind: gaussian, n: 40, dimension: 4, resample: true }
task: { kind: mse }
rule: { kind: adam, learning_rate: 0.01, batch: 4, sampling: replacement }
steps: STEPS
observe: [ { kind: loss, every: 50 }, { kind: sharpness, every: 500, steps: 8 } ]
seeds: 4
sweep: { grid: { rule.learning_rate: [0.01, 0.003], architecture.widths: [[4], [5]] } }
""",
}
TABLES = ("SELECT run_id, name, step, hex(value), value FROM series ORDER BY 1, 2, 3",
          "SELECT run_id, name, step, dtype, shape, data FROM arrays ORDER BY 1, 2, 3",
          "SELECT id, name, seed, settings, state, steps FROM runs ORDER BY 1")


def contents(store):
    with sqlite3.connect(store) as db:
        return [db.execute(text).fetchall() for text in TABLES]


def run(orrery, *words):
    start = time.monotonic()
    done = subprocess.run([orrery, *words], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.returncode}\n{done.stderr}")
    return time.monotonic() - start


def main():
    orrery, kills = os.path.abspath(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 6
    draw = random.Random(int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    landed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        whole, seconds = {}, {}
        for name, text in KINDS.items():
            steps = 1000  # as many as take about three seconds, so that checkpoints fall between kills
            for _ in range(4):
                open(name + ".yaml", "w").write(text.replace("STEPS", str(steps)))
                if os.path.exists(name + ".db"):
                    os.remove(name + ".db")
                seconds[name] = run(orrery, "run", name + ".yaml", "--store", name + ".db")
                if seconds[name] > 1.5:
                    break
                steps = int(steps * min(10.0, 3.0 / max(seconds[name], 0.1))) // 100 * 100
            whole[name] = contents(name + ".db")
        for i in range(kills):
            name = list(KINDS)[i % len(KINDS)]
            store = f"killed{i}.db"
            words = ["run", name + ".yaml", "--store", store, "--checkpoint", "1"]
            for _ in range(1 + i % 2):  # once, or once more while it resumes
                if kill(orrery, words, draw.uniform(0.02, max(0.05, seconds[name]))):
                    landed += 1
                if is_opened(store):
                    words = ["resume", "--store", store, "--checkpoint", "1"]
                # else it was killed before anything was sealed: nothing was recorded, nothing is lost
            run(orrery, *words)
            for table, (a, b) in enumerate(zip(whole[name], contents(store))):
                if a != b:
                    different = [(x, y) for x, y in zip(a, b) if x != y][:3]
                    sys.exit(f"{name}, kill {i}: {TABLES[table]}: {len(a)} rows against {len(b)}; {str(different)[:600]}")
            print(f"kill {i}: {name}: equal", flush=True)
    print(f"{landed} kills landed")


def kill(orrery, words, delay):
    """Kills a process after a delay; one that ended before is begun anew and given half as long, so that a kill lands on fast and on
    slow machines.  False where there is nothing left to kill: what is resumed may be at its end."""
    store = words[words.index("--store") + 1]
    while True:
        process = subprocess.Popen([orrery, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(delay)
        alive = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
        if alive:
            return True
        if words[0] == "resume":
            return False
        for end in ("", "-wal", "-shm"):
            if os.path.exists(store + end):
                os.remove(store + end)
        delay /= 2


def is_opened(store):
    if not os.path.exists(store):
        return False
    try:
        with sqlite3.connect(store) as db:
            return db.execute("SELECT count(*) FROM runs").fetchone()[0] > 0
    except sqlite3.OperationalError:
        return False


main()
