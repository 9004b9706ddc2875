"""News by mail, over a real mail server on loopback."""

import pytest
from pydantic import SecretStr

from layers.core.settings import PushSettings
from tests.etl.push.receivers import post_office
from tests.etl.push.street import HOUR, MINUTE


@pytest.mark.parametrize(
    ("language", "subject", "word"),
    [("zh", "[玩具城] 2 条通知", "新事项"), ("en", "[Toy City] 2 notices", "New case")],
)
def test_mails_gather_what_comes_within_a_digest(street, language, subject, word):
    with post_office() as post:
        street.settings = PushSettings(
            smtp_url=SecretStr(f"smtp://127.0.0.1:{post.port}"), mail_from="map@city.example"
        )
        to = street.wish("duty@office.example", "mail", digest_min=15, language=language)
        street.register("1")
        street.spread()
        street.register("2")
        street.spread()
        street.deliver(to)
        assert post.mails == []
        street.clock.at += 15 * MINUTE
        street.deliver(to)
        street.deliver(to)
    (mail,) = post.mails
    assert (mail["Subject"], mail["To"], mail["From"]) == (subject, "duty@office.example", "map@city.example")
    assert mail.get_content().count(word) == 2
    assert street.log(to) == [("sent", "taken by the mail server")] * 2


def test_a_mailbox_that_is_unknown_and_a_server_that_is_away_are_noted_and_no_password_goes_in_the_open(street):
    with post_office() as post:
        post.refuses.add("gone@office.example")
        server = f"smtp://127.0.0.1:{post.port}"
        street.settings = PushSettings(smtp_url=SecretStr(server))
        to = street.wish("gone@office.example", "mail")
        street.register()
        street.spread()
        street.deliver(to)
        street.clock.at += HOUR
        street.settings = PushSettings(smtp_url=SecretStr(server.replace("//", "//user:hush@")))
        street.deliver(to)
        assert not [word for word in post.said if "AUTH" in word or "hush" in word]
    street.clock.at += HOUR
    street.deliver(to)
    assert street.log(to) == [
        ("failed", "the mailbox was refused"),
        ("failed", "the mail server did not take it: ValueError"),
        ("failed", "the mail server did not take it: ConnectionRefusedError"),
    ]
    assert "hush" not in repr(street.settings)


def test_what_is_no_mailbox_of_an_office_any_more_gets_no_mail(street):
    with post_office() as post:
        street.settings = PushSettings(smtp_url=SecretStr(f"smtp://127.0.0.1:{post.port}"))
        to = street.wish("zhang@free.example", "mail")
        street.register()
        street.spread()
        street.deliver(to)
        assert post.mails == []
    ((outcome, detail),) = street.log(to)
    assert (outcome, detail.split(";")[0]) == ("failed", "address: free.example is no office's")
