"""Mails: plain text to an office's mailbox by the operator's mail server."""

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from etl.senders.outcome import Outcome

WITHIN_S = 20.0
"""Each step of the talk with the mail server."""

_PORTS = {"smtp": 25, "smtps": 465}


def send(server: str | None, message: EmailMessage, within_s: float = WITHIN_S) -> Outcome:
    """Hand one mail over; `server` is a URL. A password goes over TLS alone."""
    if server is None:
        return Outcome(sent=False, detail="no mail server is set")
    try:
        _hand_over(server, message, within_s)
    except smtplib.SMTPRecipientsRefused:
        return Outcome(sent=False, detail="the mailbox was refused", theirs=True)
    except (smtplib.SMTPException, OSError, ValueError, KeyError) as exc:
        return Outcome(sent=False, detail=f"the mail server did not take it: {type(exc).__name__}")
    return Outcome(sent=True, detail="taken by the mail server")


def _hand_over(server: str, message: EmailMessage, within_s: float) -> None:
    parts = urlsplit(server)
    host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        talk: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=within_s, context=context)
    else:
        talk = smtplib.SMTP(host, port, timeout=within_s)
    with talk:
        talk.ehlo()
        secure = parts.scheme == "smtps"
        if not secure and talk.has_extn("starttls"):
            talk.starttls(context=context)
            talk.ehlo()
            secure = True
        if parts.username is not None:
            if not secure:
                raise ValueError("a password is not sent in the open")
            talk.login(unquote(parts.username), unquote(parts.password or ""))
        talk.send_message(message)
