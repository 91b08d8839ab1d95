"""A little of everything that a chain does, over and over, so that there is something to see."""

import http.client
import random
import threading
import uuid

from chain import EMAIL, PASSWORD

EUR = "EUR"


def somewhere():
    """An address of its own for each login: those of one address are counted."""
    return f"127.{random.randint(10, 60)}.{random.randint(0, 255)}.{random.randint(1, 254)}"


class Load:
    """Works in the background through the gateway; use it in a `with`. What fails is no matter here."""

    def __init__(self, chain, pause=0.2):
        self.chain, self.pause, self.stopped = chain, pause, threading.Event()
        #: Who holds it keeps everybody from working.
        self.turn = threading.Lock()
        self.shop, self.other = chain.shop(1_000_000), chain.shop(1000)
        self.transfer()
        self.thread = threading.Thread(target=self.work, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()

    def work(self):
        """Round after round, until it is stopped."""
        steps = [self.sales, self.taken_back, self.refusals, self.changes, self.looking, self.sessions]
        while not self.stopped.is_set():
            for step in steps:
                try:
                    with self.turn:
                        step()
                except (OSError, http.client.HTTPException, AssertionError, KeyError, ValueError):
                    pass  # Something is down, which is what the test is about.
                self.stopped.wait(self.pause)

    def post(self, path, body):
        """A POST under a key of its own."""
        return self.chain.send(path, "POST", body, uuid.uuid4().hex)

    def sold(self):
        """The id of a new sale."""
        return self.chain.sell(self.shop, uuid.uuid4().hex).json()["id"]

    def sales(self):
        """Sales, and one that is repeated."""
        key = uuid.uuid4().hex
        for _ in range(2):
            self.chain.sell(self.shop, key)
        for _ in range(6):
            self.sold()

    def taken_back(self):
        """A sale that is voided, and one that comes back."""
        self.post(f"/api/sales/{self.sold()}/void", {"reason": "Rung up twice"})
        lines = [{"disposition": "restock", "line": 1, "quantity": 1}]
        self.post("/api/returns", {"sale_id": self.sold(), "lines": lines, "reason": "unwanted"})

    def attempt(self, quantity, paid):
        """A sale of some quantity that is paid with some amount."""
        store, product = self.shop
        return self.post("/api/sales", {
            "store_id": store, "lines": [{"product_id": product, "quantity": quantity}],
            "payments": [{"tender": "card", "amount": {"amount": paid, "currency": EUR}}],
        })

    def refusals(self):
        """More than there is, and a payment that is too little."""
        self.attempt(10_000_000, 2_490_000_000)
        self.attempt(1, 1)

    def changes(self):
        """An article gets another name, which the others are told of."""
        self.chain.send(f"/api/inventory/products/{self.shop[1]}", "PATCH", {"name": f"Apples {uuid.uuid4().hex[:4]}"})

    def looking(self):
        """What people look at: shelves, articles, reports; and paths that do not exist."""
        store, product = self.shop
        for path in (
            f"/api/stocks/{store}/{product}", "/api/inventory/products", f"/api/inventory/stock?product_id={product}",
            "/api/sales?limit=5", "/api/stores", "/api/users", "/nothing", "/swagger-ui/",
            f"/api/stocks/{store}/{store}", f"/api/inventory/products/{store}",
        ):
            self.chain.send(path)

    def sessions(self):
        """A login, a refresh, and somebody who mistypes."""
        right = {"email": EMAIL, "password": PASSWORD}
        reply = self.chain.gateway.send("/api/auth/login", "POST", None, right, somewhere())
        token = reply.json()["refresh_token"]
        self.chain.gateway.send("/api/auth/refresh", "POST", None, {"refresh_token": token})
        self.chain.token = reply.json()["access_token"]
        wrong = {"email": f"{uuid.uuid4().hex}@comptoir.example", "password": "shelf-candle-42-rivers"}
        self.chain.gateway.send("/api/auth/login", "POST", None, wrong, somewhere())

    def transfer(self):
        """Goods that are on their way from one shop to the other."""
        (source, product), (target, _) = self.shop, self.other
        made = self.post("/api/stocks/transfers", {
            "from_store_id": source, "to_store_id": target, "lines": [{"product_id": product, "quantity": 5}],
        })
        for step in ("request", "approve", "dispatch"):
            reply = self.post(f"/api/stocks/transfers/{made.json()['id']}/{step}", {})
            assert reply.status == 200, reply
