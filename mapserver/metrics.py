"""Figures about this process for Prometheus. With several workers each answers for itself alone."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """The figures of one app; each app has a registry of its own, so that two in one process do not collide."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "onemap_requests", "requests answered", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "onemap_request_seconds",
            "seconds to the first byte of an answer",
            ["route"],
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.live_clients = Gauge("onemap_live_clients", "screens that follow /live", registry=self._registry)
        self.live_dropped = Counter(
            "onemap_live_dropped", "screens dropped because they read too slowly", registry=self._registry
        )

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the path's pattern, never the path itself."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
