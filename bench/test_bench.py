"""What the benchmark reads and concludes. Run: python3 -B -m unittest discover -s bench -p 'test_*.py'"""

import importlib.machinery
import importlib.util
import unittest
from pathlib import Path

import report
from database import Spent
from load import Figure, read_pgbench, read_wrk
from settings import Unusable

PGBENCH = """transaction type: sale.sql
number of transactions actually processed: 1200
number of failed transactions: 3 (0.250%)
latency average = 2.1 ms
tps = 399.500000 (without initial connection time)
"""
WRK = """Running 3s test
RESULT {"requests": 300, "duration_us": 2000000, "p50_us": 1500, "p99_us": 9000, "refused": 2, "broken": 1}
"""


def the_run():
    """The script `run`, which has no suffix, as a module."""
    path = str(Path(__file__).with_name("run"))
    spec = importlib.util.spec_from_loader("run", importlib.machinery.SourceFileLoader("run", path))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Readings(unittest.TestCase):
    def test_wrk_counts_refused_answers_apart(self):
        figure = read_wrk(WRK)
        self.assertEqual((figure.requests, figure.per_second, figure.errors), (298, 150.0, 3))
        self.assertEqual((figure.p50_ms, figure.p99_ms), (1.5, 9.0))

    def test_pgbench_gives_transactions_and_failures(self):
        figure = read_pgbench(PGBENCH)
        self.assertEqual((figure.requests, figure.per_second, figure.errors), (1200, 399.5, 3))

    def test_a_load_generator_without_a_result_is_no_figure(self):
        for read in (read_wrk, read_pgbench):
            with self.assertRaises(Unusable):
                read("connection refused")


class Tables(unittest.TestCase):
    def rounds(self, errors=0):
        """Three rounds on a machine that gets slower; the ratio stays at 2."""
        return [
            {
                **{("wrk", s, 16): self.figure(2 * speed, errors) for s in ("sale", "product", "page")},
                **{
                    ("pgbench", s, 16): self.figure(speed)
                    for s in ("sale_statements", "sale_one_statement", "product", "page")
                },
            }
            for speed in (1000, 500, 100)
        ]

    @staticmethod
    def figure(speed, errors=0):
        return Figure(100, speed, errors, p50_ms=1.0, p99_ms=2.0, spent=Spent(0.01, 0.02, 3000))

    def test_the_ratio_is_taken_within_a_round(self):
        first = report.speed(self.rounds(), [16]).splitlines()[2]
        self.assertIn("| 16 | 1,000 | 1.0 | 2.0 | statement by statement | 500 |", first)
        self.assertIn("**2.00** (2.00–2.00)", first)

    def test_a_figure_with_errors_is_no_figure(self):
        table = report.speed(self.rounds(errors=1), [16])
        self.assertIn("no figure: 3 errors", table)
        self.assertNotIn("2.00", table)

    def test_costs_are_per_request(self):
        self.assertIn("| 16 | 100 | 200 | 30 |", report.cost(self.rounds(), [16]))

    def test_two_programs_are_compared_within_a_round(self):
        rounds = [
            {("before", 16): self.figure(speed), ("after", 16): self.figure(speed * 0.9)}
            for speed in (1000, 500, 100)
        ]
        table = report.compared(rounds, [16])
        self.assertIn("| 16 | 500 | 450 | **0.900** (0.900–0.900) | 2.0 → 2.0 | 100 → 100 | 200 → 200 |", table)
        rounds[1]["after", 16] = self.figure(900, errors=2)
        self.assertIn("| 16 | no figure: 2 errors |", report.compared(rounds, [16]))


class Truth(unittest.TestCase):
    class Database:
        """Answers what it was given, one after the other."""

        def __init__(self, *answers):
            self.answers = list(answers)

        def ask(self, _):
            return self.answers.pop(0)

        def facts(self, _):
            return self.answers.pop(0)

    def test_every_answer_needs_a_sale_and_every_sale_a_request(self):
        for recorded, right in ((99, False), (100, True), (116, True), (117, False)):
            sales = the_run().Recorded(self.Database(1000, 1000 + recorded))
            sales.compare(Figure(requests=100, per_second=1.0), connections=16)
            self.assertEqual(not sales.mismatches, right, recorded)

    def test_a_violation_is_told_and_so_is_a_blind_check(self):
        untruths = the_run().untruths
        clean, damaged = {"sales": 9, "levels below zero": 0}, {"sales": 9, "levels below zero": 1}
        self.assertEqual(untruths(self.Database(clean, damaged)), [])
        self.assertEqual(untruths(self.Database(damaged, damaged)), ["1 levels below zero"])
        blind = untruths(self.Database(clean, clean))
        self.assertEqual(blind, ["the check for levels below zero cannot fail"])


if __name__ == "__main__":
    unittest.main()
