/*
 * Operations that the server hasn't acknowledged, in IndexedDB: written before they are sent, removed
 * when acknowledged. `seal` is the place where records are encrypted with a key of the session.
 */

const STORE = "operations";

/** Writes and reads records as they are. */
export const PLAIN = {
  seal: async (record) => record,
  open: async (sealed) => sealed,
};

export class Journal {
  constructor({ name, codec = PLAIN }) {
    this.name = name;
    this.codec = codec;
    this.database = null;
  }

  async connect() {
    this.database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore(STORE, { keyPath: "id" });
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this;
  }

  /** Resolves once the record is on disk. */
  async put(operation) {
    const body = await this.codec.seal(operation);
    await this.run("readwrite", (store) =>
      store.put({ id: operation.id, item: operation.item, order: operation.order, body }),
    );
  }

  async remove(id) {
    await this.run("readwrite", (store) => store.delete(id));
  }

  /** Every record, oldest first. */
  async all() {
    const records = await this.run("readonly", (store) => store.getAll());
    records.sort((a, b) => a.order - b.order);
    return Promise.all(records.map((record) => this.codec.open(record.body)));
  }

  run(mode, work) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(STORE, mode, { durability: "strict" });
      const request = work(transaction.objectStore(STORE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}
