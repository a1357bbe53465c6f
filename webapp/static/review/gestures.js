/* Undo and redo, across items and across submits: each gesture with the operations that take it back. */

import { inverse } from "./inverse.js";

export class Gestures {
  constructor(session) {
    this.session = session;
    this.done = [];
    this.undone = [];
  }

  /** Operations of one gesture: applied together, undone together. */
  perform(operations, work = this.session.work) {
    const step = { item: work.id, back: [], forth: operations, operations: [] };
    for (const [kind, payload] of operations) {
      const back = inverse(work.view, kind, payload);
      step.operations.push(work.perform(kind, payload).id);
      step.back = back ? [...back, ...step.back] : step.back;
    }
    if (step.back.length) {
      this.done.push(step);
      this.undone = [];
    }
  }

  /** Take back the last gesture, on whichever item it was; without one, a submitted item is reopened. */
  async undo() {
    const step = this.done.pop() ?? this.reopening();
    if (!step) {
      return null;
    }
    await this.replay(step.item, step.back);
    this.undone.push(step);
    return step;
  }

  async redo() {
    const step = this.undone.pop();
    if (!step) {
      return null;
    }
    const operations = await this.replay(step.item, step.forth);
    this.done.push({ ...step, operations });
    return step;
  }

  reopening() {
    if (this.session.work?.view.submitted) {
      return { item: this.session.current, back: [["reopen", {}]], forth: [["accept", {}]], operations: [] };
    }
    if (this.session.work?.view.skip) {
      const { reason } = this.session.work.view.skip;
      return { item: this.session.current, back: [["unskip", {}]], forth: [["skip", { reason }]], operations: [] };
    }
    return null;
  }

  async replay(id, operations) {
    if (this.session.current !== id) {
      await this.session.open(id);
    }
    return operations.map(([kind, payload]) => this.session.work.perform(kind, payload).id);
  }

  /** The server refused it: there is nothing to take back. */
  forget(operationId) {
    const at = this.done.findLastIndex((step) => step.operations.includes(operationId));
    if (at >= 0) {
      this.done.splice(at, 1);
    }
  }
}
