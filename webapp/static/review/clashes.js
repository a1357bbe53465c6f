/* Where two windows wrote on one item: what of ours stands against theirs. */

import { Refused, apply } from "./document.js";
import { touched } from "./inverse.js";

/** Those of `pending` that would undo what the other wrote between `before` and `now`. */
export function clashes(before, now, pending) {
  return pending.filter((operation) => clashing(before, now, operation));
}

function clashing(before, now, { kind, payload }) {
  if (touched(before, kind, payload) === touched(now, kind, payload)) {
    return false;
  }
  try {
    return touched(apply(now, kind, payload), kind, payload) !== touched(now, kind, payload);
  } catch (error) {
    if (error instanceof Refused) {
      return true;
    }
    throw error;
  }
}

/** Both accepted the same: there is nothing left to send. */
export function satisfied(ours, now, { kind, payload }) {
  return kind === "accept" && now.submitted && touched(ours, kind, payload) === touched(now, kind, payload);
}
