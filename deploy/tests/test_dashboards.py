"""The dashboards: as generated, as Grafana's schema has them, and each panel with what it takes to be
understood. That every question has an answer is what observe asks a running product."""

import subprocess
import sys
import unittest
import urllib.parse
from pathlib import Path

import yaml

import alerts
import boards
from compose import DEPLOY, TOPOLOGIES, Model


class Dashboards(unittest.TestCase):
    """The dashboards as they are; and a mistake in them is reported."""

    def setUp(self):
        self.boards = boards.boards()

    def test_the_files_are_what_their_source_says(self):
        command = [sys.executable, DEPLOY / "grafana/source/make", "--check"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_grafana_knows_all_of_them_and_every_panel_explains_itself(self):
        self.assertEqual(boards.findings(self.boards), [])
        self.assertEqual(
            self.boards.keys(), {"overview", "auth", "store", "inventory", "sales", "database", "gateway", "runbooks"}
        )

    def test_every_runbook_is_a_page_that_opens_under_the_name_of_its_alert(self):
        rows = {row["title"].split()[0]: row for row in self.boards["runbooks"]["panels"]}
        for name, rule in alerts.alerts().items():
            self.assertIn(f"{name} ({rule['labels']['severity']})", rows[name]["title"])
            self.assertIs(rows[name]["collapsed"], True)
            [page] = rows[name]["panels"]
            self.assertIn("## How it clears", page["options"]["content"])
            # There are no files to follow a link to.
            self.assertNotRegex(page["options"]["content"], r"\]\((?!https?:)")

    def test_links_lead_to_what_listens_there(self):
        model = Model(TOPOLOGIES["split, traces"])
        ports = {int(port["published"]): service for service in model.services for port in model.services[service].get("ports") or []}
        for board in self.boards.values():
            urls = [link["url"] for link in board["links"] if link["type"] == "link"]
            self.assertEqual([ports[urllib.parse.urlsplit(url).port] for url in urls], ["prometheus", "traefik", "jaeger"])
            for panel in boards.panels(board):
                for override in panel["fieldConfig"]["overrides"]:
                    for link in override["properties"][0]["value"]:
                        self.assertIn(link["url"].removeprefix("/d/"), {other["uid"] for other in self.boards.values()})

    def test_the_container_finds_source_and_dashboards(self):
        providers = yaml.safe_load((DEPLOY / "grafana/providers.yml").read_text())["providers"]
        for files in TOPOLOGIES.values():
            model = Model(files)
            grafana = model.services["grafana"]
            mounts = {m["target"]: m["source"].rpartition("/grafana/")[2] for m in grafana["volumes"] if m["type"] == "bind"}
            sources = ["datasources", "jaeger"] if "jaeger" in model.services else ["datasources"]
            self.assertEqual(mounts, {
                "/etc/grafana/provisioning/dashboards/providers.yml": "providers.yml",
                "/etc/grafana/dashboards": "dashboards",
            } | {f"/etc/grafana/provisioning/datasources/{name}.yml": f"{name}.yml" for name in sources})
            for name in sources:
                [source] = yaml.safe_load((DEPLOY / f"grafana/{name}.yml").read_text())["datasources"]
                host = urllib.parse.urlsplit(source["url"]).hostname
                self.assertTrue(set(model.networks_of(host)) & set(model.networks_of("grafana")), host)
            self.assertIn(providers[0]["options"]["path"], mounts)
            home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
            self.assertIn(Path(home).stem, self.boards)

    def test_runbooks_name_panels_that_there_are(self):
        there = {b["title"]: {panel["title"] for panel in b["panels"]} for b in self.boards.values()}
        found = list(boards.mentioned(alerts.pages()))
        self.assertGreater(len(found), 20)
        for page, title, panel in found:
            self.assertIn(panel, there.get(title, ()), f"{page}: {title}")

    def test_every_alert_is_named_at_a_panel_and_every_named_one_exists(self):
        known, named = alerts.alerts().keys(), set()
        for board in self.boards.values():
            for panel in boards.panels(board):
                words = panel["description"].partition("Alert")[2]
                named |= {word for word in known if word in words}
                for word in words.replace("s:", "").replace(":", " ").replace(",", " ").replace(".", " ").split():
                    self.assertTrue(word[0].islower() or word in known, f"{panel['title']}: {word}")
        # Some are about Prometheus itself; others are covered by all those of their process.
        self.assertEqual(known - named, {"PrometheusFailing", "MonitoringDown", "Watchdog",
                                         "CleanUpStuck", "ProcessDown", "ProcessRestarting", "SalesStopped"})

    def test_every_mistake_is_reported_by_name(self):
        overview = lambda: self.boards["overview"]
        panel = lambda: boards.panels(overview())[0]
        mistakes = {
            "has the uid of": lambda: overview().update(uid="comptoir-sales"),
            "Grafana does not know .colour": lambda: overview().update(colour="red"),
            "no description": lambda: panel().update(description=""),
            "has no unit": lambda: panel()["fieldConfig"]["defaults"].pop("unit"),
            "asks nothing": lambda: panel().update(targets=[]),
            "stands outside": lambda: panel()["gridPos"].update(x=23),
            "stands on another panel": lambda: panel()["gridPos"].update(x=3),
            "two panels have one id": lambda: panel().update(id=2 + panel()["id"]),
            "there is no metric comptoir_sails": lambda: panel()["targets"][0].update(expr="sum(rate(comptoir_sails[1m]))"),
        }
        for report, make in mistakes.items():
            with self.subTest(report):
                self.setUp()
                make()
                found = boards.findings(self.boards)
                self.assertTrue(any(report in line for line in found), found)


if __name__ == "__main__":
    unittest.main()
