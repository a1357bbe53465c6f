/* How the screen is laid out: the tab shown on a narrow screen, one response or two, changes against the draft. */

import { t } from "./strings.js";

export class Panes {
  constructor(screen) {
    this.screen = screen;
    this.diff = true;
    this.sideBySide = false;
    this.tabs = [...screen.root.querySelectorAll("[data-tab]")];
    for (const tab of this.tabs) {
      tab.onclick = () => this.show(tab.dataset.tab);
    }
    screen.root.querySelector("[data-side]").onclick = () => this.toggleSideBySide();
  }

  /** Keys of the responses that are open: one, or two side by side. */
  get open() {
    const { responses, response } = this.screen;
    const keys = responses.map(({ key }) => key);
    const at = keys.indexOf(response);
    return this.sideBySide && keys.length > 1 ? [keys[at], keys[(at + 1) % keys.length]].sort() : keys.slice(at, at + 1);
  }

  show(name) {
    this.screen.root.dataset.shown = name;
    for (const tab of this.tabs) {
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
    }
  }

  toggleDiff() {
    this.diff = !this.diff;
    this.screen.say(t(this.diff ? "diff_on" : "diff_off"));
    this.screen.render();
  }

  toggleSideBySide() {
    this.sideBySide = !this.sideBySide;
    this.screen.render();
  }
}
