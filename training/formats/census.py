"""Counting while writing: what the manifest and the card say of a snapshot. Pure."""

from __future__ import annotations

from collections import Counter
from typing import Any

from training.formats.items import SPLITS, Item, Pair


class Census:
    """Fed with each item and its pairs once."""

    def __init__(self) -> None:
        self._items: Counter[str] = Counter()
        self._origins: Counter[str] = Counter()
        self._pairs: Counter[str] = Counter()
        self._dimensions: Counter[str] = Counter()
        self._strengths: Counter[str] = Counter()
        self._polarities: Counter[str] = Counter()
        self._sources: Counter[tuple[str, str, str]] = Counter()
        self._response_pairs = 0
        self._verdicts = 0

    def add(self, item: Item, pairs: list[Pair]) -> None:
        self._items[item["split"]] += 1
        self._origins[item["origin"]] += 1
        self._sources[item["source_key"], item["source"], item["licence"]] += 1
        self._pairs[item["split"]] += len(pairs)
        self._strengths[item["strength"]] += len(pairs)
        self._dimensions.update(pair.criterion.dimension.value for pair in pairs)
        self._polarities.update(pair.criterion.polarity.value for pair in pairs)
        self._response_pairs += len({frozenset((pair.chosen, pair.rejected)) for pair in pairs})
        self._verdicts += sum(len(verdicts) for verdicts in item["verdicts"].values())

    def counts(self) -> dict[str, Any]:
        return {
            "items": self._items.total(),
            "gold": self._origins["gold"],
            "imported": self._origins["imported"],
            "verdicts": self._verdicts,
            "response_pairs": self._response_pairs,
            "pairs": {
                "total": self._pairs.total(),
                "by_dimension": dict(sorted(self._dimensions.items())),
                "by_polarity": dict(sorted(self._polarities.items())),
                "by_strength": dict(sorted(self._strengths.items())),
            },
            "splits": {split: {"items": self._items[split], "pairs": self._pairs[split]} for split in SPLITS},
        }

    def sources(self) -> list[dict[str, Any]]:
        return [
            {"source_key": key, "source": source, "licence": licence, "items": items}
            for (key, source, licence), items in sorted(self._sources.items())
        ]

    def licences(self) -> list[str]:
        return sorted({licence for _, _, licence in self._sources})
