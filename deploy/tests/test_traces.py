"""One sale through the gateway and four services is one trace, down to the statements of the databases,
and is found in logs and metrics: compose.traces.yml, with a receiver in Jaeger's place."""

import json
import os
import re
import unittest
import uuid

from chain import PASSWORD, Chain
from collector import Collector, tree
from compose import TOPOLOGIES, Model
from gateway import Gateway
from services import Services
from web import send, until

#: What is asked of each process, as (process, span, process of the span above).
WAY = [
    ("comptoir-sales", "POST /api/sales", "traefik"),
    ("comptoir-store", "stock.hold", "comptoir-sales"),
    ("comptoir-store", "COMMIT", "comptoir-store"),
    ("comptoir-sales", "INSERT", "comptoir-sales"),
    ("comptoir-sales", "COMMIT", "comptoir-sales"),
]


class Traces(unittest.TestCase):
    """The split with its overlay."""

    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway(Model(TOPOLOGIES["split, traces"], {"ADMIN_PASSWORD": PASSWORD}))
        [jaeger] = cls.gateway.engine.of("jaeger")
        cls.collector = cls.enterClassContext(Collector(jaeger.address, 4318))
        cls.services = cls.enterClassContext(Services(cls.gateway.model, cls.gateway.engine))
        cls.enterClassContext(cls.gateway)
        for service in ("auth", "store", "inventory", "sales"):
            cls.gateway.healthy(service, 1)
        cls.chain = Chain(cls.gateway)

    def told(self, service, trace):
        """The lines of a service's log that name a trace."""
        [container] = self.gateway.engine.of(service)
        lines = self.services.log_path(container).read_text().splitlines()
        return [json.loads(line) for line in lines if trace in line]

    def counted(self, service, series):
        """What a service counts."""
        [container], port = self.gateway.engine.of(service), {"sales": 4034, "store": 4032}[service]
        text = send(f"http://{container.address}:{port}/metrics").body.decode()
        return float(re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)[1])

    def missing(self, trace):
        """The steps of the way that are not in a trace."""
        spans = self.collector.of(trace)
        above = lambda span: spans[span.parent].service if span.parent in spans else None
        there = {(span.service, span.name, above(span)) for span in spans.values()}
        return [step for step in WAY if step not in there]

    def test_one_sale_is_found_everywhere_by_its_trace(self):
        shop = self.chain.shop(10)
        sold = self.chain.sell(shop, str(uuid.uuid4()))
        self.assertEqual(sold.status, 201, sold)
        mine = lambda: [line for line in self.gateway.accesses() if line["RequestPath"] == "/api/sales"]
        until("the gateway's line", mine)
        trace = mine()[0]["TraceId"]

        try:
            until("the whole way", lambda: not self.missing(trace), 30)
        except AssertionError:
            self.fail("\n".join([str(self.missing(trace)), *tree(self.collector.of(trace).values())]))
        until("the delivery of its event", lambda: self.collector.linked(trace), 30)
        spans = self.collector.of(trace)
        roots = [span for span in spans.values() if span.parent not in spans]
        self.assertEqual([span.service for span in roots], ["traefik"], "everything hangs together")
        self.assertIn("comptoir-sales", {span.service for span in self.collector.linked(trace)})

        [line] = [line for line in self.told("sales", trace) if line["message"] == "request"]
        self.assertEqual((line["route"], line["method"], line["status"]), ("/api/sales", "POST", 201))
        self.assertEqual(self.counted("sales", "comptoir_sales_recorded_total"), 1)
        self.assertEqual(self.counted("store", 'comptoir_holds_taken_total{outcome="held"}'), 1)
        if path := os.environ.get("TRACE"):
            self.write(path, trace, mine()[0], line)

    def write(self, path, trace, access, line):
        """For people: what there is of one sale."""
        spans = self.collector.of(trace).values()
        linked = [f"{span.service}: {span.name} {span.millis:.1f} ms" for span in self.collector.linked(trace)]
        shown = [json.dumps(access), json.dumps(line), *tree(spans), "linked to it:", *linked]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(shown) + "\n")


if __name__ == "__main__":
    unittest.main()
