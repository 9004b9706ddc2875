"""A picture that somebody took, as it may be kept: smaller, and without all that was written beside its pixels."""

import io

from layers.core.errors import BadValue

MOST_BYTES = 8_000_000
MOST_PIXELS = 25_000_000
SIDE_PX = 1280
"""The longer side of what is kept, at most."""

_KINDS = ("JPEG", "PNG", "WEBP")
_QUALITY = 80


def cleaned(data: bytes) -> bytes:
    """A new JPEG of the same picture, upright: its pixels only, no place, time, maker or profile.

    The largest takes 250 megabytes while it is open: do one at a time.

    Raises
    ------
    BadValue : it is no JPEG, PNG or WebP by what it holds, is broken, or has too many bytes or pixels.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415 - only who is sent a picture needs it

    if len(data) > MOST_BYTES:
        raise BadValue(f"media: it has more than {MOST_BYTES:,} bytes", parameter="media")
    too_many = BadValue(f"media: it has more than {MOST_PIXELS:,} pixels", parameter="media")
    try:
        with Image.open(io.BytesIO(data), formats=_KINDS) as given:
            if given.width * given.height > MOST_PIXELS:
                raise too_many
            given.draft("RGB", (SIDE_PX, SIDE_PX))  # a JPEG is read no larger than it has to be
            given.thumbnail((SIDE_PX, SIDE_PX))
            upright = ImageOps.exif_transpose(given).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise too_many from exc
    except (OSError, SyntaxError, ValueError, ArithmeticError, LookupError, TypeError, EOFError) as exc:
        raise BadValue("media: it is no whole JPEG, PNG or WebP", parameter="media") from exc
    plain = Image.new("RGB", upright.size, "white")
    plain.paste(upright, mask=upright.getchannel("A"))
    out = io.BytesIO()
    plain.save(out, "JPEG", quality=_QUALITY, optimize=True)
    return out.getvalue()
