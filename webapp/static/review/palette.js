/* The command palette: every command with its key, by a few letters of its words. */

import { shownKey } from "./bindings.js";
import { COMMANDS } from "./commands.js";
import { h, key as keycap, replace } from "./dom.js";
import { t } from "./strings.js";

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Palette {
  constructor(dialog, screen) {
    this.dialog = dialog;
    this.screen = screen;
    this.input = dialog.querySelector("input");
    this.list = dialog.querySelector("[data-body]");
    this.input.oninput = () => this.render();
    dialog.onkeydown = (event) => this.pressed(event);
  }

  open() {
    this.input.value = "";
    this.render();
    this.dialog.showModal();
    this.input.focus();
  }

  render() {
    const words = this.input.value.trim().toLowerCase();
    this.shown = COMMANDS.filter(({ id }) => id !== "commands" && t(`do_${id}`).toLowerCase().includes(words));
    replace(this.list, this.shown.length ? this.shown.map((command, index) => this.row(command, index === 0)) : h("p", { class: "soft" }, t("no_command")));
  }

  row(command, first) {
    return h(
      "button",
      { type: "button", class: first ? "choice choice--first" : "choice", "data-run": command.id, onclick: () => this.run(command) },
      h("span", null, t(`do_${command.id}`)),
      this.screen.bindings.keysOf(command).map((name) => keycap(shownKey(name))),
    );
  }

  run(command) {
    this.dialog.close();
    this.screen.run(command);
  }

  pressed(event) {
    if (event.key in STEPS) {
      event.preventDefault();
      const places = [this.input, ...this.list.querySelectorAll("button")];
      const at = places.indexOf(document.activeElement) + STEPS[event.key];
      places[Math.min(places.length - 1, Math.max(0, at))].focus();
    } else if (event.key === "Enter" && event.target === this.input && this.shown.length) {
      event.preventDefault();
      this.run(this.shown[0]);
    }
  }
}
