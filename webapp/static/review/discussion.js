/*
 * The discussion of the open item, fetched when it is unfolded. While an item takes changes, comments are operations
 * like any other (journalled, undone); afterwards, and for replies, they go to the server at once, and words that
 * could not be sent stand in the sheet again.
 */

import { Problem } from "./api.js";
import { h, key, replace } from "./dom.js";
import { uuid } from "./identity.js";
import { t } from "./strings.js";

export const UNFOLD = { id: "discussion", keys: ["M"], group: "view" };

export class Discussion {
  constructor(screen) {
    this.screen = screen;
    this.root = screen.slot("discussion");
    this.unfolded = false;
    this.threads = [];
    this.fetched = "";
    this.fault = "";
  }

  opened() {
    this.threads = [];
    this.fetched = "";
    this.fault = "";
  }

  toggle() {
    this.unfolded = !this.unfolded;
    this.screen.render();
    if (this.unfolded) {
      this.root.scrollIntoView({ block: "nearest" });
    }
  }

  render() {
    const { work } = this.screen;
    const stamp = `${work.id} ${work.revision}`;
    if (this.unfolded && this.fetched !== stamp && !work.pending.length) {
      this.fetched = stamp;
      void this.ask(() => this.screen.session.api.discussion(work.id));
    }
    this.draw();
  }

  draw() {
    const waiting = this.unsent();
    const count = this.threads.length + waiting.length || this.screen.view.comments.length;
    replace(
      this.root,
      h(
        "section",
        { class: "discussion", "aria-label": t("discussion") },
        h(
          "button",
          { type: "button", class: "button button--quiet discussion-fold", "aria-expanded": String(this.unfolded), onclick: () => this.toggle() },
          count ? t("discussion_count", { n: count }) : t("discussion"),
          " ",
          key(this.screen.bindings.keysOf(UNFOLD)[0] ?? "·"),
        ),
        this.unfolded ? this.body(waiting) : null,
      ),
    );
  }

  body(waiting) {
    return [
      this.fault ? h("p", { class: "discussion-fault", role: "alert" }, this.fault, " ", this.action("try_again", () => this.again())) : null,
      this.threads.map((thread) => this.thread(thread)),
      waiting.map((comment) => h("article", { class: "thread" }, this.said({ ...comment, by: "you" }, t("not_sent")))),
      this.threads.length || waiting.length || this.fault ? null : h("p", { class: "soft" }, t("discussion_empty")),
      this.screen.session.round ? this.action("write_comment", () => this.write()) : null,
    ];
  }

  /** Comments of the document that the server doesn't know yet. */
  unsent() {
    const known = new Set(this.threads.map((thread) => thread.id));
    const { view, work } = this.screen;
    return this.fetched && work.pending.length ? view.comments.filter((comment) => !known.has(comment.id)) : [];
  }

  thread(thread) {
    const number = thread.criterion ? this.screen.numberOf(thread.criterion) : 0;
    const about = number ? t("about_criterion", { n: number }) : "";
    const mine = thread.by === "you";
    return h(
      "article",
      { class: thread.resolved ? "thread thread--resolved" : "thread" },
      this.said(thread, about),
      thread.replies.map((reply) => this.said(reply, "", reply.by === "you" ? () => this.withdraw(reply) : null)),
      h(
        "div",
        { class: "thread-actions" },
        this.action("reply", () => this.reply(thread)),
        mine ? this.action(thread.resolved ? "open_again" : "resolve", () => this.step(thread, thread.resolved ? "reopen" : "resolve")) : null,
        mine && !thread.replies.length ? this.action("take_back", () => this.withdraw(thread)) : null,
      ),
    );
  }

  said({ by, text, at }, note = "", withdraw = null) {
    const when = at ? new Date(at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }) : "";
    const facts = [t(`by_${by}`), when, note].filter(Boolean).join(" · ");
    return h("div", { class: "said" }, h("p", { class: "caption" }, facts, withdraw ? [" ", this.action("take_back", withdraw)] : null), h("p", { dir: "auto" }, text));
  }

  action(word, onclick) {
    return h("button", { type: "button", class: "button button--quiet", onclick }, t(word));
  }

  /** While the item takes changes a comment is an operation; afterwards it is sent by itself. */
  write() {
    const { screen } = this;
    const { view } = screen;
    if (!screen.readOnly && !view.submitted && !view.skip) {
      screen.decisions.comment();
      return;
    }
    this.compose(t("comment_item_title"), { id: uuid() });
  }

  reply(thread) {
    this.compose(t("reply"), { id: uuid(), thread: thread.id }, thread.text);
  }

  /** The same id with the same words is one comment, however often it is sent. */
  compose(title, body, before = "", value = "") {
    const { id } = this.screen.work;
    this.screen.sheet.compose({
      title,
      value,
      said: before ? [before] : [],
      save: async (text) => {
        const sent = text && (await this.ask(() => this.screen.session.api.say(id, { ...body, text })));
        if (text && !sent && this.screen.session.current === id && !this.screen.sheet.open) {
          this.compose(title, body, before, text);
        }
      },
    });
  }

  withdraw(comment) {
    const { screen } = this;
    if (!screen.view.submitted && screen.view.comments.some(({ id }) => id === comment.id)) {
      screen.perform([["uncomment", { id: comment.id }]]);
      return;
    }
    this.step(comment, "withdraw");
  }

  step(comment, step) {
    const { id } = this.screen.work;
    void this.ask(() => this.screen.session.api.discussionStep(id, comment.id, step));
  }

  again() {
    this.fault = "";
    this.fetched = "";
    this.render();
  }

  /** Every answer is the discussion as it now stands. True where one came. */
  async ask(request) {
    const { current } = this.screen.session;
    let threads = null;
    let fault = "";
    try {
      ({ threads } = await request());
    } catch (error) {
      fault = error instanceof Problem && error.body.title ? error.message : t("discussion_unreachable");
    }
    if (this.screen.session.current === current && this.screen.view) {
      this.threads = threads ?? this.threads;
      this.fault = fault;
      this.draw();
    }
    return !fault;
  }
}
