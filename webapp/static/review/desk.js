/* Who sits here, and what this browser keeps for them: journal and shelf, sealed, or in memory where it can't. */

import { Journal } from "./journal.js";
import { PLAIN, Sealer, canSeal } from "./sealing.js";
import { Shelf } from "./shelf.js";
import { Forgetful, Store } from "./store.js";

/** {person, keys, journal, shelf, unkept}: `unkept` says why nothing outlives this page (a page's word), or is null. */
export async function sitDown(api, name) {
  const { person, keys, journal: key } = await api.desk();
  const { store, sealer, unkept } = await place(name, key);
  return { person, keys, unkept, journal: new Journal(store, sealer), shelf: new Shelf(store, sealer, api) };
}

async function place(name, key) {
  if (!canSeal()) {
    return { store: new Forgetful(), sealer: PLAIN, unkept: "unkept_insecure" };
  }
  const sealer = await Sealer.of(key);
  try {
    return { store: await Store.open(name), sealer, unkept: null };
  } catch (error) {
    if (error instanceof DOMException) {
      return { store: new Forgetful(), sealer, unkept: "unkept_browser" };
    }
    throw error;
  }
}
