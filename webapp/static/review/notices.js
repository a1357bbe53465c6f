/* What stands in the way, said in place with the button that ends it. Never over the text one reads. */

import { h, keyed } from "./dom.js";
import { t } from "./strings.js";
import { SignIn } from "./signin.js";

export class Notices {
  constructor(root, screen) {
    this.root = root;
    this.screen = screen;
    /** item id → {reason, text} of the last refusal there. */
    this.refusals = new Map();
    this.signIn = new SignIn(screen);
  }

  refuse(item, reason, text = "") {
    this.refusals.set(item, { reason, text });
  }

  clearRefusal() {
    this.refusals.delete(this.screen.session.current);
  }

  render() {
    const { session, bindings } = this.screen;
    this.signIn.render();
    const entries = [...this.ofBrowser()];
    if (session.round && session.readOnly) {
      entries.push(entry("closed", t("round_closed"), "warning"));
    }
    if (bindings.unkept) {
      entries.push(entry("keys", t("keys_unkept", { reason: bindings.unkept }), "warning"));
    }
    for (const work of session.works.values()) {
      entries.push(...this.ofTrouble(work));
    }
    for (const [item, refusal] of this.refusals) {
      if (item !== session.current) {
        entries.push(this.ofRefusal(item, refusal));
      }
    }
    keyed(this.root, entries);
  }

  /** What the browser can't keep, or keeps and can't read. */
  *ofBrowser() {
    const { unkept, unreadable, homeless } = this.screen.session;
    if (unkept) {
      yield entry("unkept", t(unkept), "warning");
    }
    if (unreadable) {
      yield entry("unreadable", t("unreadable", { n: unreadable }), "bad");
    }
    if (homeless) {
      yield entry("homeless", t("homeless", { n: homeless }), "bad");
    }
  }

  ofTrouble(work) {
    const { trouble } = work;
    const { n } = this.screen.session.items[this.screen.session.index.get(work.id)];
    const again = (words) => button(t(words), () => work.proceed());
    const choice = (mine, theirs) => [button(t(mine), () => work.resolve(true)), button(t(theirs), () => work.resolve(false))];
    const said = {
      lease: () => [t(trouble.moved ? "lease_moved" : "lease_lost", { n, reason: trouble.message }), ...this.ofLease(trouble, again, choice)],
      conflict: () => [t("conflict", { n, what: this.described(trouble) }), ...choice("keep_mine", "take_theirs")],
      decided: () => [t("decided_elsewhere", { n }), ...choice("reopen_apply", "leave_mine")],
      denied: () => [t("denied", { n, reason: trouble.message }), again("try_again")],
      absent: () => [t("absent", { n, reason: trouble.message }), again("try_again")],
      fault: () => [t("fault", { n, reason: trouble.message }), again("try_again")],
    }[trouble?.kind]?.();
    return said ? [entry(`${trouble.kind} ${work.id}`, said[0], "bad", ...said.slice(1))] : [];
  }

  ofLease({ moved }, again, choice) {
    return moved ? choice("apply_mine", "leave_mine") : [again("reclaim")];
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
    return entry(`refused ${item}`, text ? `${words} “${text}”` : words, "bad", button(t("go_there"), () => session.open(item)), button(t("dismiss"), dismiss));
  }
}

function entry(key, words, tone, ...actions) {
  return {
    key,
    signature: words,
    make: () => h("div", { class: `notice notice--${tone}`, role: tone === "bad" ? "alert" : "status" }, h("span", null, words), actions),
  };
}

function button(words, onclick) {
  return h("button", { type: "button", class: "button", onclick }, words);
}
