/* The reviewer's list, the item that is open, its neighbours fetched ahead. */

import { Problem } from "./api.js";
import { Gestures } from "./gestures.js";
import { livingTabs } from "./identity.js";
import { Work } from "./work.js";

const PREFETCH = 3;
const HEARTBEAT_MS = 60000;

export class Session {
  /** `on`: {change(), leaving(), opened(), refused(work, operation, problem), failed(error)}. */
  constructor({ roundId, api, journal, active, on }) {
    Object.assign(this, { roundId, api, journal, active, on });
    this.round = null;
    this.items = [];
    this.works = new Map();
    this.loading = new Map();
    this.current = null;
    this.error = null;
    this.gestures = new Gestures(this);
    this.painted = false;
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

  async start() {
    const { round, items } = await this.api.list(this.roundId);
    this.round = round;
    this.items = items;
    this.index = new Map(items.map((item, position) => [item.id, position]));
    await this.recover();
    const wanted = location.hash.slice(1);
    const first = this.index.has(wanted) ? wanted : this.nextOpen(null);
    if (first) {
      await this.open(first);
    } else {
      this.finish();
    }
    setInterval(() => this.heartbeat(), HEARTBEAT_MS);
  }

  /** Operations that a page now gone left unsent go out first. */
  async recover() {
    const living = await livingTabs();
    const records = (await this.journal.all()).filter((record) => !living?.has(record.tab));
    for (const record of records) {
      if (this.index.has(record.item)) {
        (await this.load(record.item)).resume(record);
      }
    }
  }

  load(id) {
    if (this.works.has(id)) {
      return Promise.resolve(this.works.get(id));
    }
    if (!this.loading.has(id)) {
      const fetched = this.api
        .item(id)
        .then((payload) => this.keep(payload))
        .finally(() => this.loading.delete(id));
      this.loading.set(id, fetched);
    }
    return this.loading.get(id);
  }

  keep(payload) {
    const work = new Work({
      payload,
      api: this.api,
      journal: this.journal,
      active: this.active,
      onChange: (changed) => this.changed(changed),
      onRefused: (...refusal) => this.refused(...refusal),
    });
    this.works.set(work.id, work);
    this.changed(work);
    return work;
  }

  changed(work) {
    const item = this.items[this.index.get(work.id)];
    item.state = work.state;
    item.flagged = work.flagged;
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
      await this.load(id);
    } catch (error) {
      if (this.current === id) {
        this.error = error;
        this.on.failed(error);
      }
      return false;
    }
    return this.current === id;
  }

  get signedOut() {
    const troubled = [...this.works.values()].some((work) => work.trouble?.kind === "signin");
    return troubled || (this.error instanceof Problem && this.error.signedOut);
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
      if (error instanceof Problem && error.status === 409) {
        work.trouble = { kind: "lease", message: error.message };
      } else if (error instanceof Problem && error.signedOut) {
        work.trouble = { kind: "signin", message: error.message };
      }
    }
    this.on.change(work);
  }

  heartbeat() {
    const { work } = this;
    if (work && work.fence !== null && !document.hidden && !work.trouble) {
      work.leaseUntil = null;
      void this.takeLease(work);
    }
  }

  prefetch() {
    const here = this.index.get(this.current);
    const near = this.items.slice(here + 1, here + 1 + PREFETCH);
    const open = this.items.slice(here + 1).filter(isOpen).slice(0, PREFETCH);
    for (const item of new Set([...near, ...open])) {
      this.load(item.id).catch(() => {});
    }
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

  advance() {
    const next = this.nextOpen(this.current);
    return next ? this.open(next) : this.finish();
  }

  /** There is a session or a network again: everything that waits goes on. */
  proceed() {
    if (this.error && !this.current) {
      location.reload();
    } else if (this.error) {
      void this.open(this.current);
    }
    for (const work of this.works.values()) {
      if (work.trouble?.kind === "signin" || work.retrying) {
        work.proceed();
      }
    }
  }
}

export function isOpen(item) {
  return item.state === "open" || item.state === "draft";
}
