"""How much one caller may ask for that has to be worked out: token buckets, of this process alone.

Nobody pays for what is kept ready. Who has a token pays from its own bucket, so a stranger who asks for everything
leaves the walls alone; all others pay from one bucket for each address that they come from. Wrong tokens are paid
for apart.
"""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address, ip_network
from math import ceil

from starlette.types import Scope

from layers.core.errors import TooMany
from layers.core.settings import LimitSettings

ASK, PAGE, EXPORT, REPORT = 1.0, 2.0, 50.0, 100.0
"""What is paid for a tile or a figure, for a page of features, for a whole selection, and for anybody's report."""

_KEPT = 1 << 16
_NETWORK_BITS = 64  # one household or office has all addresses of such a network


@dataclass
class Budget:
    """Buckets that refill at `per_s` a second up to `most`, one for each payer; an unknown payer's is full.

    Of each bucket only the moment is kept at which it is full again.
    """

    per_s: float
    most: float
    now: Callable[[], float] = time.monotonic
    _full_at: dict[Hashable, float] = field(default_factory=dict)

    def take(self, payer: Hashable, cost: float = ASK) -> None:
        """Pay `cost`, or nothing where that is not there; what costs more than a full bucket takes a full one.

        Raises
        ------
        TooMany : with the seconds after which it would be there.
        """
        now = self.now()
        full_at = max(self._full_at.pop(payer, now), now)
        then = full_at + min(cost, self.most) / self.per_s
        wait_s = then - now - self.most / self.per_s
        self._full_at[payer] = full_at if wait_s > 0 else then  # at the end: who asked last is forgotten last
        if len(self._full_at) > _KEPT:
            del self._full_at[next(iter(self._full_at))]
        if wait_s > 0:
            raise TooMany("more was asked than may be: ask more slowly", retry_after_s=max(1, ceil(wait_s)))


class Budgets:
    """The budgets of one server process."""

    def __init__(self, limits: LimitSettings) -> None:
        self._public = Budget(limits.public_per_s, limits.public_burst)
        self._token = Budget(limits.token_per_s, limits.token_burst)
        self._wrong = Budget(limits.wrong_tokens_per_s, limits.wrong_tokens_burst)

    def ask(self, scope: Scope, token: str | None, cost: float = ASK) -> None:
        """Pay for an answer to a request whose `token`, if it has one, is known to be good.

        Raises
        ------
        TooMany : the caller has spent its budget.
        """
        if token is None:
            self._public.take(peer(scope), cost)
        else:
            self._token.take(hash(token), cost)

    def guess(self, scope: Scope) -> None:
        """Pay for a token that nobody has. Raises as `ask` does."""
        self._wrong.take(peer(scope))


def peer(scope: Scope) -> str:
    """The address that a request comes from; of IPv6 its network."""
    host = (scope.get("client") or ("local", 0))[0]
    try:
        address = ip_address(host)
    except ValueError:
        return str(host)
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, _NETWORK_BITS), strict=False))
