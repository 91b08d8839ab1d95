"""Every label of every topology takes effect in the real Traefik; and a label that does not is
reported, so that the first claim means something."""

import copy
import unittest

from compose import TOPOLOGIES, Model
from gateway import Gateway
from labels import findings


def found_in(model):
    """What is wrong with a model's labels, in the words of the check."""
    with Gateway(model) as gateway:
        return findings(model, gateway.api("/api/rawdata"), gateway.complaints())


class Labels(unittest.TestCase):
    """The labels as they are."""

    def test_every_label_of_every_topology_takes_effect(self):
        for name, files in TOPOLOGIES.items():
            with self.subTest(name):
                self.assertEqual(found_in(Model(files)), [])


#: A mistake -> (the service, what it does to the labels, what the report must name).
MISTAKES = {
    "a typo in a key": ("sales", {"traefik.http.routers.sales.rulee": "Path(`/x`)"}, "rulee"),
    "a retry without attempts": ("traefik", {"traefik.http.middlewares.retry.retry.attempts": None}, "retry"),
    "a pattern of version 2": ("store", {"traefik.http.routers.store.rule": "Path(`/api/stores/{id:[0-9]+}`)"}, "pattern of Traefik 2"),
    "a matcher of two arguments": ("store", {"traefik.http.routers.store.rule": "PathPrefix(`/api/stores`,`/api/stocks`)"}, "store"),
    "a middleware that nobody uses": ("sales", {"traefik.http.middlewares.idle.compress": "true"}, "idle@docker"),
    "a middleware that is not there": ("sales", {"traefik.http.routers.sales.middlewares": "apo"}, "sales@docker"),
    "a limit without an average": ("traefik", {"traefik.http.middlewares.rate.ratelimit.average": None}, "average"),
    "a health check without a path": ("sales", {"traefik.http.services.sales.loadbalancer.healthcheck.path": None}, "without a path"),
    "a value that is no number": ("traefik", {"traefik.http.middlewares.in-flight.inflightreq.amount": "many"}, "in-flight"),
    "a ratio in per cent": ("traefik", {"traefik.http.middlewares.breaker.circuitbreaker.expression": "NetworkErrorRatio() > 30"}, "never reached"),
    "an expression that is none": ("traefik", {"traefik.http.middlewares.breaker.circuitbreaker.expression": "NetworkErrors > 0.3"}, "breaker"),
    "a service that is not enabled": ("sales", {"traefik.enable": "false"}, "traefik.enable"),
    "a service that no router uses": ("sales", {"traefik.http.services.spare.loadbalancer.server.port": "3034"}, "spare@docker"),
    "two containers that disagree": ("store", {"traefik.http.middlewares.rate.ratelimit.average": "7"}, "rate"),
    "a label of another world": ("sales", {"traefik.frontend.rule": "Host:x"}, "traefik.frontend.rule"),
}


class LabelCheck(unittest.TestCase):
    """The check can fail."""

    def test_every_mistake_is_reported_by_name(self):
        sound = Model(TOPOLOGIES["split"])
        for mistake, (service, changes, named) in MISTAKES.items():
            with self.subTest(mistake):
                model = copy.deepcopy(sound)
                labels = model.services[service]["labels"]
                for key, value in changes.items():
                    labels.pop(key, None)
                    if value is not None:
                        labels[key] = value
                report = found_in(model)
                self.assertTrue(any(named in line for line in report), report)


if __name__ == "__main__":
    unittest.main()
