/* The centre: instruction, then the responses, one open at a time or two side by side. */

import { h, keyed, replace, setText } from "./dom.js";
import { pieces } from "./evidence.js";
import { ordered, satisfied } from "./scoring.js";
import { reasonLabel, t } from "./strings.js";

export class CaseView {
  constructor(root, screen) {
    this.screen = screen;
    this.root = root;
    this.instruction = root.querySelector("[data-instruction]");
    this.words = root.querySelector("[data-words]");
    this.tabs = root.querySelector("[data-tabs]");
    this.facts = root.querySelector("[data-facts]");
    this.panels = root.querySelector("[data-panels]");
    this.item = null;
    this.scrolls = new Map();
  }

  /** The element that holds exactly the text of a response, if it is open. */
  panelOf(response) {
    return this.panels.querySelector(`[data-response="${response}"] .response-text`);
  }

  render(standing) {
    const { work } = this.screen;
    if (this.item !== work.id) {
      this.item = work.id;
      this.panels.replaceChildren();
      this.renderInstruction(work.payload);
    }
    this.renderTags();
    this.renderTabs(standing);
    this.renderPanels();
  }

  renderInstruction({ instruction }) {
    const { text, messages, lang } = instruction;
    replace(
      this.words,
      h("p", { class: "case-tags" }),
      messages?.length
        ? h("ol", { class: "turns" }, messages.map((message) => turn(message, lang)))
        : h("p", { class: "read", dir: "auto", lang: lang || null }, text),
    );
    this.instruction.scrollTop = 0;
  }

  /** What the item is, and what was said of it: flagged, skipped, submitted. */
  renderTags() {
    const { work, view, config } = this.screen;
    const { specialty, category, difficulty, attachments } = work.payload.instruction;
    const about = [specialty, category && capital(category), difficulty != null && t("difficulty", { n: difficulty }), attachments?.length && t("attachment_count", { n: attachments.length }), work.payload.draft?.label];
    const said = [
      work.payload.rubric_only && t("rubric_only"),
      view.submitted && t("state_submitted"),
      view.skip && `${t("state_skipped")}: ${reasonLabel(config.skipReasons, view.skip.reason)}`,
      ...view.flags.map((flag) => `${t("state_flagged")}: ${reasonLabel(config.flagReasons, flag.reason)}`),
    ];
    const tags = [...about.map((words) => [words, "tag"]), ...said.map((words) => [words, "tag tag--gold"])];
    keyed(
      this.words.firstElementChild,
      tags
        .filter(([words]) => words)
        .map(([words, style]) => ({ key: words, signature: style, make: () => h("span", { class: style }, words) })),
    );
  }

  renderTabs(standing) {
    const { responses, response, view, panes } = this.screen;
    this.tabs.parentElement.hidden = !responses.length;
    keyed(
      this.tabs,
      responses.map(({ key }) => {
        const badge = standing.badges.get(key);
        const open = key === response;
        return {
          key,
          signature: JSON.stringify([badge, open, view.unjudged[key]]),
          make: () =>
            h(
              "button",
              { type: "button", class: "response-tab", "aria-pressed": String(open), onclick: () => this.screen.focus.choose(key) },
              h("span", { class: "letter" }, h("span", { class: "visually-hidden" }, t("response")), " ", key),
              badge ? h("span", { class: `badge badge--${badge.tone}` }, badge.text) : null,
            ),
        };
      }),
    );
    const shown = responses.find(({ key }) => key === response);
    setText(this.facts, shown ? t("response_facts", { n: [...shown.text].length }) : "");
    const toggle = this.root.querySelector("[data-side]");
    toggle.hidden = responses.length < 2;
    toggle.setAttribute("aria-pressed", String(panes.sideBySide));
  }

  renderPanels() {
    const { responses, view } = this.screen;
    const { open } = this.screen.panes;
    this.root.classList.toggle("case--pair", open.length > 1);
    const numbers = new Map(ordered(view).map((criterion, index) => [criterion.key, index + 1]));
    for (const panel of this.panels.children) {
      if (panel.dataset.response) {
        this.scrolls.set(`${this.item} ${panel.dataset.response}`, panel.scrollTop);
      }
    }
    const shown = responses.filter(({ key }) => open.includes(key));
    keyed(
      this.panels,
      shown.length
        ? shown.map((response) => this.panelEntry(response, numbers))
        : [{ key: "none", signature: "none", make: () => h("p", { class: "panel-none" }, t("no_responses")) }],
    );
    for (const panel of this.panels.children) {
      const scroll = this.scrolls.get(`${this.item} ${panel.dataset.response}`);
      if (scroll !== undefined && panel.scrollTop !== scroll) {
        panel.scrollTop = scroll;
      }
    }
  }

  panelEntry(response, numbers) {
    const { view, focused, work } = this.screen;
    const marks = marksOf(view, response.key, numbers, focused?.key);
    const unjudged = view.unjudged[response.key];
    return {
      key: response.key,
      signature: JSON.stringify([work.id, marks, unjudged]),
      make: () => {
        const text = h("div", { class: "response-text", dir: "auto" });
        pieces(response.text, marks).forEach((piece) => text.append(pieceNode(piece)));
        return h(
          "div",
          { class: "panel", "data-response": response.key, tabindex: "0", role: "region", "aria-label": t("response_n", { n: response.key }) },
          unjudged === undefined ? null : h("p", { class: "panel-note" }, t("unjudged_because", { reason: reasonLabel(this.screen.config.unjudgedReasons, unjudged) })),
          text,
        );
      },
    };
  }
}

function marksOf(view, response, numbers, focusedKey) {
  return Object.entries(view.verdicts)
    .filter(([key, row]) => row[response]?.evidence && numbers.has(key))
    .map(([key, row]) => {
      const criterion = view.criteria.find((one) => one.key === key);
      const { met, evidence } = row[response];
      return {
        start: evidence.start,
        end: evidence.end,
        n: numbers.get(key),
        bad: met !== null && !satisfied(criterion, met),
        here: key === focusedKey,
      };
    });
}

function pieceNode({ text, marks, ends }) {
  if (!marks.length) {
    return document.createTextNode(text);
  }
  const tone = marks.some((mark) => mark.bad) ? "mark--bad" : "mark--good";
  return h(
    "mark",
    {
      class: `${tone}${marks.some((mark) => mark.here) ? " mark--here" : ""}`,
      "data-n": ends.length ? ends.map((mark) => mark.n).join(" ") : null,
    },
    text,
  );
}

function turn({ role, content }, lang) {
  return h(
    "li",
    { class: `turn turn--${role}` },
    h("span", { class: "turn-role" }, t(`role_${role}`)),
    h("p", { class: "read", dir: "auto", lang: lang || null }, content),
  );
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
