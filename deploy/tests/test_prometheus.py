"""What Prometheus is told: configurations and rules that it accepts, alerts that fire when they should
and not otherwise, and a runbook for each."""

import copy
import subprocess
import unittest

import yaml

import alerts
from compose import TOPOLOGIES, Model

CONFIGURATIONS = {"whole": "prometheus.yml", "split": "prometheus.split.yml"}


def promtool(*arguments):
    """Runs promtool beside the configuration; answers what it says, which fails when it complains."""
    done = subprocess.run(
        ["promtool", *arguments], cwd=alerts.PROMETHEUS, capture_output=True, text=True, timeout=1200
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "FAILED" not in said, said
    return said


def configuration(name):
    """A configuration, parsed."""
    return yaml.safe_load((alerts.PROMETHEUS / CONFIGURATIONS[name]).read_text())


class Prometheus(unittest.TestCase):
    """Facts about configuration and rules."""

    def test_promtool_accepts_every_configuration_and_rule(self):
        promtool("check", "config", *CONFIGURATIONS.values())
        promtool("check", "rules", *map(str, sorted(alerts.PROMETHEUS.glob("rules/*.yml"))))

    def test_the_topologies_differ_in_the_job_of_the_product_alone(self):
        whole, split = configuration("whole"), configuration("split")
        for config in (whole, split):
            [job] = [job for job in config["scrape_configs"] if job["job_name"] == "comptoir"]
            del job["dns_sd_configs"]
        self.assertEqual(whole, split)

    def test_every_service_is_found_by_its_name_at_its_internal_listener(self):
        for name in CONFIGURATIONS:
            model = Model(TOPOLOGIES[name])
            ours = {s for s, spec in model.services.items() if "build" in spec and not model.once(s)}
            jobs = {job["job_name"]: job for job in configuration(name)["scrape_configs"]}
            found = {sd["names"][0]: sd["port"] for sd in jobs["comptoir"]["dns_sd_configs"]}
            self.assertEqual(found, {service: model.ports(service)[0] + 1000 for service in ours})
            for service in [*found, "traefik", "node"]:
                shared = set(model.networks_of(service)) & set(model.networks_of("prometheus"))
                # A name on two common networks would be two addresses of one process.
                self.assertEqual(len(shared), 1, service)
            for job in ("traefik", "node"):
                [target] = jobs[job]["static_configs"][0]["targets"]
                self.assertEqual(target.split(":")[0], job)

    def test_the_container_gets_the_configuration_of_its_topology_and_the_rules(self):
        for name, files in TOPOLOGIES.items():
            mounts = Model(files).services["prometheus"]["volumes"]
            found = {m["target"]: m["source"].rpartition("/prometheus/")[2] for m in mounts if m["type"] == "bind"}
            self.assertEqual(found, {
                "/etc/prometheus/prometheus.yml": CONFIGURATIONS[name.split(",")[0]],
                "/etc/prometheus/rules": "rules",
            })

    def test_every_alert_fires_when_it_should_and_only_then(self):
        promtool("test", "rules", *map(str, sorted(alerts.PROMETHEUS.glob("tests/*.yml"))))

    def test_every_recorded_series_is_computed_in_a_test(self):
        asked = alerts.asked()
        for rule in alerts.rules():
            self.assertIn(rule.get("record", ""), asked)


class Runbooks(unittest.TestCase):
    """Alerts, runbooks and tests belong together; and what does not is reported."""

    def setUp(self):
        self.rules, self.pages = list(alerts.rules()), alerts.pages()
        self.expected, self.documented = alerts.expectations(), set(alerts.documented())

    def found(self):
        return alerts.findings(self.rules, self.pages, self.expected, self.documented)

    def test_every_alert_has_its_runbook_and_its_tests_and_every_runbook_its_alert(self):
        self.assertEqual(self.found(), [])

    def test_every_mistake_is_reported_by_name(self):
        mistakes = {
            "no runbook": lambda: self.pages.pop("DiskFull"),
            "a runbook of no alert": lambda: self.pages.update(Extra="# Extra"),
            "leads to another runbook": lambda: self.alert("DiskFull")["annotations"].update(runbook_url="x"),
            "severity is neither": lambda: self.alert("DiskFull")["labels"].update(severity="loud"),
            "annotations are not": lambda: self.alert("DiskFull")["annotations"].pop("summary"),
            "no test in which it fires": lambda: self.expected.update(DiskFull=[False]),
            "no test in which it does not fire": lambda: self.expected.update(DiskFull=[True]),
            "there is no metric comptoir_sails_total": lambda: self.alert("DiskFull").update(expr="comptoir_sails_total > 0"),
            "nothing records a:b:c": lambda: self.alert("DiskFull").update(expr="a:b:c > 0"),
            "has other headings": lambda: self.pages.update(DiskFull="# DiskFull"),
            "tells another severity": lambda: self.alert("DiskFull")["labels"].update(severity="ticket"),
            "the list of runbooks has no such line": lambda: self.pages.update(README=""),
            "links to Nowhere": lambda: self.pages.update(DiskFull=self.pages["DiskFull"] + "[x](Nowhere.md)"),
        }
        for report, make in mistakes.items():
            with self.subTest(report):
                self.setUp()
                self.rules = copy.deepcopy(self.rules)
                make()
                self.assertTrue(any(report in line for line in self.found()), self.found())

    def alert(self, name):
        """One of the alerts, to be spoiled."""
        return next(rule for rule in self.rules if rule.get("alert") == name)


if __name__ == "__main__":
    unittest.main()
