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
    """Seconds of one `orrery run` of an experiment, start to end, and its largest resident memory in bytes."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "e.yaml"
        file.write_text(text)
        command = [str(orrery), "run", str(file), "--store", str(file.with_suffix(".db")), "--threads", str(threads), "--jobs", "1"]
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = child.stderr.read().decode()
        _, status, used = os.wait4(child.pid, 0)
        took = time.perf_counter() - began
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            stop(f"{' '.join(command)}: exit code {child.returncode}\n{said.strip()}\n{text}", 3)
        return took, used.ru_maxrss * 1024


def run(orrery, threads, rule, steps, observers):
    return run_text(orrery, threads, EXPERIMENT % (rule, steps, ", ".join(observers)))


def program_bytes(orrery):
    """Of the update's program, inputs and the data among them."""
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "e.yaml"
        file.write_text(EXPERIMENT % (FULL_BATCH, 1, ""))
        return json.loads(output([orrery, "plan", file, "--json"]))[0]["memory_mib"] * 2**20


def share(observed, plain, empty):
    """What observing adds to a step, as a share of it; a run's fixed cost is in all three and drops out."""
    return (observed - plain) / (plain - empty)


def observing(orrery, threads, rule, steps, kinds, rounds):
    """{name: spread of shares} for each list of observers in `kinds`; with and without alternate."""
    shares = {name: [] for name in kinds}
    for k in range(rounds):
        took = {"empty": run(orrery, threads, rule, 0, [])[0]}
        order = ["plain", *kinds]
        for name in reversed(order) if k % 2 else order:
            took[name] = run(orrery, threads, rule, steps, kinds.get(name, []))[0]
        for name in kinds:
            shares[name].append(share(took[name], took["plain"], took["empty"]))
    return {name: spread(values) for name, values in shares.items()}


def measure(orrery, threads, seconds, rounds):
    """All of them as one dictionary."""
    step = json_lines([orrery, "bench", "gd_fullbatch", "--threads", threads, "--seconds", min(0.5, seconds), "--json"])[0]["per_unit_s"]
    steps = max(20, int(2 * seconds / step))
    together = [LOSS, NORMS, SHARPNESS]
    few = max(5, steps // 20)  # sharpness costs many steps
    return {
        "start_ms": start_ms(orrery),
        "overhead_mib": (run(orrery, threads, FULL_BATCH, 10, [])[1] - program_bytes(orrery)) / 2**20,
        "observing": observing(orrery, threads, FULL_BATCH, steps, {"loss, norms, update size": [LOSS, NORMS]}, rounds),
        "sharing": {**observing(orrery, threads, MINI_BATCH, steps,
                                {"loss": [LOSS], "norms": [NORMS], "loss and norms": [LOSS, NORMS]}, rounds),
                    **observing(orrery, threads, MINI_BATCH, few,
                                {"sharpness": [SHARPNESS], "loss, norms, sharpness": together}, rounds)},
    }


def sentences(m):
    s, o = m["start_ms"], m["observing"]["loss, norms, update size"]
    yield f"start: {s['median']:.0f} ms, {s['min']:.0f} to {s['max']:.0f} (at most {START_MS:.0f})"
    yield f"a run's memory over its program: {m['overhead_mib']:.0f} MiB resident (under {OVERHEAD_MIB:.0f})"
    yield (f"loss, norms and update size at every step: {100 * o['median']:.1f} % of a step, {100 * o['min']:.1f} to "
           f"{100 * o['max']:.1f} (under {100 * OBSERVING:.0f})")
    yield "with batches of 100, at every step, in units of a step: " + ", ".join(
        f"{name} {x['median']:.2f}" for name, x in m["sharing"].items())
