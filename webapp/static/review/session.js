/* The reviewer's list, the item that is open, and what goes on beside it: leases, sending, signing in again. */

import { Problem, Unreachable } from "./api.js";
import { Gestures } from "./gestures.js";
import { livingTabs } from "./identity.js";
import { Line } from "./line.js";
import { Stock } from "./stock.js";

const HEARTBEAT_MS = 60000;

export class Session {
  /**
   * `sitDown()`: the desk of whoever is signed in. `on`: {change(work), leaving(), opened(), failed(error),
   * refused(work, operation, problem)}.
   */
  constructor({ roundId, person, api, sitDown, active, on }) {
    Object.assign(this, { roundId, person, api, sitDown, active, on });
    this.round = null;
    this.items = [];
    this.index = new Map();
    this.stock = null;
    this.line = new Line();
    this.gestures = new Gestures(this);
    this.current = null;
    this.error = null;
    this.painted = false;
    /** Somebody else is signed in in this browser. */
    this.stranger = false;
    /** Why the browser keeps nothing (a page's word); how many records are sealed with another key, or of no item. */
    this.unkept = null;
    this.unreadable = 0;
    this.homeless = 0;
  }

  get works() {
    return this.stock?.works ?? new Map();
  }

  get work() {
    return this.works.get(this.current) ?? null;
  }

  get pendingCount() {
    let count = 0;
    for (const work of this.works.values()) {
      count += work.pending.length;
    }
    return count;
  }

  get readOnly() {
    return this.round?.state !== "open";
  }

  /** Nobody answers, or the server asks to try later. */
  get retrying() {
    return this.line.unanswered > 0 || [...this.works.values()].some((work) => work.attempts > 0);
  }

  async start() {
    const [desk, { round, items }] = await Promise.all([this.sitDown(), this.api.list(this.roundId)]);
    this.round = round;
    this.items = items;
    this.index = new Map(items.map((item, position) => [item.id, position]));
    this.unkept = desk.unkept;
    this.stock = this.stocked(desk);
    await this.recover(desk.journal);
    const wanted = location.hash.slice(1);
    const first = this.index.has(wanted) ? wanted : this.nextOpen(null);
    if (first) {
      await this.open(first);
    } else {
      this.finish();
    }
    setInterval(() => this.heartbeat(), HEARTBEAT_MS);
  }

  stocked({ journal, shelf }) {
    return new Stock({
      shelf,
      journal,
      api: this.api,
      active: this.active,
      line: this.line,
      onChange: (work) => this.changed(work),
      onRefused: (...refusal) => this.refused(...refusal),
      onUnkept: () => (this.unkept = "unkept_browser"),
    });
  }

  /** Operations that a page now gone left unsent go out first. */
  async recover(journal) {
    const living = await livingTabs();
    const { operations, unreadable } = await journal.all();
    this.unreadable = unreadable;
    for (const operation of operations.filter(({ tab }) => !living?.has(tab))) {
      if (this.index.has(operation.item)) {
        (await this.stock.load(operation.item)).resume(operation);
      } else {
        this.homeless += 1;
      }
    }
  }

  changed(work) {
    const item = this.items[this.index.get(work.id)];
    item.state = work.state;
    item.flagged = work.flagged;
    if (work.trouble?.kind === "absent" && !work.trouble.known) {
      work.trouble.known = true;
      void this.identify().catch(unanswered);
    }
    this.on.change(work);
  }

  refused(work, operation, problem) {
    this.gestures.forget(operation.id);
    this.on.refused(work, operation, problem);
  }

  async open(id) {
    this.on.leaving();
    this.current = id;
    this.error = null;
    this.painted = false;
    this.active.turnTo(id);
    history.replaceState(null, "", `#${id}`);
    if (!this.works.has(id) && !(await this.fetched(id))) {
      return;
    }
    this.on.opened();
    requestAnimationFrame(() => setTimeout(() => (this.painted = this.current === id || this.painted)));
    void this.takeLease(this.work);
    this.prefetch();
  }

  /** Whether the item came and is still the one that is wanted. */
  async fetched(id) {
    this.on.opened();
    try {
      await this.stock.load(id);
    } catch (error) {
      if (this.current === id) {
        this.error = error;
        this.on.failed(error);
      }
      return false;
    }
    return this.current === id;
  }

  finish() {
    this.on.leaving();
    this.current = null;
    this.active.turnTo(null);
    history.replaceState(null, "", location.pathname);
    this.on.opened();
  }

  async takeLease(work) {
    if (this.readOnly || work.state === "submitted" || (work.fence !== null && work.leaseUntil > new Date())) {
      return;
    }
    try {
      await work.hold();
    } catch (error) {
      if (error instanceof Problem && !error.temporary) {
        work.trouble = { kind: TROUBLES[error.status] ?? "lease", message: error.message };
      } else if (!(error instanceof Problem || error instanceof Unreachable)) {
        throw error;
      }
    }
    this.changed(work);
  }

  /** A write renews the lease by itself, so only an idle item needs this. */
  heartbeat() {
    const { work } = this;
    if (work && work.fence !== null && !document.hidden && !work.trouble && !work.pending.length) {
      work.leaseUntil = null;
      void this.takeLease(work);
    }
  }

  prefetch() {
    const after = this.items.slice(this.index.get(this.current) + 1);
    const ids = (items) => items.map(({ id }) => id);
    this.stock.prefetch(ids(after), this.readOnly ? [] : ids(after.filter(isOpen)));
  }

  /** The next item to decide after `id` in the list, from its start again after its end. */
  nextOpen(id) {
    const from = id === null ? 0 : this.index.get(id) + 1;
    const around = [...this.items.slice(from), ...this.items.slice(0, from)];
    return around.find((item) => isOpen(item) && item.id !== id)?.id ?? null;
  }

  neighbour(step) {
    const from = this.current === null ? (step > 0 ? -1 : this.items.length) : this.index.get(this.current);
    return this.items[from + step]?.id ?? null;
  }

  step(by) {
    const id = this.neighbour(by);
    return id ? this.open(id) : null;
  }

  advance() {
    const next = this.nextOpen(this.current);
    return next ? this.open(next) : this.finish();
  }

  get signedOut() {
    const troubled = [...this.works.values()].some((work) => work.trouble?.kind === "signin");
    return troubled || this.stranger || (this.error instanceof Problem && this.error.signedOut);
  }

  /** Who is signed in here now? If it is the person of this page, everything that waits for them goes on. */
  async identify() {
    const { person } = await this.api.desk();
    this.stranger = person !== this.person;
    if (!this.stranger) {
      this.proceed();
      return;
    }
    for (const work of this.works.values()) {
      if (work.trouble?.kind === "absent") {
        work.trouble = { kind: "signin", message: work.trouble.message };
      }
      this.on.change(work);
    }
  }

  /** There is a session or a network again: everything that waits goes on. */
  proceed() {
    if (this.error && !this.current) {
      location.reload();
    } else if (this.error) {
      void this.open(this.current);
    }
    for (const work of this.works.values()) {
      if (work.trouble?.kind === "signin") {
        work.proceed();
      }
    }
    this.line.hurry();
  }
}

/** A question that nobody answers now is asked again with the next change. */
function unanswered(error) {
  if (!(error instanceof Problem || error instanceof Unreachable)) {
    throw error;
  }
}

const TROUBLES = { 401: "signin", 403: "denied", 404: "absent" };

export function isOpen(item) {
  return item.state === "open" || item.state === "draft";
}
