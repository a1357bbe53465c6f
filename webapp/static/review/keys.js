/* From key presses to commands. Nothing happens while one types; bare Backspace is bound to nothing. */

import { COMMANDS, command } from "./commands.js";

const SECOND_DIGIT_MS = 600;
const STORED = "goldrounds.review.keys";
const TYPING = "input, textarea, select, [contenteditable]";
const NAMES = { ArrowRight: "→", ArrowLeft: "←", " ": "␣" };

export function shownKey(name) {
  return NAMES[name] ?? name;
}

/** Which key does what, as this person set it: {single: bool, keys: {command: [key]}}. */
export class Bindings {
  constructor() {
    const stored = JSON.parse(localStorage.getItem(STORED) ?? "{}");
    this.single = stored.single ?? true;
    this.own = stored.keys ?? {};
  }

  keysOf(command) {
    return this.own[command.id] ?? command.keys;
  }

  find(pressed) {
    return COMMANDS.find((command) => this.keysOf(command).includes(pressed)) ?? null;
  }

  setSingle(on) {
    this.single = on;
    this.store();
  }

  /** Give a command a key; the command that had it gives it up. */
  assign(command, pressed) {
    const holder = this.find(pressed);
    if (holder && holder !== command) {
      this.own[holder.id] = this.keysOf(holder).filter((name) => name !== pressed);
    }
    this.own[command.id] = [pressed];
    this.store();
  }

  reset() {
    this.own = {};
    this.single = true;
    this.store();
  }

  store() {
    localStorage.setItem(STORED, JSON.stringify({ single: this.single, keys: this.own }));
  }
}

export class Keyboard {
  constructor(screen, bindings) {
    this.screen = screen;
    this.bindings = bindings;
    this.digits = { text: "", at: -Infinity };
    document.addEventListener("keydown", (event) => this.pressed(event));
  }

  pressed(event) {
    if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) {
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      this.screen.run(command("commands"));
      return;
    }
    if (this.screen.sheet.pressed(event) || event.target.closest(TYPING)) {
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || !this.bindings.single) {
      return;
    }
    if (this.screen.verdicts.picking?.pressed(event)) {
      event.preventDefault();
      return;
    }
    this.single(event);
  }

  single(event) {
    if (/^[0-9]$/.test(event.key)) {
      event.preventDefault();
      this.digit(event.key);
      return;
    }
    this.digits = { text: "", at: -Infinity };
    const command = this.bindings.find(event.key);
    if (!command) {
      return;
    }
    event.preventDefault();
    if (!event.repeat || command.repeats) {
      this.screen.run(command);
    }
  }

  /** A digit focuses at once; a second one soon after it makes a number of two. */
  digit(name) {
    const now = performance.now();
    const joined = now - this.digits.at < SECOND_DIGIT_MS ? this.digits.text + name : name;
    const number = this.screen.hasCriterion(Number(joined)) ? joined : name;
    this.digits = { text: number, at: now };
    this.screen.focus.number(Number(number));
  }
}
