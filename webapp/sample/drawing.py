"""The sample pack's picture, drawn by numbers: a strip of an irregular rhythm. No recording of anybody.

python -m webapp.sample.drawing > strip.png
"""

from __future__ import annotations

import io
import math
import random
import sys

from PIL import Image, ImageDraw

WIDTH, HEIGHT, SQUARE = 720, 200, 8
PAPER, THIN, THICK, INK = "#fffdfa", "#f6dcd6", "#ecb8ad", "#20242c"
BASE = 120
SEED = 3


def strip() -> bytes:
    """A rhythm strip as PNG: narrow beats at uneven distances, no P waves, a fine waver between."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    pen = ImageDraw.Draw(image)
    for place in range(0, WIDTH, SQUARE):
        pen.line([(place, 0), (place, HEIGHT)], fill=THICK if place % (5 * SQUARE) == 0 else THIN)
    for place in range(0, HEIGHT, SQUARE):
        pen.line([(0, place), (WIDTH, place)], fill=THICK if place % (5 * SQUARE) == 0 else THIN)
    pen.line(_trace(), fill=INK, width=2, joint="curve")
    target = io.BytesIO()
    image.quantize(16).save(target, "PNG", optimize=True)
    return target.getvalue()


def _trace() -> list[tuple[float, float]]:
    dice = random.Random(SEED)
    beats: list[int] = []
    place = 30
    while place < WIDTH:
        beats.append(place)
        place += dice.randrange(52, 118)
    return [(float(x), BASE + _waver(x) - sum(_beat(x - beat) for beat in beats)) for x in range(WIDTH)]


def _waver(x: int) -> float:
    return 2.2 * math.sin(x / 3.1) + 1.6 * math.sin(x / 1.9 + 1)


def _beat(after: int) -> float:
    """Height of one beat above the base line, `after` pixels from its peak: Q, R, S, and a T wave."""
    spike = 78 * math.exp(-(after**2) / 5) - 16 * math.exp(-((after - 5) ** 2) / 6)
    return spike - 7 * math.exp(-((after + 5) ** 2) / 6) + 15 * math.exp(-((after - 30) ** 2) / 90)


if __name__ == "__main__":
    sys.stdout.buffer.write(strip())
