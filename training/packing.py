"""The criterion tree: one row of tokens that scores a response under all of its criteria at once.

A row is `[x; y; c1; …; cK]`, or as a pair tree `[x; y_w; c…; y_l; c…]`. Key kv is visible to query q when
`since[kv] ≤ q < end[kv]`: `end` is the end of kv's subtree; `since` is kv itself for a causal backbone, and
the start of kv's segment for an encoder, whose segments see themselves both ways. Positions go on from the
parent, so that every criterion has the positions it would have alone: the packed score *is* the separate one.

Traps (each measured): positions that don't restart, or no mask at all, give wrong scores without an error;
padding that sees nothing gives NaN, so that padding sees itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Segment:
    """A node of the tree: tokens, and the segments that stand on them. Leaves are scored."""

    tokens: tuple[int, ...]
    children: tuple[Segment, ...] = ()


@dataclass(slots=True)
class Row:
    """A tree laid out in one line. All lists but `leaves` have one entry a token.

    `leaves`: (first, last) token of each scored segment, in tree order.
    """

    tokens: list[int] = field(default_factory=list)
    positions: list[int] = field(default_factory=list)
    segment_start: list[int] = field(default_factory=list)
    end: list[int] = field(default_factory=list)
    leaves: list[tuple[int, int]] = field(default_factory=list)


def lay_out(root: Segment) -> Row:
    """Depth-first layout of one tree."""
    row = Row()
    _append(row, root, position=0)
    return row


def separate(root: Segment) -> list[Segment]:
    """The same tree as one chain for each leaf: what the packed row must equal."""
    if not root.children:
        return [root]
    return [Segment(root.tokens, (chain,)) for child in root.children for chain in separate(child)]


def _append(row: Row, segment: Segment, *, position: int) -> None:
    start, size = len(row.tokens), len(segment.tokens)
    row.tokens.extend(segment.tokens)
    row.positions.extend(range(position, position + size))
    row.segment_start.extend([start] * size)
    row.end.extend([0] * size)
    for child in segment.children:
        _append(row, child, position=position + size)
    row.end[start : start + size] = [len(row.tokens)] * size
    if not segment.children:
        row.leaves.append((start, start + size - 1))


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows as tensors. B rows, L tokens (the longest row), N leaves over all rows, in row order."""

    tokens: Tensor
    """[B, L] int64"""
    positions: Tensor
    """[B, L] int64"""
    visible: Tensor
    """[B, 1, L, L] bool: [b, 0, q, kv]"""
    leaf_row: Tensor
    """[N] int64"""
    leaf_first: Tensor
    """[N] int64"""
    leaf_last: Tensor
    """[N] int64"""
    real_tokens: int

    def to(self, device: torch.device) -> Batch:
        return Batch(
            tokens=self.tokens.to(device),
            positions=self.positions.to(device),
            visible=self.visible.to(device),
            leaf_row=self.leaf_row.to(device),
            leaf_first=self.leaf_first.to(device),
            leaf_last=self.leaf_last.to(device),
            real_tokens=self.real_tokens,
        )


def collate(rows: Sequence[Row], *, pad_token: int, causal: bool) -> Batch:
    """Pad rows to the longest one and make their mask, once for all layers."""
    size, length = len(rows), max(len(row.tokens) for row in rows)
    index = torch.arange(length)
    tokens = torch.full((size, length), pad_token, dtype=torch.long)
    positions = torch.zeros((size, length), dtype=torch.long)
    since, end = index.repeat(size, 1), (index + 1).repeat(size, 1)
    for number, row in enumerate(rows):
        used = len(row.tokens)
        tokens[number, :used] = torch.tensor(row.tokens)
        positions[number, :used] = torch.tensor(row.positions)
        end[number, :used] = torch.tensor(row.end)
        if not causal:
            since[number, :used] = torch.tensor(row.segment_start)
    query = index.view(1, length, 1)
    visible = (since.unsqueeze(1) <= query) & (query < end.unsqueeze(1))
    leaves = [(number, *leaf) for number, row in enumerate(rows) for leaf in row.leaves]
    leaf_row, leaf_first, leaf_last = torch.tensor(leaves, dtype=torch.long).T
    return Batch(
        tokens=tokens,
        positions=positions,
        visible=visible.unsqueeze(1),
        leaf_row=leaf_row,
        leaf_first=leaf_first,
        leaf_last=leaf_last,
        real_tokens=sum(len(row.tokens) for row in rows),
    )
