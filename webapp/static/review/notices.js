/* What stands in the way, said in place with the button that ends it. Never over the text one reads. */

import { h, keyed } from "./dom.js";
import { t } from "./strings.js";

const TRIED_AGAIN_MS = 2000;

export class Notices {
  constructor(root, screen) {
    this.root = root;
    this.screen = screen;
    /** item id → {reason, text} of the last refusal there. */
    this.refusals = new Map();
    this.dialog = screen.root.querySelector("[data-dialog='signin']");
    this.dialog.querySelector("[data-done]").onclick = () => this.trySession();
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.polling = null;
  }

  refuse(item, reason, text = "") {
    this.refusals.set(item, { reason, text });
  }

  clearRefusal() {
    this.refusals.delete(this.screen.session.current);
  }

  render() {
    const { session } = this.screen;
    const troubled = [...session.works.values()].filter((work) => work.trouble);
    this.renderSignIn(session.signedOut);
    const entries = [];
    if (session.round && session.readOnly) {
      entries.push(this.entry("closed", t("round_closed"), "warning"));
    }
    for (const work of troubled) {
      entries.push(...this.ofTrouble(work));
    }
    for (const [item, refusal] of this.refusals) {
      if (item !== session.current) {
        entries.push(this.ofRefusal(item, refusal));
      }
    }
    keyed(this.root, entries);
  }

  entry(key, words, tone, ...actions) {
    return {
      key,
      signature: words,
      make: () => h("div", { class: `notice notice--${tone}`, role: tone === "bad" ? "alert" : "status" }, h("span", null, words), actions),
    };
  }

  ofTrouble(work) {
    const { trouble } = work;
    const item = this.screen.session.items[this.screen.session.index.get(work.id)];
    if (trouble.kind === "lease") {
      return [this.entry(`lease ${work.id}`, t("lease_lost", { n: item.n, reason: trouble.message }), "bad", button(t("reclaim"), () => work.proceed()))];
    }
    if (trouble.kind === "conflict") {
      return [
        this.entry(
          `conflict ${work.id}`,
          t("conflict", { n: item.n, what: this.described(trouble) }),
          "bad",
          button(t("keep_mine"), () => work.resolve(true)),
          button(t("take_theirs"), () => work.resolve(false)),
        ),
      ];
    }
    if (trouble.kind === "fault") {
      return [this.entry(`fault ${work.id}`, t("fault", { n: item.n, reason: trouble.message }), "bad", button(t("try_again"), () => work.proceed()))];
    }
    return [];
  }

  /** What both changed, in words: mine against theirs. */
  described({ clashes, theirs }) {
    return clashes
      .slice(0, 2)
      .map(({ kind, payload }) => {
        const other = theirs.criteria.find((criterion) => criterion.key === payload.key);
        return kind === "set_text" ? t("conflict_text", { mine: payload.text, theirs: other?.text ?? "–" }) : t(`kind_${kind}`);
      })
      .join("; ");
  }

  /** A refusal on another item than the open one, whose own are shown in the rubric. */
  ofRefusal(item, { reason, text }) {
    const { session } = this.screen;
    const words = t("refused_elsewhere", { n: session.items[session.index.get(item)].n, reason });
    const dismiss = () => {
      this.refusals.delete(item);
      this.render();
    };
    return this.entry(`refused ${item}`, text ? `${words} “${text}”` : words, "bad", button(t("go_there"), () => session.open(item)), button(t("dismiss"), dismiss));
  }

  renderSignIn(wanted) {
    if (wanted && !this.dialog.open) {
      this.dialog.showModal();
      this.polling = setInterval(() => this.trySession(), TRIED_AGAIN_MS);
    } else if (!wanted && this.dialog.open) {
      this.dialog.close();
      clearInterval(this.polling);
    }
  }

  /** Signed in again in another window? Then everything waiting goes on. */
  async trySession() {
    const { session } = this.screen;
    try {
      await session.api.list(session.roundId);
    } catch {
      return;
    }
    session.proceed();
    this.screen.render();
  }
}

function button(words, onclick) {
  return h("button", { type: "button", class: "button", onclick }, words);
}
