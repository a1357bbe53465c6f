/*
 * One item's document with its unacknowledged operations, and the only sender of that item.
 *
 * base: the document as the server last acknowledged it, at `revision`. view: base with every pending
 * operation folded in. An operation is journalled before it is sent, and leaves the journal on its answer.
 */

import { Problem, Unreachable } from "./api.js";
import { Refused, apply, stateOf } from "./document.js";
import { TAB, alone, uuid } from "./identity.js";
import { touched } from "./inverse.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;
const MOST_REBASES = 3;

let lastOrder = 0;

function nextOrder() {
  lastOrder = Math.max(lastOrder + 0.001, performance.timeOrigin + performance.now());
  return lastOrder;
}

export class Work {
  /** `onChange(work)` after each change; `onRefused(work, operation, problem)` when the server says no. */
  constructor({ payload, api, journal, active, onChange, onRefused }) {
    Object.assign(this, { payload, api, journal, active, onChange, onRefused });
    this.id = payload.id;
    this.base = payload.document;
    this.view = payload.document;
    this.revision = payload.revision;
    this.fence = null;
    this.leaseUntil = null;
    this.pending = [];
    /** null, or why nothing is sent: {kind: "signin" | "lease" | "conflict", …}. */
    this.trouble = null;
    this.waiting = false;
    this.attempts = 0;
    this.rebases = 0;
    this.reclaims = 0;
    this.pumping = false;
    this.wake = null;
  }

  get state() {
    return stateOf(this.view, this.revision > 0 || this.pending.length > 0);
  }

  get flagged() {
    return this.view.flags.length > 0;
  }

  /** Apply to the page at once, then journal and send. Throws `Refused` where the rules say no. */
  perform(kind, payload) {
    this.view = apply(this.view, kind, payload);
    const operation = {
      id: uuid(),
      item: this.id,
      order: nextOrder(),
      tab: TAB,
      kind,
      payload,
      active_ms: this.active.take(this.id),
    };
    this.queue(operation, this.journal.put(operation));
    return operation;
  }

  /** An operation that an earlier page left in the journal. */
  resume(operation) {
    this.queue(operation, Promise.resolve());
    this.refold();
  }

  queue(operation, written) {
    this.pending.push({ ...operation, written: written.catch(() => {}) });
    this.onChange(this);
    void this.pump();
  }

  refold() {
    this.view = this.pending.reduce((document, operation) => {
      try {
        return apply(document, operation.kind, operation.payload);
      } catch (error) {
        if (error instanceof Refused) {
          return document;
        }
        throw error;
      }
    }, this.base);
  }

  /** Go on after trouble. */
  proceed() {
    this.trouble = null;
    this.attempts = 0;
    this.reclaims = 0;
    this.wake?.();
    void this.pump();
  }

  async pump() {
    if (this.pumping) {
      return;
    }
    this.pumping = true;
    try {
      while (this.pending.length && !this.trouble) {
        await alone(`goldrounds-item-${this.id}`, () => this.sendFirst());
        this.onChange(this);
        if (this.waiting) {
          await this.pause();
        }
      }
    } finally {
      this.pumping = false;
      this.onChange(this);
    }
  }

  async sendFirst() {
    const operation = this.pending[0];
    await operation.written;
    try {
      if (this.fence === null) {
        await this.hold();
      }
      const answer = await this.api.operate(this.id, this.revision, {
        operation_id: operation.id,
        kind: operation.kind,
        payload: operation.payload,
        fence: this.fence,
        active_ms: operation.active_ms,
      });
      await this.acknowledged(operation, answer);
    } catch (error) {
      await this.failed(operation, error);
    }
  }

  /** Take or renew the lease. */
  async hold() {
    const { fence, lease_until: until } = await this.api.lease(this.id);
    this.fence = fence;
    this.leaseUntil = new Date(until);
  }

  async acknowledged(operation, answer) {
    this.attempts = 0;
    this.rebases = 0;
    this.reclaims = 0;
    this.waiting = false;
    if (answer.revision === this.revision + 1) {
      this.base = apply(this.base, operation.kind, operation.payload);
      this.revision = answer.revision;
    } else if (answer.revision > this.revision) {
      const fresh = await this.api.item(this.id);
      this.base = fresh.document;
      this.revision = fresh.revision;
    }
    await this.settle(operation);
  }

  async settle(operation) {
    this.pending = this.pending.filter((other) => other.id !== operation.id);
    this.refold();
    await this.journal.remove(operation.id);
  }

  async failed(operation, error) {
    if (error instanceof Unreachable || (error instanceof Problem && error.temporary)) {
      this.attempts += 1;
      this.waiting = true;
    } else if (!(error instanceof Problem)) {
      this.trouble = { kind: "fault", message: String(error) };
      throw error;
    } else if (error.signedOut) {
      this.trouble = { kind: "signin", message: error.message };
    } else if (error.status === 412) {
      this.rebase(error.body);
    } else if (error.status === 409) {
      await this.reclaim(error);
    } else {
      await this.settle(operation);
      this.onRefused(this, operation, error);
    }
  }

  /** The lease was lost: take it again if nobody else has it, else say so. */
  async reclaim(problem) {
    this.fence = null;
    this.reclaims += 1;
    if (this.reclaims > 1) {
      this.trouble = { kind: "lease", message: problem.message };
      return;
    }
    try {
      await this.hold();
    } catch (error) {
      if (error instanceof Problem && error.status === 409) {
        this.trouble = { kind: "lease", message: error.message };
      } else {
        await this.failed(this.pending[0], error);
      }
    }
  }

  /** The document moved on under us: put our operations on top of it, or ask where both wrote the same. */
  rebase({ document, revision }) {
    const before = this.base;
    const clashes = this.pending.filter((operation) => clashing(before, document, operation));
    this.base = document;
    this.revision = revision;
    this.rebases += 1;
    this.refold();
    if (clashes.length || this.rebases > MOST_REBASES) {
      this.trouble = { kind: "conflict", clashes: clashes.length ? clashes : [...this.pending], theirs: document };
    }
  }

  /** Answer a conflict: send ours on top, or let the other's stand. */
  async resolve(keepMine) {
    const { clashes } = this.trouble;
    this.rebases = 0;
    if (!keepMine) {
      for (const operation of clashes) {
        await this.settle(operation);
      }
    }
    this.proceed();
  }

  pause() {
    this.waiting = false;
    const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (this.attempts - 1));
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.7 + Math.random() * 0.3));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  get retrying() {
    return this.attempts > 0;
  }
}

function clashing(before, now, { kind, payload }) {
  if (touched(before, kind, payload) === touched(now, kind, payload)) {
    return false;
  }
  try {
    return touched(apply(now, kind, payload), kind, payload) !== touched(now, kind, payload);
  } catch (error) {
    if (error instanceof Refused) {
      return true;
    }
    throw error;
  }
}
