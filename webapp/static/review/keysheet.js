/* The key sheet: what each key does for this person, where keys are changed, and where single keys are switched off. */

import { bindable, shownKey } from "./bindings.js";
import { COMMANDS, GROUPS } from "./commands.js";
import { h, key as keycap, replace } from "./dom.js";
import { t } from "./strings.js";

export class KeySheet {
  constructor(dialog, bindings) {
    this.dialog = dialog;
    this.bindings = bindings;
  }

  open() {
    this.render();
    this.dialog.showModal();
  }

  render() {
    const { bindings } = this;
    const single = h("input", { type: "checkbox", id: "single-keys" });
    single.checked = bindings.single;
    single.onchange = () => bindings.setSingle(single.checked);
    const reset = () => {
      bindings.reset();
      this.render();
    };
    replace(
      this.dialog.querySelector("[data-body]"),
      h("div", { class: "field field--check" }, single, h("label", { for: "single-keys" }, t("single_keys"))),
      h("p", { class: "help" }, t("remap_help")),
      h("div", { class: "key-groups" }, GROUPS.map((group) => this.group(group))),
      h("button", { type: "button", class: "button", onclick: reset }, t("reset_keys")),
    );
  }

  group(name) {
    const rows = COMMANDS.filter((command) => command.group === name).map((command) =>
      h("tr", null, h("td", null, t(`do_${command.id}`)), h("td", { class: "act" }, this.button(command))),
    );
    return h("table", { class: "table key-table" }, h("caption", null, h("h3", null, t(`group_${name}`))), h("tbody", null, rows));
  }

  button(command) {
    if (command.fixed) {
      return keycap(command.fixed);
    }
    const names = this.bindings.keysOf(command);
    const said = names.map(shownKey).join(" ") || t("no_key");
    const button = h(
      "button",
      { type: "button", class: "key-button", "data-remap": command.id, "aria-label": t("remap", { command: t(`do_${command.id}`), key: said }) },
      names.length ? names.map((name) => keycap(shownKey(name))) : keycap("–"),
    );
    button.onclick = () => this.listen(button, command);
    return button;
  }

  /** The next key is the command's; Delete leaves it without one; Escape leaves it as it is. */
  listen(button, command) {
    replace(button, t("press_key"));
    button.onblur = () => this.render();
    button.onkeydown = (event) => {
      if (event.key === "Shift" || event.key === "Tab") {
        return;
      }
      event.preventDefault();
      event.stopPropagation();
      button.onblur = null;
      if (event.key === "Delete") {
        this.bindings.assign(command, null);
      } else if (bindable(event.key)) {
        this.bindings.assign(command, event.key);
      }
      this.render();
      this.dialog.querySelector(`[data-remap="${command.id}"]`).focus();
    };
  }
}
