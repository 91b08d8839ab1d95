"""A shop that works through the gateway: signs in, stocks a shelf, sells."""

import os
import uuid

EMAIL = os.environ.get("ADMIN_EMAIL", "admin@comptoir.example")
PASSWORD = os.environ.get("ADMIN_PASSWORD", "shelf-candle-42-river")


class Chain:
    """An administrator at the gateway."""

    def __init__(self, gateway, source=None):
        self.gateway, self.source = gateway, source
        self.token = self.sign_in()

    def sign_in(self, headers=None):
        """A token of the first administrator."""
        body = {"email": EMAIL, "password": PASSWORD}
        reply = self.gateway.send("/api/auth/login", "POST", headers, body, self.source)
        assert reply.status == 200, reply
        return reply.json()["access_token"]

    def send(self, path, method="GET", body=None, key=None):
        """One request of the administrator's."""
        headers = {"Authorization": f"Bearer {self.token}"}
        if key:
            headers["Idempotency-Key"] = key
        return self.gateway.send(path, method, headers, body, self.source)

    def made(self, path, body):
        """The id of what a POST made."""
        reply = self.send(path, "POST", body)
        assert reply.status == 201, reply
        return reply.json().get("id")

    def shop(self, quantity):
        """A new shop with so many of a new product for 2.49 on its shelf."""
        code = uuid.uuid4().hex[:12].upper()
        settings = {"timezone": "UTC", "day_cutoff": "00:00", "currency": "EUR", "tax_mode": "included"}
        store = self.made("/api/stores", {"code": code, "name": "Shop", "kind": "sales", "settings": settings})
        price = {"amount": 249, "currency": "EUR"}
        product = self.made("/api/inventory/products", {
            "sku": f"P-{code}", "name": "Apples", "unit": "each", "price": price, "tax_rate": 2000,
        })
        self.made("/api/stocks/adjustments", {"items": [{
            "type": "adjust", "store_id": store, "product_id": product, "delta": quantity, "reason": "opening",
        }]})
        return store, product

    def on_hand(self, shop):
        """What is on the shelf."""
        store, product = shop
        return self.send(f"/api/stocks/{store}/{product}").json()["on_hand"]

    def sell(self, shop, key):
        """Sells one."""
        store, product = shop
        return self.send("/api/sales", "POST", {
            "store_id": store, "lines": [{"product_id": product, "quantity": 1}],
            "payments": [{"tender": "card", "amount": {"amount": 249, "currency": "EUR"}}],
        }, key)

    def sales(self, shop):
        """The ids of all sales of a shop."""
        found, cursor = [], ""
        while cursor is not None:
            page = self.send(f"/api/sales?store_id={shop[0]}&limit=200{cursor}").json()
            found += [sale["id"] for sale in page["items"]]
            cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
        return found
