/* Where one is: the criterion and the response in focus, and the ways to move. */

import { t } from "./strings.js";

export class Focus {
  constructor(screen) {
    this.screen = screen;
    this.key = null;
    this.response = null;
  }

  get criterion() {
    return this.screen.order.find((criterion) => criterion.key === this.key) ?? null;
  }

  to(key, response = this.response) {
    this.key = key;
    this.response = response;
    this.screen.render();
    this.announce();
  }

  number(number) {
    const criterion = this.screen.order[number - 1];
    if (criterion) {
      this.to(criterion.key);
    }
  }

  move(step) {
    const { order } = this.screen;
    if (order.length) {
      const at = order.findIndex((criterion) => criterion.key === this.key);
      this.to(order[Math.min(order.length - 1, Math.max(0, at + step))].key);
    }
  }

  choose(response) {
    this.to(this.key, response);
  }

  moveResponse(step) {
    const { responses } = this.screen;
    if (responses.length) {
      const at = responses.findIndex(({ key }) => key === this.response);
      this.choose(responses[(at + step + responses.length) % responses.length].key);
    }
  }

  /** The first criterion and the first response. */
  restore() {
    const { order, responses } = this.screen;
    this.key = order[0]?.key ?? null;
    this.response = responses[0]?.key ?? null;
  }

  announce() {
    const { criterion, response, screen } = this;
    if (!criterion) {
      return;
    }
    screen.root.querySelector(".criterion--focused")?.scrollIntoView({ block: "nearest" });
    const met = screen.view.verdicts[criterion.key]?.[response]?.met ?? null;
    const verdict = met === null ? t("verdict_none") : t(met ? "verdict_met" : "verdict_unmet");
    const words = {
      n: screen.numberOf(criterion.key),
      dimension: t(`dimension_${criterion.dimension}`),
      text: criterion.text,
      response: response ?? "",
      verdict: response ? verdict : "",
    };
    screen.say(t("announce", words));
  }
}
