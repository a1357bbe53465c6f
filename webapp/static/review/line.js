/*
 * The order in which this page sends: one operation at a time, the oldest first, whichever item it is of. So what was
 * done without a network arrives in the order in which it was done, and one probe asks whether the network is back.
 */

import { GONE, LATER, sendFirst } from "./sender.js";

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15000;

export class Line {
  constructor() {
    this.works = new Set();
    this.running = false;
    /** How often in a row nobody answered. */
    this.unanswered = 0;
    this.wake = () => {};
  }

  enter(work) {
    this.works.add(work);
    if (!this.unanswered) {
      this.wake();
    }
    void this.run();
  }

  /** The network is back, or somebody wants to know now. */
  hurry() {
    this.works.forEach((work) => (work.notBefore = 0));
    this.wake();
    void this.run();
  }

  async run() {
    if (this.running) {
      return;
    }
    this.running = true;
    try {
      for (let work = this.first(); work; work = this.first()) {
        await this.turn(work);
      }
    } finally {
      this.running = false;
    }
  }

  /** Whose first operation is the oldest; items in trouble wait for their person. */
  first() {
    let oldest = null;
    for (const work of this.works) {
      if (!work.pending.length || work.trouble) {
        this.works.delete(work);
      } else if (!oldest || due(work) < due(oldest)) {
        oldest = work;
      }
    }
    return oldest;
  }

  async turn(work) {
    const left = work.notBefore - Date.now();
    if (left > 0) {
      await this.pause(left);
      return;
    }
    const outcome = await this.sent(work);
    if (outcome === LATER) {
      work.notBefore = Date.now() + waiting(work.attempts);
    }
    this.unanswered = outcome === GONE ? this.unanswered + 1 : 0;
    work.onChange(work);
    if (outcome === GONE) {
      await this.pause(waiting(this.unanswered));
    }
  }

  async sent(work) {
    try {
      return await sendFirst(work);
    } catch (error) {
      work.onChange(work);
      throw error;
    }
  }

  pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

/** Those that may go now come before those that wait, each by age. */
function due(work) {
  return work.notBefore > Date.now() ? work.notBefore + Number.MAX_SAFE_INTEGER / 2 : work.pending[0].order;
}

function waiting(attempts) {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempts - 1)) * (0.7 + Math.random() * 0.3);
}
