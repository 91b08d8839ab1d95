"""The four services, each with its own database, behind the real gateway, as compose.split.yml says."""

import collections
import signal
import threading
import unittest
import uuid

from chain import PASSWORD, Chain
from compose import TOPOLOGIES, Model
from gateway import Gateway
from routes import Routes
from services import Services
from web import send, until


class Split(Routes, unittest.TestCase):
    """One gateway and four services for all tests; each test has a shop of its own."""

    files, documents = TOPOLOGIES["split"], "auth"
    owner = {
        "/api/auth/me": "auth", "/api/users": "auth", "/api/stores": "store", "/api/stocks/movements": "store",
        "/api/inventory/products": "inventory", "/api/sales": "sales", "/api/returns": "sales",
    }

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(Model(cls.files, {"ADMIN_PASSWORD": PASSWORD}))
        cls.services = cls.enterClassContext(Services(cls.gateway.model, cls.gateway.engine))
        cls.enterClassContext(cls.gateway)
        for service in set(cls.owner.values()):
            cls.gateway.healthy(service, 1)
        cls.chain = Chain(cls.gateway)

    def test_only_auth_has_what_signs_tokens(self):
        made = {v: {path.name for path in (self.services.volumes / v).iterdir()} for v in ("keys", "auth-keys")}
        self.assertEqual(made["keys"], {"internal-secret", "database-password"})
        self.assertEqual(made["auth-keys"], {"signing-key.pem", "pepper"})

    def replicas(self, count):
        """Exactly so many replicas of sales, all of them alive."""
        engine = self.services.engine
        for container in engine.of("sales"):
            if self.services.processes[container].poll() is not None or len(engine.of("sales")) > count:
                self.services.kill(container)
                engine.remove(container)
        while len(engine.of("sales")) < count:
            self.services.add("sales")
        return self.gateway.healthy("sales", count)

    def served_by(self, path):
        """How many requests for a path each replica got."""
        lines = [line for line in self.gateway.accesses() if line["RequestPath"] == path]
        return collections.Counter(line["ServiceURL"] for line in lines)

    def test_a_new_replica_is_found_and_takes_its_share(self):
        self.replicas(1)
        self.services.add("sales")
        self.assertLess(self.gateway.healthy("sales", 2), 5)
        self.assertEqual(len(self.gateway.servers("sales")), 2)
        nothing = f"/api/sales/{uuid.uuid4()}"
        for _ in range(40):
            self.problem(self.chain.send(nothing), 404)
        until("the access log", lambda: sum(self.served_by(nothing).values()) == 40)
        self.assertEqual(sorted(self.served_by(nothing).values()), [20, 20])

    def test_a_killed_replica_loses_and_doubles_no_sale(self):
        self.replicas(2)
        shop = self.chain.shop(1000)
        keys, answers, stopped = [uuid.uuid4().hex for _ in range(400)], {}, threading.Event()

        def till(mine):
            for key in mine:
                if not stopped.is_set():
                    answers[key] = self.chain.sell(shop, key)

        tills = [threading.Thread(target=till, args=(keys[i::4],)) for i in range(4)]
        for thread in tills:
            thread.start()
        until("sales", lambda: len(answers) > 20)
        dead = self.services.engine.of("sales")[0]
        self.services.kill(dead)
        down = until("DOWN", lambda: self.gateway.servers("sales")[self.services.url(dead)] == "DOWN")
        self.assertLess(down, 1.0)
        until("sales by the other", lambda: len(answers) > 200, 60)
        stopped.set()
        for thread in tills:
            thread.join()

        unclear = [key for key, reply in answers.items() if reply.status != 201]
        self.assertLess(len(unclear), 10, [answers[key] for key in unclear])
        for key in answers:
            again = until_sold(self.chain, shop, key)
            if key not in unclear:
                self.assertEqual(again.json()["id"], answers[key].json()["id"])
                self.assertEqual(again.headers["Idempotent-Replayed"], "true")
        self.assertEqual(len(self.chain.sales(shop)), len(answers))
        until("the shelf", lambda: self.chain.on_hand(shop) == 1000 - len(answers))
        self.replicas(1)

    def test_a_rolling_restart_is_not_noticed(self):
        self.replicas(2)
        shop = self.chain.shop(1_000_000)
        answers, stopped = [], threading.Event()

        def till():
            while not stopped.is_set():
                answers.append(self.chain.sell(shop, uuid.uuid4().hex))

        tills = [threading.Thread(target=till) for _ in range(3)]
        for thread in tills:
            thread.start()
        try:
            for container in self.services.engine.of("sales"):
                fresh = self.services.add("sales")
                until("the new one", lambda: self.gateway.servers("sales").get(self.services.url(fresh)) == "UP")
                self.assertEqual(self.services.stop(container), 0)
                self.services.engine.remove(container)
        finally:
            stopped.set()
            for thread in tills:
                thread.join()
        bad = [reply for reply in answers if reply.status != 201]
        self.assertEqual(len(bad), 0, f"of {len(answers)}: {bad[:3]}")
        self.replicas(1)

    def test_a_replica_that_is_to_stop_says_so_and_goes_on_answering(self):
        replica = self.services.add("sales")
        self.services.signal(replica, signal.SIGTERM)
        url = self.services.url(replica)
        until("unready", lambda: send(url + "/health/ready").status == 503)
        self.assertEqual(send(url + "/health/live").status, 200)
        self.problem(send(url + "/api/sales"), 401)
        self.assertEqual(self.services.processes[replica].wait(25), 0)
        self.services.engine.remove(replica)

    def test_a_service_that_is_away_takes_down_only_what_needs_it(self):
        shop = self.chain.shop(10)
        [inventory] = self.services.engine.of("inventory")
        self.services.kill(inventory)
        until("DOWN", lambda: list(self.gateway.servers("inventory").values()) == ["DOWN"])
        self.assertEqual(self.chain.send("/api/inventory/products").status, 503)
        for path in ("/api/auth/me", "/api/stores", "/api/sales"):
            self.assertEqual(self.chain.send(path).status, 200, path)
        self.services.start(inventory)
        self.gateway.healthy("inventory", 1)
        until("the catalogue", lambda: self.chain.send("/api/inventory/products").status == 200)
        until_sold(self.chain, shop, uuid.uuid4().hex)


def until_sold(chain, shop, key):
    """Repeats a sale under its key, as a till does, until it stands."""
    replies = []

    def sold():
        replies.append(chain.sell(shop, key))
        return replies[-1].status == 201

    until("the sale", sold, 10)
    return replies[-1]


if __name__ == "__main__":
    unittest.main()
