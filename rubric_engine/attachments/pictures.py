"""Pictures from outside: decoded under caps, then drawn anew, so that nothing but pixels comes in.

EXIF, GPS, colour profiles, comments, text chunks and whatever was appended to the file stay behind; the
orientation and the colours that they asked for are applied first.
"""

from __future__ import annotations

import hashlib
import io
import struct
from dataclasses import dataclass

from django.utils.translation import gettext as _
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from rubric_engine.attachments.faults import AttachmentRefused

MAX_BYTES = 12 * 1024 * 1024
MAX_PIXELS = 40_000_000
LONGEST_SIDE = 4096
FORMATS = ("PNG", "JPEG", "WEBP")
SUFFIXES = {"image/png": ".png", "image/jpeg": ".jpg", "image/webp": ".webp"}
SAVED_WITH: dict[str, dict[str, int]] = {
    "PNG": {"compress_level": 7},
    "JPEG": {"quality": 92, "subsampling": 0},
    "WEBP": {"quality": 95, "method": 4},
}
BROKEN = (OSError, ValueError, SyntaxError, EOFError, IndexError, KeyError, struct.error)
"""What Pillow raises on damaged files, by format."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as we keep it; `sha256` is that of `data`."""

    data: bytes
    media_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def redrawn(data: bytes) -> Picture:
    """The picture in `data`, drawn anew without anything that isn't a pixel.

    Raises:
        AttachmentRefused: another kind of file, damaged, animated, or too large.
    """
    if len(data) > MAX_BYTES:
        raise AttachmentRefused(
            "file",
            _("larger than %(n)s MiB; save a smaller picture") % {"n": MAX_BYTES >> 20},
        )
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
            _require_drawable(opened)
            kind = str(opened.format)
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
            pixels = _pixels(opened)
    except Image.DecompressionBombError as fault:
        raise AttachmentRefused("file", _too_many_pixels()) from fault
    except UnidentifiedImageError as fault:
        raise AttachmentRefused(
            "file", _("no picture that we read; PNG, JPEG and WebP pictures are taken")
        ) from fault
    except BROKEN as fault:
        raise AttachmentRefused(
            "file", _("the picture is damaged; save it again and try once more")
        ) from fault
    target = io.BytesIO()
    pixels.save(target, kind, **SAVED_WITH[kind])
    return Picture(target.getvalue(), f"image/{kind.lower()}", pixels.width, pixels.height)


def _too_many_pixels() -> str:
    return _("over %(n)s million pixels; save a smaller picture") % {"n": MAX_PIXELS // 1_000_000}


def _require_drawable(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise AttachmentRefused("file", _too_many_pixels())
    if getattr(image, "n_frames", 1) > 1:
        raise AttachmentRefused("file", _("a moving picture; save one frame of it"))


def _pixels(image: Image.Image) -> Image.Image:
    """Upright, in sRGB or grey, at most LONGEST_SIDE long, in a new image that carries no metadata."""
    upright = ImageOps.exif_transpose(image)
    clear = "A" in upright.getbands() or "transparency" in upright.info
    drawn = upright if upright.mode == "L" else _in_srgb(upright, "RGBA" if clear else "RGB")
    if image.format == "JPEG" and drawn.mode == "RGBA":
        drawn = drawn.convert("RGB")
    drawn.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return Image.frombytes(drawn.mode, drawn.size, drawn.tobytes())


def _in_srgb(image: Image.Image, mode: str) -> Image.Image:
    """By the picture's own colour profile where it has one that can be used."""
    profile = image.info.get("icc_profile")
    if isinstance(profile, bytes) and image.mode in ("RGB", "RGBA", "CMYK"):
        try:
            given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            ours = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, given, ours, outputMode=mode)
        except (ImageCms.PyCMSError, OSError, ValueError):
            turned = None
        if turned is not None:
            return turned
    return _eight_bits(image).convert(mode)


def _eight_bits(image: Image.Image) -> Image.Image:
    """16-bit greys keep their range: a plain conversion would cut everything above 255 to white."""
    if not image.mode.startswith("I"):
        return image
    return image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
