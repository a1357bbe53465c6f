/* Content at rest is sealed with AES-GCM, by a key of the server that lives in this page's memory only. */

const IV_BYTES = 12;

/** Sealed with another key, or changed since. */
export class Unreadable extends Error {}

/** Whether this page may seal at all: browsers give WebCrypto to https and to this machine only. */
export function canSeal() {
  return Boolean(globalThis.crypto?.subtle);
}

export class Sealer {
  constructor(name, key) {
    this.name = name;
    this.key = key;
  }

  /** `secret`: 32 bytes in base64. The key can't be read out of the page again. */
  static async of({ name, secret }) {
    const bytes = Uint8Array.from(atob(secret), (character) => character.charCodeAt(0));
    return new Sealer(name, await crypto.subtle.importKey("raw", bytes, "AES-GCM", false, ["encrypt", "decrypt"]));
  }

  /** `id` is bound in: a sealed content opens in its own place only. */
  async seal(id, content) {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const words = new TextEncoder().encode(JSON.stringify(content));
    return { key: this.name, iv, sealed: await crypto.subtle.encrypt(this.how(id, iv), this.key, words) };
  }

  /** Throws `Unreadable`. */
  async open(id, body) {
    if (body?.key !== this.name) {
      throw new Unreadable(id);
    }
    try {
      const words = await crypto.subtle.decrypt(this.how(id, body.iv), this.key, body.sealed);
      return JSON.parse(new TextDecoder().decode(words));
    } catch (error) {
      throw new Unreadable(id, { cause: error });
    }
  }

  how(id, iv) {
    return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(id) };
  }
}

/** For a store that forgets: nothing of it is ever at rest. */
export const PLAIN = {
  seal: async (id, content) => content,
  open: async (id, body) => body,
};
