"""What the compose files promise: they are valid, nothing is open that should not be, and no
secret stands in them."""

import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from compose import DEPLOY, TOPOLOGIES, Model, config

DATABASE_RIGHTS = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


class Compose(unittest.TestCase):
    """Facts about every topology."""

    @classmethod
    def setUpClass(cls):
        cls.models = {name: Model(files) for name, files in TOPOLOGIES.items()}

    def each(self):
        """Every service of every topology, in a subtest of its own."""
        for name, model in self.models.items():
            for service, spec in model.services.items():
                with self.subTest(f"{name}: {service}"):
                    yield model, service, spec

    def test_compose_accepts_every_topology_and_warns_of_nothing(self):
        for name, files in TOPOLOGIES.items():
            with self.subTest(name):
                done = config(files, "--quiet")
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))

    def test_https_and_traces_ask_for_their_variables(self):
        for name in ("whole, https", "split, https", "whole, traces", "split, traces"):
            done = config(TOPOLOGIES[name], "--quiet", variables={})
            self.assertNotEqual(done.returncode, 0)
            self.assertRegex(done.stderr, "DOMAIN|ACME_EMAIL|OTLP_URL")

    def test_what_stands_in_a_file_env_need_not_be_told_again(self):
        """As the README shows it: later commands make the gateway with HTTPS, too."""
        told = re.search(r"^```ini\n(.*?)^```$", (DEPLOY / "README.md").read_text(), re.M | re.S)[1]
        files = tuple(re.search(r"^COMPOSE_FILE=(.*)$", told, re.M)[1].split(":"))
        self.assertIn(files, TOPOLOGIES.values())
        with tempfile.TemporaryDirectory() as root:
            folder = Path(root) / DEPLOY.name
            folder.mkdir()
            for path in DEPLOY.glob("*.yml"):
                shutil.copy(path, folder)
            (folder / ".env").write_text(told)
            command = ["docker-compose", "config", "--format", "json"]
            shown = subprocess.run(
                command, cwd=folder, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, timeout=60
            )
            self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        found = json.loads(shown.stdout.replace(root, str(DEPLOY.parent)))
        self.assertEqual(found, json.loads(config(files, "--format", "json").stdout))

    def test_spans_go_where_they_are_told_and_nowhere_otherwise(self):
        for name, model in self.models.items():
            traced = "traces" in name
            gateway = model.environment("traefik")
            self.assertEqual("TRAEFIK_TRACING_OTLP_HTTP_ENDPOINT" in gateway, traced)
            self.assertEqual(float(gateway["TRAEFIK_TRACING_SAMPLERATE"]), 1 if traced else 0)
            for service, spec in model.services.items():
                if "build" in spec and not model.once(service):
                    url = model.environment(service)["COMPTOIR__TRACES__OTLP_URL"]
                    self.assertEqual(url, "http://jaeger:4318" if traced else "")
                    self.assertTrue(not traced or set(model.networks_of(service)) & set(model.networks_of("jaeger")))

    def test_only_the_gateway_can_be_reached_from_outside(self):
        for model, service, spec in self.each():
            for port in spec.get("ports") or []:
                inside = port.get("host_ip") == "127.0.0.1"
                public = service == "traefik" and port["target"] in (8000, 8443)
                self.assertTrue(inside or public, port)
            self.assertEqual("outside" in model.networks_of(service), service == "traefik")

    def test_networks_keep_apart_what_need_not_meet(self):
        for model, service, _ in self.each():
            networks = model.networks_of(service)
            if service == "traefik":
                self.assertEqual(set(networks), {"outside", "gateway"})
            if service == "db" or service.endswith("-db"):
                [own] = networks
                others = {s for s in model.services if own in model.networks_of(s)} - {service}
                self.assertEqual(others, {service.removesuffix("-db")} if service != "db" else {"comptoir"})
            for network in networks:
                if network not in ("outside", "monitoring"):
                    self.assertIs(model.networks[network].get("internal"), True, network)

    def test_every_container_has_few_rights_and_bounds(self):
        for _, service, spec in self.each():
            self.assertEqual(spec["cap_drop"], ["ALL"])
            self.assertIn("no-new-privileges:true", spec["security_opt"])
            self.assertIs(spec["read_only"], True)
            self.assertTrue(spec.get("mem_limit") or spec["restart"] == "no")
            self.assertTrue(spec["pids_limit"] and spec["logging"])
            database = spec["image"].startswith("postgres:")
            self.assertEqual(set(spec.get("cap_add") or []), DATABASE_RIGHTS if database else set())
            self.assertNotIn("privileged", spec)

    def test_every_service_can_be_scaled(self):
        for model, service, spec in self.each():
            if "build" in spec and not model.once(service):
                self.assertNotIn("container_name", spec)
                self.assertFalse(spec.get("ports"))

    def test_every_long_running_container_says_how_it_is(self):
        for model, service, spec in self.each():
            if not model.once(service) and service not in ("nats", "jaeger"):
                self.assertIn("test", spec["healthcheck"])

    def test_secrets_are_files_on_a_volume_that_only_their_users_have(self):
        for model, service, spec in self.each():
            for name, value in model.environment(service).items():
                secret = any(word in name for word in ("SECRET", "PASSWORD", "PEPPER"))
                if secret and name != "COMPTOIR__AUTH__ADMIN_PASSWORD":
                    self.assertRegex(name, "_FILE$|DISABLE")
                self.assertNotRegex(value, r"://[^/@]+:[^/@]+@")
            mounts = {m["source"]: m for m in spec.get("volumes") or [] if "keys" in m["source"]}
            if not model.once(service):
                self.assertTrue(all(m["read_only"] for m in mounts.values()))
            if "auth-keys" in mounts:
                self.assertIn(service, ("auth", "auth-keys"))

    def test_the_services_run_in_production_mode_and_believe_the_gateway_only(self):
        for model, service, spec in self.each():
            if "build" in spec and not model.once(service):
                told = model.environment(service)
                self.assertEqual(told["COMPTOIR__MODE"], "production")
                self.assertEqual(told["COMPTOIR__HTTP__TRUSTED_PROXIES"], str(model.gateway_network()))

    def test_an_image_of_one_module_is_built_with_its_feature(self):
        for model, service, spec in self.each():
            if "build" in spec:
                features = (spec["build"].get("args") or {}).get("FEATURES")
                expected = f"comptoir-{features}:latest" if features else "comptoir:latest"
                self.assertEqual(spec["image"], expected)

    def test_every_variable_stands_in_the_readme(self):
        text = "".join(path.read_text() for path in DEPLOY.glob("*.yml"))
        readme = (DEPLOY / "README.md").read_text()
        for name in set(re.findall(r"\$\{(\w+)", text)) - {"COMPOSE_PROJECT_NAME"}:
            self.assertIn(f"`{name}`", readme)


if __name__ == "__main__":
    unittest.main()
