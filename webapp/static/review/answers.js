/* What a lead answered to one's flags, above the rubric of the item. */

import { h, replace } from "./dom.js";
import { reasonLabel, t } from "./strings.js";

export class Answers {
  constructor(screen) {
    this.screen = screen;
    this.root = screen.slot("answers");
    this.shown = null;
  }

  render() {
    const answers = this.screen.work.payload.answers ?? [];
    const raised = new Set(this.screen.view.flags.map((flag) => flag.reason));
    const standing = answers.filter((one) => raised.has(one.reason));
    const signature = JSON.stringify([this.screen.work.id, standing]);
    if (this.shown === signature) {
      return;
    }
    this.shown = signature;
    replace(
      this.root,
      standing.map(({ reason, answer }) =>
        h(
          "div",
          { class: "answer", role: "note" },
          h("p", { class: "caption" }, t("flag_answered", { reason: reasonLabel(this.screen.config.flagReasons, reason) })),
          h("p", { dir: "auto" }, answer),
        ),
      ),
    );
  }
}
