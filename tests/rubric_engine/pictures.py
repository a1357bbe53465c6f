"""Pictures for tests, plain and hostile, made on the spot."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image, PngImagePlugin

from rubric_engine.attachments import intake
from rubric_engine.attachments.intake import Taken

SCRIPT = b"<script>alert('ran')</script>"


def picture(kind: str = "PNG", size: tuple[int, int] = (48, 32), mode: str = "RGB", **saved: Any) -> bytes:
    target = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert(mode).save(target, kind, **saved)
    return target.getvalue()


def ring(**kind: Any) -> Taken:
    """An image as it is taken in."""
    return intake.image(data=picture(**kind), title="Rash", description="A red ring on the thigh.")


def with_gps() -> bytes:
    """A JPEG as a phone writes it: place, camera, a comment, and turned by 90°."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x010F] = "SecretCamera"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 8.0, 14.0), 3: "E", 4: (11.0, 34.0, 31.0)})
    return picture("JPEG", exif=exif, comment=b"patient Jane Roe")


def with_text() -> bytes:
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Comment", "patient Jane Roe")
    notes.add_itxt("XML:com.adobe.xmp", "<x:xmpmeta>Jane Roe</x:xmpmeta>")
    return picture("PNG", pnginfo=notes)


def polyglot() -> bytes:
    """A picture that is a page with a script, too, and an archive behind it."""
    return picture("JPEG", comment=SCRIPT) + b"\n" + SCRIPT + b"PK\x03\x04" + b"\0" * 64


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def bomb() -> bytes:
    """A few kilobytes that want 10 gigabytes of memory: 60,000 × 60,000 pixels, all zero."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1_000_000)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def wide_bomb() -> bytes:
    """Just over the cap of pixels, and below the one at which Pillow itself refuses."""
    header = struct.pack(">IIBBBBB", 7_000, 7_000, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", b"") + _chunk(b"IEND", b"")


def text_bomb() -> bytes:
    """A compressed comment of 100 MB in 100 kB."""
    plain = picture()
    text = b"Comment\0\0" + zlib.compress(b"A" * 100_000_000)
    return plain[:33] + _chunk(b"zTXt", text) + plain[33:]


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HOSTILE: dict[str, bytes] = {
    "svg with a script": SVG,
    "svg behind an xml head": b'<?xml version="1.0"?>\n' + SVG,
    "a page": b"<!doctype html>" + SCRIPT,
    "nothing": b"",
    "a gif": picture("GIF"),
    "a bmp": picture("BMP"),
    "a tiff": picture("TIFF"),
    "a pdf": b"%PDF-1.7\n1 0 obj\n<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>\nendobj",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(x) run\n",
    "half of a png": picture("PNG", (400, 400))[:300],
    "half of a jpeg": picture("JPEG", (400, 400))[:500],
    "a png of noise": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4,
    "a jpeg of noise": b"\xff\xd8\xff\xe0" + bytes(range(256)) * 4,
    "a webp of noise": b"RIFF\x20\0\0\0WEBPVP8 " + bytes(range(256)),
    "a bomb": bomb(),
    "a bomb just over the cap": wide_bomb(),
    "a bomb in a comment": text_bomb(),
    "an animated webp": picture(
        "WEBP", save_all=True, append_images=[Image.new("RGB", (48, 32), "red")], duration=100
    ),
    "an animated png": picture("PNG", save_all=True, append_images=[Image.new("RGB", (48, 32), "red")]),
}
