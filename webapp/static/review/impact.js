/* What an edit does to the reward: a mark where it changes which response wins. */

import { h, replace } from "./dom.js";
import { order } from "./scoring.js";
import { standing } from "./standing.js";
import { t } from "./strings.js";

export class Impact {
  constructor(screen) {
    this.screen = screen;
    this.root = screen.slot("impact");
    this.seen = null;
    this.said = "";
    this.known = null;
    this.flip = null;
  }

  opened() {
    this.seen = null;
    this.said = "";
    this.known = null;
    this.flip = null;
  }

  /** Whether it says something else than the last one; an acknowledged save folds the same content anew. */
  isNew(view) {
    if (view === this.seen) {
      return false;
    }
    const said = JSON.stringify([view.criteria, view.verdicts, view.unjudged]);
    const changed = said !== this.said;
    this.seen = view;
    this.said = said;
    return changed;
  }

  /** The winner before is the last that was known: a new criterion asks for verdicts first, then may turn the order. */
  render() {
    const { view, responses } = this.screen;
    if (!this.isNew(view)) {
      return;
    }
    const winner = winnerOf(view, responses);
    this.flip = winner !== null && this.known !== null && this.known !== winner ? { was: this.known, now: winner } : null;
    this.known = winner ?? this.known;
    replace(this.root, this.flip ? h("p", { class: "impact", role: "status" }, h("strong", null, t("impact_flip")), h("span", null, t("impact_winner", this.flip))) : null);
  }
}

/** The letters of the first group, "A" or "A = B"; null while a verdict is missing, or nothing is there to judge by. */
export function winnerOf(document, responses) {
  const { groups } = standing(document) ? order(document, responses) : {};
  return groups ? groups[0].map(({ response }) => response).sort().join(" = ") : null;
}
