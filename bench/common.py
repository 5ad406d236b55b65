"""What the scripts of bench/ share: running programs, the machine, targets, the history."""
import csv
import datetime
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

BENCH = pathlib.Path(__file__).resolve().parent
ROOT = BENCH.parent
HISTORY = BENCH / "history.csv"
MEMORY_TARGET = 1.3  # program over the least that one alive at a time allows


def stop(message, code):
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(code)


def warn(message):
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr, flush=True)


def output(command, **environment):
    """What a command prints; ends this program where it fails."""
    command = [str(word) for word in command]
    try:
        done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **environment})
    except OSError as error:
        stop(f"{command[0]}: {error.strerror}", 3)
    if done.returncode:
        stop(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr.strip()}", 3)
    return done.stdout


def json_lines(command):
    return [json.loads(line) for line in output(command).splitlines() if line.startswith("{")]


def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


# ---- where it runs ---------------------------------------------------------------------------------------------------


def processor():
    try:
        text = pathlib.Path("/proc/cpuinfo").read_text()
        return next(row.split(":", 1)[1].strip() for row in text.splitlines() if row.startswith("model name"))
    except (OSError, StopIteration):
        return "unknown"


def git_version():
    try:
        done = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def machine():
    return {"processor": processor(), "cores": os.cpu_count()}


def add_arguments(parser, peer=False):
    """--orrery, --threads, and --peer where PyTorch takes part."""
    parser.add_argument("--threads", type=int, default=min(2, os.cpu_count() or 1), help="default 2")
    parser.add_argument("--orrery", type=pathlib.Path, help="default $ORRERY, else build/src/cli/orrery",
                        default=os.environ.get("ORRERY") or ROOT / "build" / "src" / "cli" / "orrery")
    if peer:
        parser.add_argument("--peer", type=pathlib.Path, help="default $ORRERY_PEER, else ../shared/bench/peer_torch.py",
                            default=os.environ.get("ORRERY_PEER") or ROOT.parent / "shared" / "bench" / "peer_torch.py")


def check_programs(options):
    for what in ("orrery", "peer"):
        path = getattr(options, what, None)
        if path and not os.access(path, os.X_OK):
            stop(f"{path} is no program; build it, or name another with --{what}", 2)
    options.orrery = pathlib.Path(options.orrery).resolve()


# ---- targets ---------------------------------------------------------------------------------------------------------


def targets(path=BENCH / "targets.csv"):
    """{workload: {"ratio", "of_limit" or None, "one_core": the limit is that of one core}}"""
    with open(path, newline="") as file:
        return {row["workload"]: {"ratio": float(row["ratio"]),
                                  "of_limit": float(row["of_limit"]) if row["of_limit"] else None,
                                  "one_core": row["limit_threads"] == "one"} for row in csv.DictReader(file)}


def misses(row, target):
    """Which targets a measured row stays behind of; nothing where there is no target or no figure."""
    behind = []
    if target and row["ratio"]["median"] < target["ratio"]:
        behind.append("ratio")
    if target and target["of_limit"] and row.get("of_limit") and row["of_limit"]["median"] < target["of_limit"]:
        behind.append("limit")
    if row.get("memory") and row["memory"] > MEMORY_TARGET:
        behind.append("memory")
    return behind


# ---- history ---------------------------------------------------------------------------------------------------------

FIELDS = ("date", "version", "processor", "cores", "threads", "workload", "ratio", "ratio_min", "ratio_max", "of_limit", "memory")


def history_rows(head, rows):
    """One row of history.csv for each measured workload."""
    today = datetime.date.today().isoformat()
    for row in rows:
        limit = row.get("of_limit")
        yield {"date": today, "version": head["version"], "processor": head["processor"], "cores": head["cores"],
               "threads": head["threads"], "workload": row["name"], "ratio": f"{row['ratio']['median']:.4g}",
               "ratio_min": f"{row['ratio']['min']:.4g}", "ratio_max": f"{row['ratio']['max']:.4g}",
               "of_limit": f"{limit['median']:.3f}" if limit else "", "memory": f"{row['memory']:.3f}" if row.get("memory") else ""}


def read_history(path=HISTORY):
    if not path.exists():
        return []
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def append_history(rows, path=HISTORY):
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if new:
            writer.writeheader()
        writer.writerows(rows)


def same_kind(a, b):
    return all(str(a[field]) == str(b[field]) for field in ("processor", "cores", "threads", "workload"))


def regressions(past, rows):
    """Sentences on workloads that are slower than the last row of the same kind of machine: the ranges of both don't touch."""
    for row in rows:
        before = next((old for old in reversed(past) if same_kind(old, row)), None)
        if before and float(row["ratio_max"]) < float(before["ratio_min"]):
            yield (f"{row['workload']}: {row['ratio']} times faster ({row['ratio_min']} to {row['ratio_max']}); it was "
                   f"{before['ratio']} ({before['ratio_min']} to {before['ratio_max']}) at {before['version']}, {before['date']}")


# ---- versions --------------------------------------------------------------------------------------------------------


def versions(orrery, version):
    """What the figures depend on besides the machine; `version` of Orrery's sources is that which was measured."""
    def first(command):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
        except OSError:
            return "not found"
        return done.stdout.splitlines()[0].strip() if done.returncode == 0 and done.stdout.strip() else "not found"

    doctor = subprocess.run([str(orrery), "doctor"], capture_output=True, text=True).stdout
    blas = re.search(r"OpenBLAS\s+([0-9][\w.]*)", doctor)
    return {"Orrery": f"{version} ({first([orrery, '--version'])})", "compiler": first(["cc", "--version"]),
            "OpenBLAS": blas.group(1) if blas else first(["pkg-config", "--modversion", "openblas"]),
            "PyTorch": first(["/usr/bin/python3", "-c", "import torch; print(torch.__version__)"])}
