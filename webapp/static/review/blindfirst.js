/* Judging before the draft is shown: what is asked, how far one is, and the way to the draft. */

import { h, key, replace } from "./dom.js";
import { missing } from "./scoring.js";
import { t } from "./strings.js";

export const REVEAL = { id: "reveal", keys: ["w"], group: "item" };

export class BlindFirst {
  constructor(screen) {
    this.screen = screen;
    this.root = screen.slot("sealed");
  }

  get active() {
    return Boolean(this.screen.view?.sealed);
  }

  render() {
    const { screen, active } = this;
    screen.root.toggleAttribute("data-sealed", active);
    replace(this.root, active ? this.card() : null);
  }

  card() {
    const { screen } = this;
    if (screen.view.sealed !== true) {
      return h("div", { class: "judge-first", role: "status" }, h("p", null, t("reveal_coming")));
    }
    const written = this.written().length;
    const lacking = missing(screen.view, screen.responses).length;
    const left = written ? (lacking ? t("reveal_lacking", { n: lacking }) : t("reveal_ready")) : t("reveal_none");
    return h(
      "div",
      { class: "judge-first" },
      h("h2", null, t("judge_first")),
      h("p", null, t("judge_first_why")),
      h("p", { class: "judge-first-state" }, h("strong", null, t("reveal_written", { n: written })), " · ", left),
      h(
        "button",
        { type: "button", class: written && !lacking ? "button button--primary" : "button", disabled: screen.readOnly, onclick: () => this.reveal() },
        t("reveal"),
        " ",
        key(screen.bindings.keysOf(REVEAL)[0] ?? "·"),
      ),
    );
  }

  written() {
    return this.screen.view.criteria.filter((criterion) => criterion.rejected === null);
  }

  /** Show the draft; where something is missing before that, its place is focused. */
  reveal() {
    const { screen } = this;
    if (!this.active) {
      screen.say(t("refused_revealed"));
      return;
    }
    const lacking = missing(screen.view, screen.responses);
    if (lacking.length) {
      const [[criterion, response]] = lacking;
      screen.focus.to(criterion.key, response.key);
      screen.refuse(t("reveal_lacking", { n: lacking.length }));
      return;
    }
    screen.perform([["reveal", {}]]);
    screen.say(t("reveal_coming"));
  }
}
