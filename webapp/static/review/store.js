/* Two tables in IndexedDB, or in memory where the browser keeps nothing: records by `id`. */

export const OPERATIONS = "operations";
export const ITEMS = "items";
const VERSION = 2;

export class Store {
  constructor(database) {
    this.database = database;
  }

  static async open(name) {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open(name, VERSION);
      request.onupgradeneeded = () => upgrade(request.result);
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return new Store(database);
  }

  /** Resolves once the record is on disk; `strict`: also past the disk's own cache. */
  put(table, record, { strict = false } = {}) {
    return this.run(table, "readwrite", (store) => store.put(record), strict);
  }

  remove(table, id) {
    return this.run(table, "readwrite", (store) => store.delete(id));
  }

  get(table, id) {
    return this.run(table, "readonly", (store) => store.get(id));
  }

  all(table) {
    return this.run(table, "readonly", (store) => store.getAll());
  }

  ids(table) {
    return this.run(table, "readonly", (store) => store.getAllKeys());
  }

  run(table, mode, work, strict = false) {
    return new Promise((resolve, reject) => {
      const transaction = this.database.transaction(table, mode, { durability: strict ? "strict" : "relaxed" });
      const request = work(transaction.objectStore(table));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = () => reject(transaction.error);
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

function upgrade(database) {
  for (const table of [OPERATIONS, ITEMS]) {
    if (!database.objectStoreNames.contains(table)) {
      database.createObjectStore(table, { keyPath: "id" });
    }
  }
}

/** The same for as long as the page lives. */
export class Forgetful {
  constructor() {
    this.tables = { [OPERATIONS]: new Map(), [ITEMS]: new Map() };
  }

  async put(table, record) {
    this.tables[table].set(record.id, record);
  }

  async remove(table, id) {
    this.tables[table].delete(id);
  }

  async get(table, id) {
    return this.tables[table].get(id);
  }

  async all(table) {
    return [...this.tables[table].values()];
  }

  async ids(table) {
    return [...this.tables[table].keys()];
  }
}
