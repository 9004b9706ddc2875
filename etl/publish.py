"""The public's product computed anew where no load has made it old, but new rules or new words have."""

from datetime import datetime

from etl.load.staging import Connection
from etl.pipeline import idle
from layers.catalog.city import City
from layers.core import events
from layers.heat import public

_WAITS = "select exists (select from onemap.stale_day) as so"


def publish(connection: Connection, city: City, at: datetime) -> bool:
    """Compute what waits for it and tell the screens; a load that is under way does so itself when it lands."""
    with connection.transaction():
        waits = connection.execute(_WAITS).fetchone()
        if not (waits and waits["so"]) or not idle(connection, "incidents"):
            return False
        public.release(connection, city)
        events.begin(connection)
        events.bump(connection, public.LAYER, at)
        return True
