"""The product as one process behind the real gateway, as compose.yml says."""

import unittest

from chain import PASSWORD, Chain
from compose import TOPOLOGIES, Model
from gateway import Gateway
from routes import Routes
from services import Services


class Whole(Routes, unittest.TestCase):
    """One gateway and one process for all tests."""

    documents = "comptoir"
    owner = dict.fromkeys(
        ("/api/auth/me", "/api/users", "/api/stores", "/api/stocks/movements", "/api/inventory/products",
         "/api/sales", "/api/returns"), "comptoir",
    )

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(Model(TOPOLOGIES["whole"], {"ADMIN_PASSWORD": PASSWORD}))
        cls.services = cls.enterClassContext(Services(cls.gateway.model, cls.gateway.engine))
        cls.enterClassContext(cls.gateway)
        cls.gateway.healthy("comptoir", 1)
        cls.chain = Chain(cls.gateway)

    def test_a_second_replica_shares_the_load(self):
        self.services.add("comptoir")
        self.gateway.healthy("comptoir", 2)
        shop = self.chain.shop(10)
        for number in range(10):
            self.assertEqual(self.chain.sell(shop, f"key-{number}").status, 201)
        self.assertEqual(self.chain.on_hand(shop), 0)
        self.assertEqual(len(self.gateway.servers("comptoir")), 2)


if __name__ == "__main__":
    unittest.main()
