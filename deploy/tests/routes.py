"""What must hold at the gateway in every topology, with the real product behind it."""

import uuid

from chain import EMAIL, Chain
from web import until


class Routes:
    """Mixed into the tests of a topology, which say what the gateway is and who owns what."""

    def served(self, path):
        """The service that answered the last request for a path."""
        lines = lambda: [line for line in self.gateway.accesses() if line["RequestPath"] == path]
        until("the access log", lines)
        return lines()[-1].get("ServiceName", "").removesuffix("@docker")

    def problem(self, reply, status):
        """The answer is a problem of ours with a status."""
        self.assertEqual(reply.status, status, reply)
        self.assertEqual(reply.headers.get_content_type(), "application/problem+json")
        self.assertEqual(reply.json()["status"], status)

    def test_every_prefix_reaches_its_service(self):
        for path, service in self.owner.items():
            with self.subTest(path):
                # Only the service that knows the path asks for a token.
                self.problem(self.gateway.send(path), 401)
                self.assertEqual(self.served(path), service)

    def test_swagger_ui_and_the_documents_are_there(self):
        self.assertEqual(self.gateway.send("/").headers["Location"], "/swagger-ui/")
        self.assertIn(b"swagger", self.gateway.send("/swagger-ui/").body)
        document = self.gateway.send("/openapi/comptoir.json").json()
        prefixes = {"/".join(path.split("/")[:3]) for path in document["paths"]}
        self.assertLessEqual({"/api/auth", "/api/stocks", "/api/inventory", "/api/returns"}, prefixes)
        self.assertEqual(self.served("/openapi/comptoir.json"), self.documents)

    def test_what_there_is_not_is_a_404_of_ours(self):
        for path in (
            "/nothing", "/api/nothing", "/api/storesX", "/api/salesX", "/metrics", "/internal", "/dashboard/",
            "/internal/stock/hold", "/internal/sessions/trust", "/api/sales/../../internal/stock/hold",
            "/api/stores/%2e%2e/%2e%2e/internal/stock/hold", "/api/auth%2flogin", "/api/rawdata",
        ):
            for method in ("GET", "POST"):
                with self.subTest(f"{method} {path}"):
                    self.problem(self.gateway.send(path, method, body=b"[]" if method == "POST" else None), 404)

    def test_a_sale_goes_through_and_its_repetition_is_the_same_sale(self):
        shop, key = self.chain.shop(10), uuid.uuid4().hex
        first, second = self.chain.sell(shop, key), self.chain.sell(shop, key)
        self.assertEqual((first.status, second.status), (201, 201), second)
        self.assertEqual(first.json(), second.json())
        self.assertEqual(second.headers["Idempotent-Replayed"], "true")
        self.assertEqual(self.chain.sales(shop), [first.json()["id"]])
        self.assertEqual(self.chain.on_hand(shop), 9)
        self.assertEqual(self.chain.send(first.headers["Location"]).status, 200)

    def test_the_service_learns_the_real_address_of_a_client(self):
        """The login throttle counts by it, and the list of sessions shows it."""
        client, made_up = "127.6.6.6", "203.0.113.9"
        forged = {"X-Forwarded-For": made_up, "X-Real-Ip": made_up, "Forwarded": f"for={made_up}"}
        Chain(self.gateway, client).sign_in(forged)
        seen = {session["address"] for session in self.chain.send("/api/auth/sessions").json()["items"]}
        self.assertIn(client, seen)
        self.assertNotIn(made_up, seen)

    def test_a_forged_identity_is_nobody(self):
        forged = {"X-Forwarded-User": EMAIL, "X-User-Id": "1", "X-Role": "admin", "Remote-User": EMAIL}
        self.problem(self.gateway.send("/api/users", headers=forged), 401)

    def test_documents_are_compressed_and_answers_carry_security_headers(self):
        for coding in ("gzip", "br", "zstd"):
            reply = self.gateway.send("/openapi/comptoir.json", headers={"Accept-Encoding": coding})
            self.assertEqual(reply.headers["Content-Encoding"], coding)
        headers = self.gateway.send("/api/stores").headers
        self.assertEqual(headers.get_all("X-Content-Type-Options"), ["nosniff"])
        self.assertEqual(headers.get_all("X-Frame-Options"), ["DENY"])
        self.assertIsNone(headers["Server"])

    def test_the_log_of_a_service_that_runs_is_turned_up_and_back(self):
        [container, *_] = self.services.engine.of(self.owner["/api/sales"])
        for level in ("info,sales=debug", "info"):
            self.services.command(container, "log-filter", level)
            changed = f'"filter":"{level}"'
            until(level, lambda changed=changed: changed in self.services.log_path(container).read_text())

    def test_a_browser_of_another_origin_may_not_ask(self):
        ask = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
        reply = self.gateway.send("/api/auth/login", "OPTIONS", ask)
        self.assertIsNone(reply.headers["Access-Control-Allow-Origin"])
        reply = self.gateway.send("/api/auth/login", "OPTIONS", ask | {"Origin": "http://localhost"})
        self.assertEqual(reply.headers["Access-Control-Allow-Origin"], "http://localhost")

    def test_a_body_that_is_too_large_is_refused_by_the_service(self):
        body = b'{"email": "' + b"x" * 2_000_000 + b'"}'
        reply = self.gateway.send("/api/auth/login", "POST", {"Content-Type": "application/json"}, body)
        self.problem(reply, 413)
