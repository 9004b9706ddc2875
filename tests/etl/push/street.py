"""A city whose news is sent to offices by hand."""

from datetime import timedelta

from etl.courier import Courier
from layers.core.settings import PushSettings
from layers.push import news, subscription
from layers.push.news import TOPICS
from tests import toy
from tests.layers.cases.desk import AT, Desk, policies_in, report
from tests.mapserver.conftest import Moving

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
OPEN = PushSettings(private_targets=True)


class Street:
    """A city whose cases are moved by hand, and a courier with a clock that is set by hand."""

    def __init__(self, connection, url, folder):
        self.url, self.connection = url, connection
        self.desk = Desk(connection, policies_in(folder))
        self.clock = Moving(AT)
        self.settings = OPEN
        connection.execute(news.begin().sql)
        connection.commit()

    def courier(self, connection=None):
        return Courier(connection or self.connection, toy.CITY, self.clock, self.settings)

    def wish(self, address, kind="webhook", **given):
        plain = {
            "kind": kind, "address": address, "secret": "top", "audience": "room", "area_id": None, "categories": [],
            "zone_types": [], "topics": list(TOPICS), "language": "en", "quiet_from": None, "quiet_to": None,
            "red_passes": False, "digest_min": 0, "note": "", "at": AT - HOUR,
        }  # fmt: skip
        (made,) = self.desk.run(subscription.add(plain | given))
        self.connection.commit()
        return made["subscription_id"]

    def register(self, key="1", **facts):
        made = self.desk.register(report(key, **facts))["case_id"]
        self.connection.commit()
        return made

    def move(self, case_id, *codes):
        for minute, code in enumerate(codes, 1):
            assert self.desk.move(case_id, code, minute)
        self.connection.commit()

    def spread(self):
        while self.courier().spread():
            pass

    def deliver(self, to):
        while self.courier().deliver(to):
            pass

    def rows(self, query, *values):
        found = self.connection.execute(query, values).fetchall()
        self.connection.commit()
        return found

    def log(self, to):
        return [
            (row["outcome"], row["detail"])
            for row in self.rows(
                "select * from onemap.delivery_log where subscription_id = %s order by delivery_log_id", to
            )
        ]
