"""A real Prometheus looks at the real product in every topology, under a little load: every question of
the dashboards and rules has an answer, and alerts fire when their cause is there and clear when it is
gone. Shown by promtool alone (test_prometheus.py) are a panic, a leak, a clean-up that has not run for an
hour, and events that stay in NATS."""

import contextlib
import json
import subprocess
import unittest
from pathlib import Path

from causes import database_away, hanging, locked, may_mount, small_disk
from compose import TOPOLOGIES, Model
from gateway import Gateway
from observed import Observed
from stub import Stub
from watch import Watch
from web import until


class ObserveWhole(Observed, unittest.TestCase):
    """One process."""

    topology, configuration = "whole", "prometheus.yml"
    absent = frozenset({"comptoir_peer_tries_total", "comptoir_port_served_duration_seconds"})


class ObserveSplit(Observed, unittest.TestCase):
    """Four services."""

    topology, configuration = "split", "prometheus.split.yml"

    @contextlib.contextmanager
    def gone(self, service):
        """A service whose only process was killed, until the end."""
        [container] = self.gateway.engine.of(service)
        self.services.kill(container)
        try:
            yield
        finally:
            self.services.start(container)
        self.services.wait_ready(container)

    def test_a_service_that_is_gone_is_seen_and_so_is_what_that_does(self):
        with self.gone("store"):
            self.seen(
                ("ModuleDown", {"module": "store"}), ("ProcessDown", {"service": "store"}),
                ("PeerAway", {"peer": "store"}), ("ReplicaOut", {"service": "store@docker"}),
                ("SalesFailing", {}), ("GatewayErrors", {}),
            )
        self.well()

    def test_goods_that_are_held_for_nobody_are_seen(self):
        with contextlib.ExitStack() as gone:
            with locked(self.database("sales"), "sales.sales"):
                until("a hold", lambda: self.watch.value("max(comptoir_holds_open)") > 0, 30, every=0.2)
                gone.enter_context(self.gone("sales"))
            self.seen(("HoldsUnsettled", {}))
        self.well()

    def test_a_process_that_hangs_and_a_database_that_takes_nobody_are_seen(self):
        with hanging(self.process("inventory")):
            self.seen(("ProcessDown", {"service": "inventory"}), ("PeerAway", {"peer": "inventory"}))
            with database_away(self.database("sales"), "auth-db"):
                self.seen(("DatabaseDown", {"module": "auth"}), ("DatabaseFailing", {"module": "auth"}), ("ErrorsLogged", {}))
        self.well()

    def test_a_process_that_ends_again_and_again_and_learns_nothing_is_seen(self):
        born, [sales] = 'process_start_time_seconds{service="sales"}', self.gateway.engine.of("sales")
        with self.gone("auth"):
            for _ in range(3):
                before = self.watch.values(born)
                self.services.kill(sales)
                self.services.start(sales)
                until("a scrape of the new one", lambda: self.watch.values(born) not in ([], before), 30, every=0.2)
            self.seen(("NotReady", {"service": "sales"}), ("ProcessRestarting", {"service": "sales"}))
        self.well()


class ObserveGateway(unittest.TestCase):
    """The gateway, before stand-ins or nothing: its certificate ends soon, it hangs; and its machine."""

    def certificate(self, days):
        """The shop has a certificate that ends in some days. Traefik reads it from a file, while it runs,
        as it reads what Let's Encrypt gives it."""
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-days", str(days), "-subj", "/CN=shop.example.com", "-addext", "subjectAltName=DNS:shop.example.com",
             "-keyout", "key.pem", "-out", "cert.pem"], cwd=self.folder, check=True, capture_output=True,
        )
        cert, key = ((self.folder / name).read_text() for name in ("cert.pem", "key.pem"))
        fresh = self.folder / "fresh.yml"
        fresh.write_text(json.dumps({"tls": {"certificates": [{"certFile": cert, "keyFile": key}]}}))
        fresh.rename(self.folder / "certificates/tls.yml")

    def test_a_certificate_that_ends_and_a_gateway_that_hangs_are_seen(self):
        self.gateway = Gateway(Model(TOPOLOGIES["whole, https"]))
        self.folder = Path(self.gateway.folder.name)
        (self.folder / "certificates").mkdir()
        told = self.gateway.model.services["traefik"]["environment"]
        told["TRAEFIK_PROVIDERS_FILE_DIRECTORY"] = str(self.folder / "certificates")
        [container] = self.gateway.engine.of("comptoir")
        stub = Stub(container.address, 3030)
        self.addCleanup(stub.close)
        self.certificate(10)
        with self.gateway, Watch(self.gateway, None, "prometheus.yml") as watch:
            alert = watch.fires("CertificateEnds", cn="shop.example.com")
            self.assertIn("ends in 9d 23h", alert["annotations"]["summary"])
            with hanging(self.gateway.process):
                watch.fires("GatewayDown")
            watch.clears("GatewayDown")
            # It is renewed, and Traefik goes on showing when the one before ends.
            watch.fires("CertificateEnds")
            self.certificate(80)
            until("both", lambda: watch.value("count(traefik_tls_certs_not_after)") == 2)
            watch.clears("CertificateEnds")

    @unittest.skipUnless(may_mount(), "a small disk takes root and loop devices")
    def test_a_disk_that_fills_and_what_keeps_prometheus_from_its_work_are_seen(self):
        self.gateway = Gateway(Model(TOPOLOGIES["whole"]))
        with self.gateway, Watch(self.gateway, None, "prometheus.yml") as watch, small_disk(watch.home) as device:
            file = watch.home / "disk/filled"

            def fill(megabytes):
                with file.open("ab") as more:
                    more.write(bytes(megabytes << 20))

            fill(36)
            filling = lambda: watch.firing("DiskFilling", device=device) or fill(1)
            until("DiskFilling", filling, 60, every=3)
            with contextlib.suppress(OSError):
                fill(64)
            watch.fires("DiskFull", device=device)
            file.unlink()
            until("quiet", lambda: not watch.firing(device=device), 60, every=0.5)

            with hanging(watch.node):
                watch.fires("MonitoringDown", job="node")
            watch.clears("MonitoringDown")

            watch.told_again("scrape_configs: nothing that it understands")
            watch.fires("PrometheusFailing")
            watch.told_again(watch.told)
            watch.clears("PrometheusFailing")


if __name__ == "__main__":
    unittest.main()
