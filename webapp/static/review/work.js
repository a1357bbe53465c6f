/*
 * One item's document with its unacknowledged operations.
 *
 * base: the document as the server last acknowledged it, at `revision`. view: base with every pending
 * operation folded in. An operation is journalled before it is sent, and leaves the journal on its answer.
 */

import { clashes, satisfied } from "./clashes.js";
import { Refused, apply, stateOf } from "./document.js";
import { TAB, uuid } from "./identity.js";

const MOST_REBASES = 3;

let lastOrder = 0;

function nextOrder() {
  lastOrder = Math.max(lastOrder + 0.001, performance.timeOrigin + performance.now());
  return lastOrder;
}

export class Work {
  /**
   * `onChange(work)` after each change; `onRefused(work, operation, problem)` when the server says no;
   * `onUnkept(error)` where the browser couldn't write an operation down.
   */
  constructor({ payload, api, journal, active, line, onChange, onRefused, onUnkept }) {
    Object.assign(this, { payload, api, journal, active, line, onChange, onRefused, onUnkept });
    this.id = payload.id;
    this.base = payload.document;
    this.view = payload.document;
    this.revision = payload.revision;
    this.fence = null;
    this.leaseUntil = null;
    this.pending = [];
    /** null, or why nothing is sent: {kind: signin | denied | absent | lease | conflict | decided | fault, …}. */
    this.trouble = null;
    this.notBefore = 0;
    this.calm();
  }

  /** The server answers again: earlier failures don't count. */
  calm() {
    this.attempts = 0;
    this.rebases = 0;
    this.losses = 0;
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
    const operation = this.operation(kind, payload, nextOrder());
    this.pending.push({ ...operation, written: this.written(operation) });
    this.send();
    return operation;
  }

  operation(kind, payload, order) {
    return { id: uuid(), item: this.id, order, tab: TAB, kind, payload, active_ms: this.active.take(this.id) };
  }

  written(operation) {
    return this.journal.put(operation).catch((error) => this.onUnkept(error));
  }

  /** An operation that an earlier page left in the journal. */
  resume(operation) {
    this.pending.push({ ...operation, written: Promise.resolve() });
    this.refold();
    this.send();
  }

  send() {
    this.onChange(this);
    this.line.enter(this);
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
    this.notBefore = 0;
    this.calm();
    this.send();
  }

  /** Take or renew the lease. */
  async hold() {
    const { fence, lease_until: until } = await this.api.lease(this.id);
    this.fence = fence;
    this.leaseUntil = new Date(until);
  }

  async settle(operation) {
    this.pending = this.pending.filter((other) => other.id !== operation.id);
    this.refold();
    await this.journal.remove(operation.id);
  }

  /** The document moved on under us: put our operations on top of it, or ask where both wrote the same. */
  rebase({ document, revision }) {
    const before = this.base;
    const ours = this.view;
    this.base = document;
    this.revision = revision;
    this.rebases += 1;
    const done = this.pending.filter((operation) => satisfied(ours, document, operation));
    done.forEach((operation) => void this.settle(operation));
    this.refold();
    if (document.submitted && !before.submitted && this.pending.length && this.pending[0].kind !== "reopen") {
      this.trouble = { kind: "decided" };
      return;
    }
    const found = clashes(before, document, this.pending);
    if (found.length || this.rebases > MOST_REBASES) {
      this.trouble = { kind: "conflict", clashes: found.length ? found : [...this.pending], theirs: document };
    }
  }

  /** Answer a conflict: send ours on top, or let the other's stand. */
  async resolve(keepMine) {
    const { kind, clashes: found = this.pending } = this.trouble;
    if (!keepMine) {
      for (const operation of [...found]) {
        await this.settle(operation);
      }
    } else if (kind === "decided") {
      const operation = this.operation("reopen", {}, this.pending[0].order - 0.0005);
      this.pending.unshift({ ...operation, written: this.written(operation) });
      this.refold();
    }
    this.proceed();
  }
}
