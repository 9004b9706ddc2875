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

        self._cached = Counter(
            "onemap_cache_answers",
            "answers of the cache: hit, miss or stale",
            ["outcome"],
            registry=self._registry,
        )
        self._cached_bytes = Counter(
            "onemap_cache_answered_bytes", "bytes of those answers", ["outcome"], registry=self._registry
        )
        self.cache_bytes = Gauge("onemap_cache_bytes", "bytes of answers kept in memory", registry=self._registry)
        self._counts: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._outcomes = {
            outcome: (self._cached.labels(outcome), self._cached_bytes.labels(outcome))
            for outcome in ("hit", "miss", "stale")
        }

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the path's pattern, never the path itself."""
        kind = (method if method in _METHODS else "other", route, status)
        counts = self._counts.get(kind)
        if counts is None:
            counts = self._counts[kind] = (
                self._requests.labels(kind[0], route, str(status)),
                self._seconds.labels(route),
            )
        counts[0].inc()
        counts[1].observe(seconds)

    def cached(self, outcome: str, size: int) -> None:
        """Count one answer of the cache with its bytes; `outcome` is hit, miss or stale."""
        answers, answered_bytes = self._outcomes[outcome]
        answers.inc()
        answered_bytes.inc(size)

    def text(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
