/* The key sheet (where keys are switched off and remapped), the command palette and the guideline. */

import { h, key as keycap, replace } from "./dom.js";
import { COMMANDS, GROUPS } from "./commands.js";
import { shownKey } from "./keys.js";
import { t } from "./strings.js";

const REFUSED_KEYS = new Set(["Backspace", "Delete", "Tab", "Escape", "Enter", "Shift", "Control", "Alt", "Meta"]);

export class Dialogs {
  constructor(screen) {
    this.screen = screen;
  }

  named(name) {
    return this.screen.root.querySelector(`[data-dialog="${name}"]`);
  }

  keySheet() {
    const dialog = this.named("keys");
    renderKeySheet(this.screen, dialog);
    dialog.showModal();
  }

  commands() {
    openCommands(this.screen, this.named("commands"));
  }

  guideline() {
    const dialog = this.named("guideline");
    const own = this.screen.work?.payload.guideline;
    replace(dialog.querySelector("[data-own]"), own || t("no_guideline"));
    dialog.showModal();
  }
}

function renderKeySheet(screen, dialog) {
  const { bindings } = screen;
  const single = h("input", { type: "checkbox", id: "single-keys" });
  single.checked = bindings.single;
  single.onchange = () => bindings.setSingle(single.checked);
  replace(
    dialog.querySelector("[data-body]"),
    h("div", { class: "field field--check" }, single, h("label", { for: "single-keys" }, t("single_keys"))),
    h("p", { class: "help" }, t("remap_help")),
    h("div", { class: "key-groups" }, GROUPS.map((group) => keyGroup(screen, dialog, group))),
    h("button", { type: "button", class: "button", onclick: () => (bindings.reset(), renderKeySheet(screen, dialog), screen.render()) }, t("reset_keys")),
  );
}

function keyGroup(screen, dialog, group) {
  const rows = COMMANDS.filter((command) => command.group === group).map((command) =>
    h("tr", null, h("td", null, t(`do_${command.id}`)), h("td", { class: "act" }, keyButton(screen, dialog, command))),
  );
  return h("table", { class: "table key-table" }, h("caption", null, h("h3", null, t(`group_${group}`))), h("tbody", null, rows));
}

function keyButton(screen, dialog, command) {
  if (command.fixed) {
    return keycap(command.fixed);
  }
  const names = screen.bindings.keysOf(command);
  const button = h(
    "button",
    { type: "button", class: "key-button", "aria-label": t("remap", { command: t(`do_${command.id}`), key: names.join(" ") || t("no_key") }) },
    names.length ? names.map((name) => keycap(shownKey(name))) : keycap("–"),
  );
  button.onclick = () => {
    replace(button, t("press_key"));
    button.onkeydown = (event) => {
      event.preventDefault();
      event.stopPropagation();
      if (event.key !== "Shift") {
        if (event.key.length <= 10 && !REFUSED_KEYS.has(event.key) && !/^[0-9]$/.test(event.key)) {
          screen.bindings.assign(command, event.key);
        }
        renderKeySheet(screen, dialog);
        screen.render();
      }
    };
  };
  return button;
}

function openCommands(screen, dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[data-body]");
  let shown = [];
  const render = () => {
    const words = input.value.trim().toLowerCase();
    shown = COMMANDS.filter((command) => command.id !== "commands" && t(`do_${command.id}`).toLowerCase().includes(words));
    replace(list, shown.map((command, index) => commandRow(command, index === 0)));
  };
  const commandRow = (command, first) =>
    h(
      "button",
      { type: "button", class: first ? "choice choice--first" : "choice", onclick: () => run(command) },
      h("span", null, t(`do_${command.id}`)),
      screen.bindings.keysOf(command).map((name) => keycap(shownKey(name))),
    );
  const run = (command) => {
    dialog.close();
    screen.run(command);
  };
  input.value = "";
  input.oninput = render;
  input.onkeydown = (event) => {
    if (event.key === "Enter" && shown.length) {
      event.preventDefault();
      run(shown[0]);
    }
  };
  render();
  dialog.showModal();
  input.focus();
}
