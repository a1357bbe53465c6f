/* Which key does what, as this person set it, in every browser: {single: bool, keys: {command: [key]}}. */

import { Problem, Unreachable } from "./api.js";
import { COMMANDS } from "./commands.js";

const NAMES = { ArrowRight: "→", ArrowLeft: "←", " ": "␣" };
/** Bound to nothing, or to what every page needs them for; digits choose criteria. */
const REFUSED = new Set(["Backspace", "Delete", "Tab", "Escape", "Enter", "Shift", "Control", "Alt", "Meta"]);
const LONGEST = 10;

export function shownKey(name) {
  return NAMES[name] ?? name;
}

export function bindable(pressed) {
  return pressed.length <= LONGEST && !REFUSED.has(pressed) && !/^[0-9]$/.test(pressed);
}

export class Bindings {
  constructor(api) {
    this.api = api;
    this.onChange = () => {};
    /** Why the server doesn't have the present setting, or null. */
    this.unkept = null;
    this.load({});
  }

  load({ single = true, keys = {} }) {
    this.single = single;
    this.own = { ...keys };
    this.onChange();
  }

  keysOf(command) {
    return this.own[command.id] ?? command.keys;
  }

  /** What a cap shows: the first key of a command, or null. */
  shown(command) {
    const [first] = this.keysOf(command);
    return command.fixed ?? (first === undefined ? null : shownKey(first));
  }

  find(pressed) {
    return COMMANDS.find((command) => this.keysOf(command).includes(pressed)) ?? null;
  }

  setSingle(on) {
    this.single = on;
    this.store();
  }

  /** Give a command a key, or none; the command that had it gives it up. */
  assign(command, pressed) {
    const holder = pressed === null ? null : this.find(pressed);
    if (holder && holder !== command) {
      this.own[holder.id] = this.keysOf(holder).filter((name) => name !== pressed);
    }
    this.own[command.id] = pressed === null ? [] : [pressed];
    this.store();
  }

  reset() {
    this.own = {};
    this.single = true;
    this.store();
  }

  async store() {
    this.onChange();
    try {
      await this.api.setKeys({ single: this.single, keys: this.own });
      this.unkept = null;
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) {
        throw error;
      }
      this.unkept = error.message;
    }
    this.onChange();
  }
}
