"""What the gateway does of itself: limits, retries, breaker, headers. Behind it stand stand-ins,
because real services do not fail when asked to."""

import collections
import itertools
import threading
import time
import unittest

from compose import TOPOLOGIES, Model
from gateway import Gateway
from stub import Stub
from web import until

#: Small limits, so that they are reached; and the variables that set them are tried, too.
VARIABLES = {
    "RATE_PER_SECOND": "5", "RATE_BURST": "60", "LOGIN_RATE_PER_SECOND": "1", "LOGIN_BURST": "5",
    "IN_FLIGHT": "4", "CORS_ORIGINS": "https://till.example.com,https://office.example.com",
}
SALE = {"store_id": "x"}


class Faults(unittest.TestCase):
    """One gateway over two stand-ins of sales and one of each other service."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(Model(TOPOLOGIES["split"], VARIABLES))
        cls.engine = cls.gateway.engine
        cls.engine.add("sales")
        cls.stubs = {}
        for service, port in (("auth", 3031), ("store", 3032), ("inventory", 3033), ("sales", 3034)):
            cls.stubs[service] = [Stub(c.address, port) for c in cls.engine.of(service)]
        cls.enterClassContext(cls.gateway)
        cls.addClassCleanup(lambda: [s.close() for stubs in cls.stubs.values() for s in stubs])
        cls.gateway.healthy("sales", 2)
        for service in ("auth", "store", "inventory"):
            cls.gateway.healthy(service, 1)

    addresses, fresh = itertools.count(11), itertools.count(1)

    def setUp(self):
        """Every test has an address of its own, and so limits of its own."""
        self.source = f"127.9.9.{next(self.addresses)}"
        for stubs in self.stubs.values():
            for stub in stubs:
                stub.behave, stub.hits, stub.gate = "well", 0, threading.Event()

    def send(self, path, method="GET", headers=None, body=None, source=None):
        return self.gateway.send(path, method, headers, body, source or self.source)

    def statuses(self, count, path, method="GET", **more):
        return collections.Counter(self.send(path, method, **more).status for _ in range(count))

    def test_what_a_client_says_of_itself_is_overwritten_or_taken_off(self):
        forged = {
            "X-Forwarded-For": "203.0.113.1", "X-Real-Ip": "203.0.113.1", "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "https", "Forwarded": "for=203.0.113.1", "X-Forwarded-User": "admin",
            "X-User-Id": "1", "X-Role": "admin", "X-Store-Id": "1", "Remote-User": "admin",
            "X-Remote-User": "admin", "X-Auth-Request-User": "admin", "X-Forwarded-Email": "a@b",
            "X-Forwarded-Groups": "admins", "Authorization": "Bearer mine", "Idempotency-Key": "k",
        }
        seen = self.send("/api/sales", "POST", forged, SALE).json()["headers"]
        self.assertEqual(seen["x-forwarded-for"], self.source)
        self.assertEqual(seen["x-real-ip"], self.source)
        self.assertEqual(seen["x-forwarded-proto"], "http")
        self.assertNotIn("evil.example", seen.values())
        gone = {name.lower() for name in forged} - {
            "x-forwarded-for", "x-real-ip", "x-forwarded-host", "x-forwarded-proto", "authorization", "idempotency-key",
        }
        self.assertEqual(gone & seen.keys(), set())
        self.assertEqual((seen["authorization"], seen["idempotency-key"]), ("Bearer mine", "k"))

    def test_a_fast_client_gets_429_and_others_are_not_held_up(self):
        counted = self.statuses(120, "/api/stores")
        self.assertGreater(counted[429], 20, counted)
        self.assertGreaterEqual(counted[200], 60, counted)
        self.assertEqual(self.send("/api/stores", source="127.9.8.1").status, 200)
        until("room again", lambda: self.send("/api/stores").status == 200)

    def test_a_refusal_of_the_gateway_is_plain_text_with_retry_after(self):
        replies = [self.send("/api/stores") for _ in range(120)]
        refused = next(reply for reply in replies if reply.status == 429)
        self.assertIn("Retry-After", refused.headers)
        self.assertEqual(refused.headers.get_content_type(), "text/plain")
        self.assertEqual(refused.headers["X-Content-Type-Options"], "nosniff")

    def test_login_has_a_limit_of_its_own_however_the_path_is_written(self):
        self.assertEqual(self.statuses(12, "/api/auth/login", "POST", body=SALE)[200], 5)
        self.assertEqual(self.send("/api/auth/me").status, 200)
        for spelling in ("/api/auth/%6cogin", "/api/auth/./login", "/api/auth/x/../login", "/api//auth/login"):
            reply = self.send(spelling, "POST", body=SALE)
            with self.subTest(spelling):
                self.assertEqual(reply.status, 429)

    def test_no_more_than_so_many_requests_of_one_client_at_once(self):
        [inventory] = self.stubs["inventory"]
        inventory.behave = "wait"
        seen = []
        ask = lambda: seen.append(self.send("/api/inventory/products").status)
        threads = [threading.Thread(target=ask) for _ in range(10)]
        for thread in threads:
            thread.start()
        until("six refusals", lambda: seen == [429] * 6)
        self.assertEqual(self.send("/api/stores").status, 200)
        inventory.gate.set()
        for thread in threads:
            thread.join()
        self.assertEqual(seen[6:], [200] * 4)

    def test_preflight_is_answered_for_the_named_origins_only(self):
        ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "idempotency-key"}
        for origin, allowed in (("https://till.example.com", True), ("https://office.example.com", True), ("https://evil.example", False)):
            with self.subTest(origin):
                reply = self.send("/api/sales", "OPTIONS", ask | {"Origin": origin})
                self.assertEqual(reply.headers.get("Access-Control-Allow-Origin"), origin if allowed else None)
                plain = self.send("/api/sales", headers={"Origin": origin})
                self.assertEqual(plain.headers.get("Access-Control-Allow-Origin"), origin if allowed else None)
                self.assertIn("Origin", plain.headers["Vary"])
        self.assertEqual(self.stubs["sales"][0].hits + self.stubs["sales"][1].hits, 3)
        reply = self.send("/api/sales", "OPTIONS", ask | {"Origin": "https://till.example.com"})
        self.assertIn("idempotency-key", reply.headers["Access-Control-Allow-Headers"])
        self.assertEqual(reply.headers["Access-Control-Max-Age"], "600")

    def test_large_answers_are_compressed_if_the_client_wants(self):
        for coding in ("gzip", "br", "zstd"):
            reply = self.send("/api/stores", headers={"Accept-Encoding": coding})
            self.assertEqual(reply.headers["Content-Encoding"], coding)
            self.assertLess(len(reply.body), 2000)
        self.assertIsNone(self.send("/api/stores").headers["Content-Encoding"])

    def test_security_headers_stand_on_every_answer(self):
        for path in ("/api/sales", "/api/unknown", "/"):
            headers = self.send(path).headers
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
            self.assertEqual(headers["X-Frame-Options"], "DENY")
            self.assertEqual(headers["Referrer-Policy"], "no-referrer")
            self.assertIsNone(headers["Server"])

    def test_what_reached_a_replica_is_never_sent_again(self):
        """A till's POST may have no key. One that a replica has read, and hung up on, is not
        repeated by the gateway: the till learns of it, and knows what to repeat."""
        for method, body in (("POST", SALE), ("PUT", SALE), ("PATCH", SALE), ("DELETE", None), ("POST", None)):
            for stub in self.stubs["sales"]:
                stub.behave, stub.hits = "hang up", 0
            reply = self.send("/api/sales", method, body=body)
            with self.subTest(f"{method} {body}"):
                self.assertEqual(reply.status, 502)
                self.assertEqual(sum(stub.hits for stub in self.stubs["sales"]), 1)
            self.recover("/api/sales", "sales")

    def test_what_reached_no_replica_is_sent_to_another(self):
        dead = self.stubs["sales"].pop()
        dead.close()
        try:
            counted = self.statuses(20, "/api/sales", "POST", body=SALE)
            self.assertEqual(counted, {200: 20})
        finally:
            self.stubs["sales"].append(Stub(dead.name, 3034))
            self.gateway.healthy("sales", 2)

    def test_a_dead_replica_is_out_within_a_second_and_back_when_it_lives(self):
        dead = self.stubs["sales"].pop()
        dead.close()
        out = until("DOWN", lambda: "DOWN" in self.gateway.servers("sales").values())
        self.assertLess(out, 1.0)
        self.stubs["sales"].append(Stub(dead.name, 3034))
        self.assertLess(self.gateway.healthy("sales", 2), 2.0)

    def test_a_breaker_opens_on_failures_and_closes_again(self):
        [store] = self.stubs["store"]
        store.behave = "fail"
        until("the breaker", lambda: self.send("/api/stores").status == 503)
        before = store.hits
        self.assertEqual(self.statuses(10, "/api/stores"), {503: 10})
        self.assertEqual(store.hits, before)
        self.assertEqual(self.send("/api/sales").status, 200)
        self.recover("/api/stores", "store")

    def test_a_503_of_a_service_is_an_answer_and_opens_no_breaker(self):
        [inventory] = self.stubs["inventory"]
        inventory.behave = "be away"
        end = time.monotonic() + 1
        while time.monotonic() < end:
            reply = self.send("/api/inventory/products")
            self.assertIn(reply.status, (503, 429))
        before, inventory.behave = inventory.hits, "well"
        self.assertGreater(before, 20)
        until("room again", lambda: self.send("/api/inventory/products").status == 200, 1.5)

    def test_a_service_that_is_starting_or_stopped_is_a_503_and_not_a_404(self):
        [container] = self.engine.of("inventory")
        try:
            for health in ("starting", "unhealthy"):
                self.engine.set_health(container, health)
                until(health, lambda: self.send("/api/inventory/x").status == 503)
                self.assertIn("inventory@docker", self.gateway.routers())
            self.engine.set_health(container, "healthy")
            until("healthy", lambda: self.send("/api/inventory/x").status == 200)
            self.engine.stop(container)
            until("stopped", lambda: self.send("/api/inventory/x").status == 503)
        finally:
            container.health = None
            self.engine.start(container)
            self.gateway.healthy("inventory", 1)

    def test_a_stopped_replica_is_not_noticed_while_there_is_another(self):
        container, stub = self.engine.of("sales")[1], self.stubs["sales"].pop()
        stub.close()
        self.engine.stop(container)
        try:
            known = lambda: stub.name in str(self.gateway.servers("sales"))
            counted = collections.Counter()
            # On, for as long as Traefik might try what has no address any more.
            until("the removal", lambda: counted.update(self.unlimited(5, "POST", "/api/sales")) or not known())
            counted.update(self.unlimited(50, "POST", "/api/sales"))
            self.assertEqual(counted.keys(), {200})
        finally:
            self.stubs["sales"].append(Stub(stub.name, 3034))
            self.engine.start(container)
            self.gateway.healthy("sales", 2)

    def test_ping_answers_and_neither_dashboard_nor_metrics_are_outside(self):
        self.assertEqual(self.send("/ping").body, b"OK")
        for path in ("/dashboard/", "/api/rawdata", "/metrics", "/api/http/routers"):
            self.assertEqual(self.send(path).json()["stub"], self.stubs["auth"][0].name)
        metrics = self.gateway.metrics()
        self.assertIn('traefik_router_requests_total{code="200"', metrics)

    def access(self):
        """The line of the access log about this test's only request."""
        mine = lambda: [a for a in self.gateway.accesses() if a["ClientHost"] == self.source]
        until("the line", mine)
        [line] = mine()
        return line

    def test_the_access_log_is_json_and_keeps_neither_headers_nor_queries(self):
        self.send("/api/sales?q=canary-3142", headers={"Authorization": "Bearer canary-3141"})
        self.assertEqual(self.access()["RequestPath"], "/api/sales")
        self.assertNotIn("canary-314", self.gateway.log_path.read_text())

    def test_a_request_without_a_trace_gets_one_that_the_access_log_names(self):
        told = self.send("/api/sales").json()["headers"]["traceparent"]
        self.assertRegex(told, "^00-[0-9a-f]{32}-[0-9a-f]{16}-00$")
        self.assertEqual(self.access()["TraceId"], told.split("-")[1])

    def test_a_trace_of_the_client_goes_on_behind_the_gateway(self):
        trace = "0af7651916cd43dd8448eb211c80319c"
        sent = {"traceparent": f"00-{trace}-b7ad6b7169203331-00"}
        told = self.send("/api/sales", headers=sent).json()["headers"]["traceparent"]
        self.assertEqual((told.split("-")[1], self.access()["TraceId"]), (trace, trace))

    def unlimited(self, count, method, path):
        """The statuses of requests from new addresses, so that no rate limit answers."""
        numbers = itertools.islice(self.fresh, count)
        sources = [f"127.{10 + number // 250}.{number % 250}.1" for number in numbers]
        return [self.send(path, method, source=source).status for source in sources]

    def recover(self, path, service):
        """The service is well again; waits until the gateway has seen it."""
        for stub in self.stubs[service]:
            stub.behave = "well"
        good = lambda: self.unlimited(5, "GET", path) == [200] * 5
        until("the breaker to close", good, 10)


if __name__ == "__main__":
    unittest.main()
