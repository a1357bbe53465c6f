/* From key presses to commands. Nothing happens while one types; bare Backspace is bound to nothing. */

import { Adjudication } from "./adjudication.js";
import { command } from "./commands.js";

const SECOND_DIGIT_MS = 600;
const TYPING = "input, textarea, select, [contenteditable]";

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
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    if (this.screen.verdicts.picking?.pressed(event)) {
      event.preventDefault();
    } else if (this.bindings.single) {
      this.single(event);
    }
  }

  single(event) {
    if (/^[0-9]$/.test(event.key)) {
      event.preventDefault();
      if (this.screen.panel(Adjudication).picks(event.key)) {
        return;
      }
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
