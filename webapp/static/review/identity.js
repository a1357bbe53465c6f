/* Random ids; `crypto.randomUUID` exists on secure origins only. */

export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

export function hexKey() {
  return uuid().replaceAll("-", "");
}

/** This tab's name. Other tabs see through a held lock whether it is alive. */
export const TAB = uuid();

export function holdTab() {
  navigator.locks?.request(`goldrounds-tab-${TAB}`, () => new Promise(() => {}));
}

/** Names of the tabs that are alive; null where the browser can't tell. */
export async function livingTabs() {
  if (!navigator.locks) {
    return null;
  }
  const { held } = await navigator.locks.query();
  return new Set(held.map((lock) => lock.name.replace("goldrounds-tab-", "")));
}

/** Runs `work` while no other tab runs work under the same name. */
export function alone(name, work) {
  return navigator.locks ? navigator.locks.request(name, work) : work();
}
