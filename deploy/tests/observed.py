"""What must be seen in every topology: an answer to every question, and alerts with their causes."""

import concurrent.futures
import contextlib
import json
import os
import re
import subprocess
import uuid

import alerts
import boards
import runbooks
from causes import few_files, locked, no_relay, psql
from chain import EMAIL, PASSWORD, Chain
from compose import TOPOLOGIES, Model
from gateway import Gateway
from load import Load, somewhere
from services import Services, binary
from watch import SHORT, SLOW, Watch
from web import send, until

#: Time is short here: holds are looked into sooner than deployed, and hashing is quick.
HURRY = {
    "COMPTOIR__STORE__HOLD_SECONDS": "3", "COMPTOIR__STORE__SWEEP_MS": "500",
    "COMPTOIR__AUTH__BCRYPT_COST": "10", "COMPTOIR__HTTP__IN_FLIGHT": "60",
    "COMPTOIR__HTTP__TIME_LIMIT_MS": "8000",
}
#: Metrics of alerts that come with HTTPS or NATS only.
RARE = {"traefik_tls_certs_not_after", "comptoir_nats_events_unapplied"}
#: What dashboards ask in vain while all is well, so that they say 0 for it.
NOTHING = re.compile(r'5\.\.|no_answer|!="answered"|circuit_open|"429"|retries|certs_not_after|nats_events|ALERTS')


class Observed:
    """Mixed into the tests of a topology."""

    topology = configuration = None
    #: What the topology does not have.
    absent = frozenset()

    @classmethod
    def setUpClass(cls):
        variables = {"ADMIN_PASSWORD": PASSWORD, "LOGIN_RATE_PER_SECOND": "1000", "LOGIN_BURST": "1000"}
        model = Model(TOPOLOGIES[cls.topology], variables)
        for service, spec in model.services.items():
            if "build" in spec and not model.once(service):
                spec["environment"].update(HURRY)
        cls.gateway = Gateway(model)
        cls.services = cls.enterClassContext(Services(model, cls.gateway.engine))
        cls.enterClassContext(cls.gateway)
        for service in cls.services.ours:
            if not model.once(service):
                cls.gateway.healthy(service, 1)
        cls.watch = cls.enterClassContext(Watch(cls.gateway, cls.services, cls.configuration))
        cls.chain = Chain(cls.gateway)
        cls.load = cls.enterClassContext(Load(cls.chain))

    def setUp(self):
        """Every test begins while all is well."""
        self.well()

    def wrong(self):
        """What fires and should not; how full the disk is of the machine that tests is no matter."""
        return [
            alert for alert in self.watch.firing() if alert["labels"]["severity"] != "none"
            and not alert["labels"]["alertname"].startswith("Disk")
        ]

    def well(self):
        """Waits until nothing fires, neither rightly nor by mistake, but for what says that alerts do."""
        try:
            until("quiet", lambda: self.watch.firing("Watchdog") and not self.wrong(), 120, every=0.5)
        except AssertionError:
            self.fail([(alert["labels"], alert["annotations"]["summary"]) for alert in self.wrong()])

    def seen(self, *expected):
        """Waits for alerts, each with some of its labels, all filled in."""
        for name, labels in expected:
            alert = self.watch.fires(name, **labels)
            for text in alert["annotations"].values():
                self.assertNotRegex(text, "error expanding|<no value>|%!", alert)

    def process(self, service):
        """The process of a service's first replica."""
        return self.services.processes[self.gateway.engine.of(service)[0]]

    def database(self, module):
        """The database of a module."""
        return self.services.databases.get(f"{module}-db") or self.services.databases["db"]

    def service(self, module):
        """The service that runs a module."""
        return module if module in self.services.ours else "comptoir"

    @contextlib.contextmanager
    def many(self, count, call):
        """Something done by many at once, from time to time, meanwhile."""
        running = [True]

        def again(_):
            while running:
                with contextlib.suppress(Exception):
                    call()

        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            for number in range(count):
                pool.submit(again, number)
            try:
                yield
            finally:
                running.clear()

    def test_every_question_of_dashboards_and_rules_has_an_answer(self):
        # Where something must be there, the 0 that a panel shows for nothing is no answer.
        nothing = lambda asks: NOTHING.search(asks) or any(metric in asks for metric in self.absent)
        bare = lambda asks: asks if nothing(asks) else re.sub(r" or (on \(\) )?vector\(0\)", "", asks)
        asked = [(where, bare(asks)) for where, asks in boards.queries(boards.boards())]
        asked += [(rule["record"], rule["record"]) for rule in alerts.rules() if "record" in rule]
        for name, rule in alerts.alerts().items():
            asked += [(name, f"count({m})") for m in alerts.metrics(rule["expr"]) - self.absent - RARE]
        self.assertGreater(len(asked), 200)

        # Each at its time: on a busy machine a round of the load is longer than a rate looks back.
        open_ = {(where, asks): "not asked" for where, asks in asked}

        def all_answered():
            for where, asks in list(open_):
                if bad := self.watch.unanswered(asks):
                    open_[where, asks] = bad
                else:
                    del open_[where, asks]
            return not open_

        try:
            until("all answers", all_answered, 90, every=1)
        except AssertionError:
            self.fail("\n".join(map(str, open_.items())))
        if path := os.environ.get("ANSWERS"):
            # For reviewers: each question, how many series answer, and the first of their values.
            with open(path, "a", encoding="utf-8") as file:
                for where, asks in asked:
                    values = self.watch.values(asks.replace("$__rate_interval", SHORT["1m"]))
                    first = f"{values[0]:.4g}" if values else "-"
                    file.write(f"{self.topology}\t{where}\t{asks}\t{len(values)}\t{first}\n")

    def test_promtool_has_nothing_to_say_of_the_metrics_and_there_are_not_too_many(self):
        for service, port in self.watch.names.items():
            for container in self.gateway.engine.of(service):
                shown = send(f"http://{container.address}:{port}/metrics").body
                done = subprocess.run(["promtool", "check", "metrics"], input=shown, capture_output=True, timeout=30)
                self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b""))
                # As many as routes and operations, however many shops, articles and clients.
                self.assertLess(sum(not line.startswith(b"#") for line in shown.splitlines()), 8000)
                self.assertNotRegex(shown, rb"[0-9a-f]{8}-[0-9a-f]{4}-|@comptoir|P-[0-9A-F]{12}")

    def test_a_request_is_found_in_every_log_by_its_trace(self):
        trace, [container] = uuid.uuid4().hex, self.gateway.engine.of(self.service("sales"))
        headers = {"Authorization": f"Bearer {self.chain.token}", "traceparent": f"00-{trace}-00f067aa0ba902b7-00"}
        refused = self.gateway.send("/api/sales", "POST", headers, {"store_id": "none"})
        self.assertEqual((refused.status, refused.json()["trace_id"]), (400, trace))
        until("the gateway's line", lambda: any(line["TraceId"] == trace for line in self.gateway.accesses()))

        def told():
            text = self.services.log_path(container).read_text()
            lines = [json.loads(line) for line in text.splitlines() if trace in line]
            return [line for line in lines if line.get("status") == 400 and line["route"] == "/api/sales"]

        until("the service's line", told)

    def test_what_runbooks_print_works(self):
        asked = list(runbooks.statements())
        self.assertGreater(len(asked), 6)
        for page, module, statement in asked:
            with self.subTest(page, statement=statement):
                psql(self.database(module or "sales"), f"EXPLAIN {statement}")
        program = binary(self.services.model.services[self.service("sales")])
        for page, command in runbooks.commands():
            with self.subTest(page, command=command):
                subprocess.run([program, command, "--help"], check=True, capture_output=True, timeout=30)

    def test_what_hangs_in_the_databases_is_seen(self):
        store, shop = self.service("store"), "/".join(self.load.shop)
        [container] = self.gateway.engine.of(store)
        shelf = f"{self.services.url(container)}/api/stocks/{shop}"
        headers = {"Authorization": f"Bearer {self.chain.token}"}
        with contextlib.ExitStack() as causes:
            causes.enter_context(no_relay(self.database("sales"), "sales"))
            self.seen(("OutboxStuck", {"module": "sales"}), ("WorkerStuck", {"module": "sales", "worker": "relay"}))
            causes.enter_context(locked(self.database("inventory"), "inventory.products"))
            causes.enter_context(self.many(30, lambda: self.chain.send("/api/inventory/products")))
            self.seen(
                ("PoolExhausted", {"module": "inventory"}), ("RequestsFailing", {"module": "inventory"}),
                ("RequestsLate", {"service": self.service("inventory")}),
            )
            causes.enter_context(locked(self.database("store"), "store.levels"))
            causes.enter_context(self.many(80, lambda: send(shelf, headers=headers)))
            self.seen(("RequestsCut", {"service": store}))
        self.well()

    def test_a_hanging_sale_is_seen(self):
        def slowly():
            with locked(self.database("sales"), "sales.sales"), contextlib.suppress(AssertionError):
                until("a while", lambda: False, 1.5 * SLOW)

        with self.many(4, lambda: self.chain.sell(self.load.shop, uuid.uuid4().hex)), self.many(1, slowly):
            self.seen(("SalesSlow", {}))
        self.well()

    def test_a_chain_that_stops_selling_is_seen(self):
        recorded = "sum(increase(comptoir_sales_recorded_total[20s])) or vector(0)"
        until("some sales", lambda: self.watch.value(recorded) > 30, 60, every=0.5)
        with self.load.turn:
            self.seen(("SalesStopped", {}))
        self.well()

    def test_an_event_that_nobody_understands_and_files_that_run_out_are_seen(self):
        database, store = self.database("sales"), self.service("store")
        psql(database, """
            INSERT INTO sales.outbox
                (event_id, aggregate_type, aggregate_id, seq, event_type, payload, actor_id, recorded_at, tries)
            SELECT gen_random_uuid(), aggregate_type, gen_random_uuid(), 7, event_type, '{}', actor_id, now(), 19
            FROM sales.outbox WHERE event_type = 'sale.recorded.v1' LIMIT 1""")
        with few_files(self.process(store)):
            self.seen(("EventsParked", {"module": "sales"}), ("FilesRunOut", {"service": store}))
        psql(database, "UPDATE sales.outbox SET published_at = now(), parked_at = NULL WHERE parked_at IS NOT NULL")
        self.well()

    def test_tills_that_are_refused_guesses_and_stolen_tokens_are_seen(self):
        def login(email, password, source=None):
            body = {"email": email, "password": password}
            return self.gateway.send("/api/auth/login", "POST", None, body, source or somewhere())

        def refresh(token):
            return self.gateway.send("/api/auth/refresh", "POST", None, {"refresh_token": token})

        def stolen():
            spent = login(EMAIL, PASSWORD).json()["refresh_token"]
            owner = refresh(spent).json()["refresh_token"]
            return refresh(owner).status == 200 and refresh(spent).status == 401

        guess = lambda: login("nobody@comptoir.example", "shelf-candle-42-rivers", "127.9.9.9")
        with self.many(2, lambda: self.load.attempt(1, 1)), self.many(2, guess), self.many(1, stolen):
            self.seen(("SalesRefused", {"reason": "payment"}), ("LoginsThrottled", {}), ("RefreshTokensReused", {}))
        with self.many(60, lambda: login(f"{uuid.uuid4().hex}@comptoir.example", "shelf-candle-42-rivers")):
            self.seen(("LoginsTurnedAway", {}))
        self.well()
