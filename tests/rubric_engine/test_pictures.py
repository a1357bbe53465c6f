"""Protects against pictures from outside: only pixels come in, whatever else a file carries or claims."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageCms

from rubric_engine.attachments.faults import AttachmentRefused
from rubric_engine.attachments.pictures import LONGEST_SIDE, MAX_BYTES, redrawn
from tests.rubric_engine import pictures


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_picture_keeps_its_format_and_size(kind: str) -> None:
    taken = redrawn(pictures.picture(kind))
    assert (taken.media_type, taken.width, taken.height) == (f"image/{kind.lower()}", 48, 32)
    assert opened(taken.data).format == kind


@pytest.mark.parametrize("name", pictures.HOSTILE)
def test_a_hostile_file_is_refused_with_a_reason(name: str) -> None:
    with pytest.raises(AttachmentRefused) as refused:
        redrawn(pictures.HOSTILE[name])
    assert refused.value.field == "file"
    assert len(refused.value.reason) > 15


def test_a_file_over_the_cap_is_refused_unread() -> None:
    with pytest.raises(AttachmentRefused, match="12 MiB"):
        redrawn(b"\0" * (MAX_BYTES + 1))


def test_place_camera_and_comments_of_a_phone_are_gone_and_the_picture_stands_upright() -> None:
    given = pictures.with_gps()
    assert b"SecretCamera" in given
    assert opened(given).getexif().get_ifd(0x8825)
    taken = redrawn(given)
    kept = opened(taken.data)
    assert (kept.width, kept.height) == (32, 48)
    assert not kept.getexif()
    assert not kept.getexif().get_ifd(0x8825)
    assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "dpi"}
    for secret in (b"SecretCamera", b"Jane", b"Exif", b"GPS"):
        assert secret not in taken.data


def test_text_chunks_of_a_png_are_gone() -> None:
    given = pictures.with_text()
    assert b"Jane Roe" in given
    taken = redrawn(given)
    assert b"Jane" not in taken.data
    assert opened(taken.data).info == {}


def test_nothing_that_was_appended_or_hidden_in_a_polyglot_comes_along() -> None:
    given = pictures.polyglot()
    assert pictures.SCRIPT in given
    taken = redrawn(given)
    assert b"script" not in taken.data
    assert b"PK\x03\x04" not in taken.data
    assert taken.data.endswith(b"\xff\xd9")


def test_a_colour_profile_is_applied_and_dropped() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    taken = redrawn(pictures.picture("JPEG", icc_profile=profile))
    assert "icc_profile" not in opened(taken.data).info
    broken = redrawn(pictures.picture("PNG", icc_profile=b"no profile at all"))
    assert "icc_profile" not in opened(broken.data).info


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_mode_of_a_png_is_drawn(mode: str) -> None:
    target = io.BytesIO()
    plain = Image.linear_gradient("L").resize((48, 32))
    image = (
        plain.convert("I").point(lambda value: value * 256).convert("I;16")
        if mode == "I;16"
        else plain.convert(mode)
    )
    image.save(target, "PNG")
    kept = opened(redrawn(target.getvalue()).data)
    assert kept.mode in {"L", "RGB", "RGBA"}
    low, high = kept.convert("L").getextrema()
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    assert high - low > 200


def test_a_cmyk_jpeg_becomes_rgb() -> None:
    assert opened(redrawn(pictures.picture("JPEG", mode="CMYK")).data).mode == "RGB"


def test_a_large_photograph_is_made_smaller() -> None:
    taken = redrawn(pictures.picture("JPEG", (6000, 3000), mode="L"))
    assert max(taken.width, taken.height) <= LONGEST_SIDE
    assert taken.width == 2 * taken.height


def test_the_same_picture_has_the_same_hash() -> None:
    assert redrawn(pictures.picture()).sha256 == redrawn(pictures.picture()).sha256
