#!/usr/bin/env python3
"""What the scripts of bench/ compute and read; no timing."""
import importlib.machinery
import importlib.util
import pathlib
import sys
import tempfile
import unittest

BENCH = pathlib.Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
sys.dont_write_bytecode = True
import common  # noqa: E402
import drawing  # noqa: E402
import running  # noqa: E402


def script(name):
    loader = importlib.machinery.SourceFileLoader(name, str(BENCH / name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


compare, growth, report = script("compare"), script("growth"), script("report")


def side(seconds, **more):
    return {"per_unit_s": seconds, "unit": "step", "flops": 1e6, "peak_bytes": 300, "minimum_bytes": 200, "persistent_bytes": 600,
            "workspace_bytes": 100, "resident_bytes": 5000, **more}


def one_round(ours, peer, limit, **more):
    return {"ours": side(ours), "peer": {"per_unit_s": peer, "layout": "torch 1, BLAS 1"},
            "limit": {"per_unit_s": limit, "flops": 2e6}, **more}


class Judging(unittest.TestCase):
    def test_quotients_are_of_one_round(self):
        row = compare.judge("w", [one_round(1.0, 2.0, 1.0), one_round(10.0, 40.0, 10.0), one_round(2.0, 2.0, 3.0)])
        self.assertEqual(row["ratio"], {"median": 2.0, "min": 1.0, "max": 4.0})
        self.assertEqual(row["of_limit"], {"median": 0.5, "min": 0.5, "max": 0.75})

    def test_memory_is_the_program_over_the_least_that_it_needs(self):
        self.assertEqual(compare.judge("w", [one_round(1.0, 2.0, 1.0)])["memory"], 1000 / 800)

    def test_a_product_is_told_in_gradients(self):
        row = compare.judge("hvp", [one_round(3.0, 6.0, 1.0, gradient=side(1.5, peak_bytes=50))])
        self.assertEqual(row["gradients"]["time"]["median"], 2.0)
        self.assertEqual(row["gradients"]["memory"], 1000 / 750)
        self.assertIn("2.00 gradients", compare.gradients(row))

    def test_a_line_names_what_it_misses(self):
        row = compare.judge("w", [one_round(1.0, 2.0, 1.0)])
        self.assertTrue(compare.line(row, {"ratio": 3.0, "of_limit": 0.9, "one_core": False}).endswith("ratio, limit"))
        self.assertTrue(compare.line(row, {"ratio": 2.0, "of_limit": None, "one_core": False}).endswith("-"))
        self.assertTrue(compare.line(row, None).endswith("-"))

    def test_observing_is_a_share_of_a_step(self):
        self.assertAlmostEqual(running.share(
            {"seconds": 2.0, "updates": 0.8, "instruments": {"loss": 0.02, "norms": 0.04}, "store": 0.05},
            {"seconds": 1.5, "updates": 0.9, "instruments": {}, "store": 0.04}), 0.1)


class Targets(unittest.TestCase):
    def test_every_workload_of_the_peer_has_one(self):
        named = {line.split(",")[1].strip(" )\n") for line in (BENCH / "workloads" / "workloads.def").read_text().splitlines()
                 if line.startswith("ORR_WORKLOAD(")}
        self.assertEqual(set(common.targets()), named - set(compare.LIMITS))

    def test_only_one_is_measured_against_one_core(self):
        self.assertEqual([name for name, t in common.targets().items() if t["one_core"]], ["tiny_net"])


def history(version, ratio, low, high, **more):
    return {"date": "2026-01-02", "version": version, "processor": "P", "cores": 2, "threads": 2, "workload": "w", "ratio": ratio,
            "ratio_min": low, "ratio_max": high, "of_limit": "", "memory": "", **more}


class History(unittest.TestCase):
    def test_what_is_appended_is_read_back(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "history.csv"
            self.assertEqual(common.read_history(path), [])
            head = {"version": "v1", "processor": "a, b", "cores": 2, "threads": 2}
            row = compare.judge("w", [one_round(1.0, 2.0, 1.0)])
            common.append_history(common.history_rows(head, [row]), path)
            common.append_history(common.history_rows({**head, "version": "v2"}, [row]), path)
            got = common.read_history(path)
            self.assertEqual([r["version"] for r in got], ["v1", "v2"])
            self.assertEqual((got[0]["processor"], got[0]["ratio"], got[0]["of_limit"], got[0]["memory"]), ("a, b", "2", "0.500", "1.250"))

    def test_ranges_that_touch_are_no_regression(self):
        past = [history("v1", "2", "1.9", "2.1")]
        self.assertEqual(list(common.regressions(past, [history("v2", "1.8", "1.7", "1.95")])), [])
        self.assertIn("v1", next(iter(common.regressions(past, [history("v2", "1.8", "1.7", "1.85")]))))

    def test_only_the_last_row_of_the_same_kind_of_machine_counts(self):
        slower = [history("v4", "1.8", "1.7", "1.85")]
        past = [history("v1", "9", "9", "9"), history("v2", "1.8", "1.7", "1.9"), history("v3", "9", "9", "9", processor="Q"),
                history("v3", "9", "9", "9", threads=1)]
        self.assertEqual(list(common.regressions(past, slower)), [])

    def test_the_committed_history_has_the_fields(self):
        for row in common.read_history():
            self.assertEqual(tuple(row), common.FIELDS)


def law(exponent, xs, factor=1e-6):
    return [{"x": x, "seconds": factor * x**exponent, "resident_bytes": 2**25} for x in xs]


class Growth(unittest.TestCase):
    def test_a_power_law_has_its_exponent_and_is_left_nowhere(self):
        got = growth.fit(law(2, (64, 128, 256, 512)), 2)
        self.assertAlmostEqual(got["exponent"], 2)
        self.assertAlmostEqual(got["factor"], 1e-6)
        self.assertEqual(got["leaves"], [])

    def test_a_fixed_cost_bends_the_lower_end(self):
        points = law(2, (64, 128, 256, 512, 1024, 2048, 4096, 8192))
        for p in points:
            p["seconds"] += 0.05 * 1e-6 * 1024**2
        got = growth.fit(points, 2)
        self.assertAlmostEqual(got["exponent"], 2, delta=0.05)
        self.assertEqual(got["leaves"], [64, 128, 256, 512])

    def test_the_upper_half_is_three_points_at_least(self):
        self.assertEqual([len(growth.upper(list(range(n)))) for n in (3, 4, 5, 7, 8)], [3, 3, 3, 3, 4])

    def test_what_drowns_in_the_noise_is_no_point(self):
        points = law(1, (1, 2, 4))
        points[0]["seconds"] = -1e-3
        self.assertIsNone(growth.fit(points, 1))

    def test_every_axis_is_an_experiment(self):
        for axis in growth.axes(64):
            for x in axis.values:
                text = axis.experiment(x, 2)
                self.assertIn("widths: [", text)
                self.assertIn("steps: 2\n", text)
                self.assertEqual("at: [0, 1, 2]" in text, axis.observer is not None)
                self.assertNotIn("%", text)
        self.assertIn("memory: 64", next(a for a in growth.axes(64) if a.name == "NTK Gram").experiment(500, 0))

    def points(self, took, rounds=2, **more):
        """Of an axis whose runs take took(x, steps, how many runs of theirs came before)."""
        class Runner(growth.Runner):
            before = {}

            def run(self, axis, x, steps):
                self.before[x, steps] = self.before.get((x, steps), -1) + 1
                return took(x, steps, self.before[x, steps]), 1000 * x + steps
        axis = growth.Axis("some", "x", (1, 2), 1, lambda x: {}, "", **more)
        return {p["x"]: (p["seconds"], p["resident_bytes"]) for p in Runner("orrery", 1, 1.0, rounds).points(axis, axis.values)}

    def test_a_step_is_the_mean_of_many_in_the_fastest_run(self):
        got = self.points(lambda x, steps, before: steps * x * (0.01 if before == 1 else 0.02))
        for x in (1, 2):
            self.assertAlmostEqual(got[x][0], 0.01 * x)
            self.assertGreaterEqual(got[x][1] - 1000 * x, 1.0 / (0.02 * x))

    def test_a_measurement_is_the_first_or_later_ones(self):
        took = lambda x, steps, before: 0.5 + 2.0 * x * (1 + steps) + before  # noqa: E731
        self.assertEqual(self.points(took, observer=str), {1: (2.5, 1000), 2: (4.5, 2000)})
        self.assertEqual(self.points(took, observer=str, later=2), {1: (2.0, 1002), 2: (4.0, 2002)})

    def test_a_sharpness_network_has_about_so_many_parameters(self):
        for wanted in (10000, 1000000):
            w = growth.sharpness_width(wanted)
            self.assertAlmostEqual((64 * w + w + w * w + w + 10 * w + 10) / wanted, 1, delta=0.05)


class Page(unittest.TestCase):
    def page(self):
        row = compare.judge("hvp", [one_round(1.0, 2.0, 1.0, gradient=side(0.5))])
        row["target"] = {"ratio": 3.0, "of_limit": 0.4, "one_core": False}
        head = {"processor": "a <fast> one", "cores": 2, "threads": 2, "version": "v1", "copy_bytes_per_s": 1e10, "workloads": [row]}
        curves = [{"name": "step, width", "x_name": "width", "expected": 2, "why": "w^2", "points": law(2, (1, 10, 100)),
                   "fit": growth.fit(law(2, (1, 10, 100)), 2)}]
        return report.page(head, {"memory_mib": 64, "curves": curves}, {"compiler": "cc & co"})

    def test_it_stands_alone_and_escapes_what_it_is_given(self):
        page = self.page()
        self.assertIn("a &lt;fast&gt; one", page)
        self.assertIn("cc &amp; co", page)
        self.assertNotIn("http", page)
        self.assertNotIn("<script", page)

    def test_only_what_misses_its_target_is_marked(self):
        page = self.page()
        self.assertIn("<td class=behind>2.00", page)
        self.assertNotIn("class=behind>50", page)
        self.assertIn("2.00 (2.00 to 2.00) gradient steps", page)

    def test_every_point_is_drawn(self):
        self.assertEqual(self.page().count("<circle"), 3)

    def test_ticks_lie_within(self):
        for low, high in ((3.0, 5.0), (1.0, 1e6), (0.02, 0.9)):
            self.assertTrue(all(low <= t <= high for t in drawing.ticks(low, high)))


if __name__ == "__main__":
    unittest.main()
