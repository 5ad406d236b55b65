"""What `orrery run` costs around the kernels of a training: its start, its memory, its observing."""
import json
import os
import pathlib
import subprocess
import tempfile
import time

from common import json_lines, output, spread, stop

START_MS, OVERHEAD_MIB, OBSERVING = 50.0, 30.0, 0.03  # targets: at most

# gd_fullbatch of bench/workloads as an experiment
EXPERIMENT = """
name: observing
architecture: { kind: mlp, widths: [200, 200], activation: tanh }
data: { kind: gaussian, n: 1000, dimension: 784, outputs: 10 }
task: mse
rule: %s
steps: %d
observe: [ %s ]
keep_parameters: %s
"""
FULL_BATCH = "{ kind: gd, learning_rate: 0.01 }"
MINI_BATCH = "{ kind: sgd, learning_rate: 0.01, batch: 100 }"
LOSS = "{ kind: loss, every: 1 }"
NORMS = "{ kind: norms, every: 1 }"
SHARPNESS = "{ kind: sharpness, every: 1, steps: 4 }"


def start_ms(orrery, times=21):
    took = []
    for _ in range(times):
        began = time.perf_counter()
        output([orrery, "--version"])
        took.append(1e3 * (time.perf_counter() - began))
    return spread(took)


def run_text(orrery, threads, text):
    """One `orrery run` of an experiment: seconds, start to end, largest resident memory in bytes, and where it says that its time went."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "e.yaml"
        file.write_text(text)
        command = [str(orrery), "run", str(file), "--store", str(file.with_suffix(".db")), "--threads", str(threads), "--jobs", "1", "--json"]
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        told, said = child.stdout.read().decode(), child.stderr.read().decode()
        _, status, used = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            stop(f"{' '.join(command)}: exit code {child.returncode}\n{said.strip()}\n{text}", 3)
        return took, used.ru_maxrss * 1024, json.loads(told)["time"]


def run(orrery, threads, rule, steps, observers, keep_parameters=False):
    return run_text(orrery, threads, EXPERIMENT % (rule, steps, ", ".join(observers), str(keep_parameters).lower()))


def program_bytes(orrery):
    """Of the update's program, inputs and the data among them."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "e.yaml"
        file.write_text(EXPERIMENT % (FULL_BATCH, 1, "", "true"))
        return json.loads(output([orrery, "plan", file, "--json"]))[0]["memory_mib"] * 2**20


def share(time, idle):
    """Of a run's time, that of instruments and store over that of updates: both in one process, in the same seconds.  What the store
    takes to begin and to end any run isn't observing: it is that of an idle run, which observes nothing."""
    once = idle["store"] * idle["seconds"] / time["seconds"]
    return (sum(time["instruments"].values()) + time["store"] - once) / time["updates"]


def observing(orrery, threads, rule, steps, kinds, rounds):
    """{name: spread of shares} for each list of observers in `kinds`; each run beside an idle one."""
    def one(observers):
        idle = run(orrery, threads, rule, steps, [])[2]
        return share(run(orrery, threads, rule, steps, observers)[2], idle)
    return {name: spread([one(observers) for _ in range(rounds)]) for name, observers in kinds.items()}


def observing_apart(orrery, threads, rule, steps, observers, rounds):
    """What observing adds to a step by the clock of separate runs, as a share of it; with and without alternate, and a run's fixed
    cost drops out.  It has all that observing does to the updates in it, and whatever else the machine does meanwhile."""
    shares = []
    for k in range(rounds):
        took = {}
        order = [("empty", 0, []), ("plain", steps, []), ("observed", steps, observers)]
        for name, n, by in reversed(order) if k % 2 else order:
            took[name] = run(orrery, threads, rule, n, by)[0]
        shares.append((took["observed"] - took["plain"]) / (took["plain"] - took["empty"]))
    return spread(shares)


def measure(orrery, threads, seconds, rounds):
    """All of them as one dictionary."""
    step = json_lines([orrery, "bench", "gd_fullbatch", "--threads", threads, "--seconds", min(0.5, seconds), "--json"])[0]["per_unit_s"]
    steps = max(20, int(2 * seconds / step))
    together = [LOSS, NORMS, SHARPNESS]
    few = max(5, steps // 20)  # sharpness costs many steps
    return {
        "start_ms": start_ms(orrery),
        "overhead_mib": (run(orrery, threads, FULL_BATCH, 10, [], keep_parameters=True)[1] - program_bytes(orrery)) / 2**20,
        "observing": observing(orrery, threads, FULL_BATCH, steps, {"loss, norms, update size": [LOSS, NORMS]}, rounds),
        "observing_apart": observing_apart(orrery, threads, FULL_BATCH, steps, [LOSS, NORMS], rounds),
        "sharing": {**observing(orrery, threads, MINI_BATCH, steps,
                                {"loss": [LOSS], "norms": [NORMS], "loss and norms": [LOSS, NORMS]}, rounds),
                    **observing(orrery, threads, MINI_BATCH, few,
                                {"sharpness": [SHARPNESS], "loss, norms, sharpness": together}, rounds)},
    }


def sentences(m):
    s, o, apart = m["start_ms"], m["observing"]["loss, norms, update size"], m["observing_apart"]
    yield f"start: {s['median']:.0f} ms, {s['min']:.0f} to {s['max']:.0f} (at most {START_MS:.0f})"
    yield f"a run's memory over its program: {m['overhead_mib']:.0f} MiB resident (under {OVERHEAD_MIB:.0f})"
    yield (f"loss, norms and update size at every step: {100 * o['median']:.1f} % of a step, {100 * o['min']:.1f} to "
           f"{100 * o['max']:.1f} (under {100 * OBSERVING:.0f}); by the clock of separate runs {100 * apart['median']:.1f}, "
           f"{100 * apart['min']:.1f} to {100 * apart['max']:.1f}")
    yield "with batches of 100, at every step, in units of a step: " + ", ".join(
        f"{name} {x['median']:.2f}" for name, x in m["sharing"].items())
