"""A form in parts, as clients write it: what they put in comes out, byte for byte."""

import httpx
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from mapserver.open311.upload import upload_of

LINES = st.sampled_from(
    [b"\r\n", b"--", b"\r\n--", b"\n", b"\r", b"\0", b"\r\n\r\n", b"\xff\xd8\xff", b"Content-Disposition: "]
)
NAMES = st.sampled_from(["service_code", "lat", "description", "attribute[where][]"])


def asked(texts, media):
    """The request in which a client sends these."""
    files = {"media": ('IMG "1".jpg', media, "image/jpeg")}
    sent = httpx.Request("POST", "http://map.test/", data=texts, files=files)
    body = sent.read()
    headers = [(name.lower().encode(), value.encode()) for name, value in sent.headers.items()]

    async def receive():
        return {"type": "http.request", "body": body, "more_body": False}

    return Request({"type": "http", "method": "POST", "headers": headers}, receive)


@given(
    st.dictionaries(NAMES, st.text(max_size=30)), st.lists(LINES | st.binary(max_size=9), min_size=1).map(b"".join)
)
@example({"description": "井盖\r\n--"}, b"\r\n")
async def test_texts_and_the_photo_come_out_as_they_were_put_in(texts, media):
    upload = await upload_of(asked(texts, media))
    assert dict(upload.texts) == texts
    assert upload.media == (media or None)
