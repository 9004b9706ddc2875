"""Service requests of an Open311 server.

GeoReport v2 answers for 90 days or 1000 requests, whichever is less, and says nothing when it leaves some out.
Many servers know `page` and `page_size`; one that does not shows it by answering the same page again, and then its
windows are split until each fits. The standard asks for XML and leaves JSON to choice; a server without JSON is
refused.

Source: https://wiki.open311.org/GeoReport_v2/ and its page of extensions.
"""

from etl.feed_options import FeedOptions
from etl.feeds.client import Client
from etl.feeds.hotline import hotline
from etl.feeds.paging import Paged
from etl.feeds.wording import Wording


def open311(client: Client, options: FeedOptions, wording: Wording) -> Paged:
    """The requests of the endpoint, asked by the day they were made unless the TOML names other parameters."""
    asked = {
        "url": options.url.rstrip("/") + "/requests.json",
        "since_param": options.since_param or "start_date",
        "until_param": options.until_param or "end_date",
        "paging": "page",
        "page_param": "page",
        "size_param": "page_size",
    }
    return hotline(client, options.model_copy(update=asked), wording)
