/* Operations that the server hasn't acknowledged: sealed and written before they are sent, removed when acknowledged. */

import { Unreadable } from "./sealing.js";
import { OPERATIONS } from "./store.js";

export class Journal {
  constructor(store, sealer) {
    this.store = store;
    this.sealer = sealer;
  }

  /** Resolves once the record is on disk. */
  async put(operation) {
    const { id, order } = operation;
    await this.store.put(OPERATIONS, { id, order, body: await this.sealer.seal(id, operation) }, { strict: true });
  }

  async remove(id) {
    await this.store.remove(OPERATIONS, id);
  }

  /** {operations, unreadable}: oldest first, and how many were sealed with another key. Those stay where they are. */
  async all() {
    const records = await this.store.all(OPERATIONS);
    records.sort((a, b) => a.order - b.order);
    const opened = await Promise.all(records.map((record) => this.opened(record)));
    const operations = opened.filter((operation) => operation !== null);
    return { operations, unreadable: opened.length - operations.length };
  }

  async opened({ id, body }) {
    try {
      return await this.sealer.open(id, body);
    } catch (error) {
      if (error instanceof Unreadable) {
        return null;
      }
      throw error;
    }
  }
}
