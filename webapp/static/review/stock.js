/* The items that are in memory, and how further ones come: from the shelf, else from the server. */

import { Unreachable } from "./api.js";
import { KEPT } from "./shelf.js";
import { Work } from "./work.js";

const PREFETCH = 3;

export class Stock {
  /** `parts`: what every `Work` is given. */
  constructor({ shelf, ...parts }) {
    Object.assign(this, { shelf, parts });
    this.works = new Map();
    this.coming = new Map();
  }

  load(id) {
    if (this.works.has(id)) {
      return Promise.resolve(this.works.get(id));
    }
    if (!this.coming.has(id)) {
      const brought = this.bring(id)
        .then((payload) => this.keep(payload))
        .finally(() => this.coming.delete(id));
      this.coming.set(id, brought);
    }
    return this.coming.get(id);
  }

  async bring(id) {
    const shelved = this.shelf.fresh.has(id) && (await this.shelf.get(id));
    return shelved || this.fromServer(id);
  }

  /** Without a network, what an earlier page put on the shelf will do. */
  async fromServer(id) {
    try {
      return await this.parts.api.item(id);
    } catch (error) {
      const shelved = error instanceof Unreachable && (await this.shelf.get(id));
      if (shelved) {
        return shelved;
      }
      throw error;
    }
  }

  keep(payload) {
    const work = new Work({ payload, ...this.parts });
    this.works.set(work.id, work);
    work.onChange(work);
    return work;
  }

  /** `near`: the next in the list; `open`: the next to decide. Three come into memory, forty onto the shelf. */
  prefetch(near, open) {
    for (const id of new Set([...near.slice(0, PREFETCH), ...open.slice(0, PREFETCH)])) {
      this.load(id).catch(() => {});
    }
    void this.shelf.keep(open.filter((id) => !this.works.has(id)).slice(0, KEPT));
  }
}
