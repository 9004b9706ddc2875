"""Pictures as they may be kept: nothing beside the pixels, and nothing that is no picture."""

import io
import struct
import zlib

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from layers.core.errors import BadValue
from layers.records import photo

GPS, MAKER, ORIENTATION = 0x8825, 0x010F, 0x0112


def picture(kind="JPEG", size=(60, 40), mode="RGB", colour="red", **saved):
    out = io.BytesIO()
    Image.new(mode, size, colour).save(out, kind, **saved)
    return out.getvalue()


def told(**tags):
    """Metadata that says where a picture was taken, and by what."""
    exif = Image.Exif()
    exif[MAKER] = "Secretphone"
    exif[GPS] = {1: "N", 2: (39.0, 54.0, 20.0), 3: "E", 4: (116.0, 23.0, 29.0)}
    exif.update(tags.get("tags", {}))
    return exif


def kept(data):
    return Image.open(io.BytesIO(photo.cleaned(data)))


@pytest.mark.parametrize(
    "given",
    [
        picture(exif=told(), comment=b"Secretphone of a person", icc_profile=b"Secretphone" * 20, xmp=b"<x>Secretphone</x>"),
        picture("PNG", exif=told(), pnginfo=(texts := PngInfo(), texts.add_text("Author", "Secretphone"))[0]),
        picture("WEBP", exif=told(), xmp=b"<x>Secretphone</x>"),
    ],
    ids=["jpeg", "png", "webp"],
)  # fmt: skip
def test_of_a_picture_only_the_pixels_are_kept(given):
    assert b"Secretphone" in given
    clean = photo.cleaned(given)
    assert b"Secretphone" not in clean
    assert b"Exif" not in clean
    with Image.open(io.BytesIO(clean)) as found:
        assert found.format == "JPEG"
        assert dict(found.getexif()) == {}
        assert set(found.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
        red, green, _ = found.getpixel((5, 5))
        assert (red > 240, green < 15) == (True, True)


def test_what_the_camera_held_sideways_stands_upright():
    half = Image.new("RGB", (40, 20), "white")
    half.paste("blue", (0, 0, 20, 20))
    out = io.BytesIO()
    half.save(out, "JPEG", exif=told(tags={ORIENTATION: 6}))
    found = kept(out.getvalue())
    assert found.size == (20, 40)
    assert found.getpixel((10, 5))[2] > 200
    assert found.getpixel((10, 5))[0] < 60


@pytest.mark.parametrize(
    ("size", "expected"), [((4000, 3000), (1280, 960)), ((300, 2600), (148, 1280)), ((9, 9), (9, 9))]
)
def test_the_longer_side_is_reduced_and_a_small_picture_left_as_large_as_it_is(size, expected):
    for kind in ("JPEG", "PNG"):
        width, height = kept(picture(kind, size)).size
        assert (abs(width - expected[0]) <= 1, abs(height - expected[1]) <= 1) == (True, True)


@pytest.mark.parametrize(
    ("mode", "colour"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0)), ("P", 0), ("1", 1), ("I;16", 40000)]
)
def test_every_kind_of_pixels_becomes_plain_ones(mode, colour):
    found = kept(picture("PNG", mode=mode, colour=colour))
    assert found.mode == "RGB"
    if mode in ("RGBA", "LA"):
        assert min(found.getpixel((3, 3))) > 250  # nothing shows through but paper


def bomb(width, height):
    """A PNG of few bytes that says that it is large."""

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")  # fmt: skip


@pytest.mark.parametrize("size", [(50_000, 50_000), (12_000, 8_000), (5_100, 5_000)])
def test_a_picture_that_would_unfold_to_too_many_pixels_is_not_unfolded(size):
    with pytest.raises(BadValue, match="pixels"):
        photo.cleaned(bomb(*size))


def test_what_is_no_whole_picture_of_a_kind_that_is_taken_is_refused():
    whole = picture(size=(300, 200))
    for given in (
        b"", b"\0" * 200, b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", whole[: len(whole) // 2],
        whole[:30], picture("PNG")[:60], picture("WEBP")[:40], picture("GIF"), picture("BMP"), picture("TIFF"),
        bomb(200, 200), bomb(0, 0),
    ):  # fmt: skip
        with pytest.raises(BadValue, match="no whole JPEG, PNG or WebP"):
            photo.cleaned(given)
    with pytest.raises(BadValue, match="bytes"):
        photo.cleaned(whole + b"\0" * photo.MOST_BYTES)
