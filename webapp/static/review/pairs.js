/* Which rows can be paired otherwise, and as what. Pure. */

import { asks, hasOneVoice, liveCell, rowsOf } from "./rows.js";

/** Rows that can become one with `row`: both ask, no column speaks in both, and not both are drafted. */
export function joinable(document, row) {
  if (!asks(row)) {
    return [];
  }
  return rowsOf(document).filter((other) => other !== row && asks(other) && fits(document, row, other));
}

function fits(document, row, other) {
  const [kept, gone] = keptFirst(row, other);
  return gone.origin !== "draft" && hasOneVoice(document, cellsTogether(document, kept, gone));
}

const keptFirst = (row, other) => (other.origin === "draft" ? [other, row] : [row, other]);

function cellsTogether(document, kept, gone) {
  return kept.cells.map((cell, place) =>
    liveCell(document, kept, place) ? [...cell, ...gone.cells[place]] : [...gone.cells[place], ...cell],
  );
}

/** The payload of `align` that makes one row of two; a drafted row keeps its key. */
export function united(row, other, document) {
  const [kept, gone] = keptFirst(row, other);
  return { from: [kept.key, gone.key], to: [{ key: kept.key, cells: cellsTogether(document, kept, gone) }] };
}

/** The payload of `align` that gives what stands in a column a row of its own, under `key`. */
export function parted(row, place, key) {
  const [taken, ...left] = row.cells[place];
  const rest = row.cells.map((cell, at) => (at === place ? left : cell));
  return {
    from: [row.key],
    to: [
      { key: row.key, cells: rest },
      { key, cells: [0, 1, 2].map((at) => (at === place ? [taken] : [])) },
    ],
  };
}
