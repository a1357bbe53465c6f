/* What is shown and focused now. Views draw from it; commands change it. */

import { Bar } from "./bar.js";
import { CaseView } from "./case.js";
import { COMMANDS } from "./commands.js";
import { Decisions } from "./decisions.js";
import { openCommands, openGuideline, openKeySheet } from "./dialogs.js";
import { Refused } from "./document.js";
import { editorValues } from "./criterion.js";
import { Edits } from "./edits.js";
import { Notices } from "./notices.js";
import { Rail } from "./rail.js";
import { RubricView } from "./rubric.js";
import { ordered } from "./scoring.js";
import { Sheet } from "./sheet.js";
import { renderStage } from "./stage.js";
import { standingOf } from "./standing.js";
import { reasonLabel, t } from "./strings.js";
import { Verdicts } from "./verdicts.js";

export class Screen {
  constructor({ root, config, session, bindings }) {
    Object.assign(this, { root, config, session, bindings });
    const part = (name) => root.querySelector(`[data-part="${name}"]`);
    this.edits = new Edits(this);
    this.verdicts = new Verdicts(this);
    this.decisions = new Decisions(this);
    this.sheet = new Sheet(part("sheet"));
    this.rail = new Rail(part("rail"), this);
    this.caseView = new CaseView(part("case"), this);
    this.rubric = new RubricView(part("rubric"), this);
    this.bar = new Bar(this);
    this.notices = new Notices(part("notices"), this);
    this.live = part("live");
    this.stage = part("stage");
    this.focus = null;
    this.response = null;
    this.editing = null;
    this.diff = true;
    this.sideBySide = false;
    this.chosen = new Map();
    for (const tab of root.querySelectorAll("[data-tab]")) {
      tab.onclick = () => this.showTab(tab.dataset.tab);
    }
    for (const button of root.querySelectorAll("[data-command]")) {
      button.onclick = () => this.run(COMMANDS.find((entry) => entry.id === button.dataset.command));
    }
    root.querySelector("[data-side]").onclick = () => this.toggleSideBySide();
  }

  /* What is on the screen */

  get work() {
    return this.session.work;
  }

  get view() {
    return this.work?.view ?? null;
  }

  get responses() {
    return this.work?.payload.responses ?? [];
  }

  get order() {
    return this.view ? ordered(this.view) : [];
  }

  get focused() {
    return this.order.find((criterion) => criterion.key === this.focus) ?? null;
  }

  get readOnly() {
    return this.session.readOnly;
  }

  /** Keys of the responses that are open: one, or two side by side. */
  get open() {
    const keys = this.responses.map(({ key }) => key);
    const at = keys.indexOf(this.response);
    return this.sideBySide && keys.length > 1 ? [keys[at], keys[(at + 1) % keys.length]].sort() : keys.slice(at, at + 1);
  }

  criterion(key) {
    return this.view.criteria.find((criterion) => criterion.key === key);
  }

  drafted(key) {
    return this.work.payload.draft?.criteria.find((criterion) => criterion.key === key) ?? null;
  }

  numberOf(key) {
    return this.order.findIndex((criterion) => criterion.key === key) + 1;
  }

  hasCriterion(number) {
    return number >= 1 && number <= this.order.length;
  }

  textOf(response) {
    return this.responses.find(({ key }) => key === response).text;
  }

  unjudgedLabel(code) {
    return t("unjudged_because", { reason: reasonLabel(this.config.unjudgedReasons, code) });
  }

  /* Doing */

  run(command) {
    if (command.writes && !(this.view && this.writable())) {
      return;
    }
    command.run(this);
  }

  /** Whether the item takes changes now; says why where it doesn't. */
  writable() {
    if (this.readOnly) {
      this.refuse(t("read_only"));
    } else if (this.view.submitted) {
      this.refuse(t("is_submitted"));
    } else if (this.view.skip) {
      this.refuse(t("is_skipped"));
    } else {
      return true;
    }
    return false;
  }

  perform(operations) {
    try {
      this.notices.clearRefusal();
      this.session.perform(operations);
    } catch (error) {
      if (!(error instanceof Refused)) {
        throw error;
      }
      this.refuse(t(error.reason));
    }
  }

  refuse(reason) {
    this.notices.refuse(this.session.current, reason);
    this.say(reason);
    this.render();
  }

  say(words) {
    this.live.textContent = words;
  }

  /* Focus */

  focusKey(key, response = this.response) {
    this.focus = key;
    this.response = response;
    this.render();
    this.announce();
  }

  focusNumber(number) {
    const criterion = this.order[number - 1];
    if (criterion) {
      this.focusKey(criterion.key);
    }
  }

  moveFocus(step) {
    const { order } = this;
    if (order.length) {
      const at = order.findIndex((criterion) => criterion.key === this.focus);
      this.focusKey(order[Math.min(order.length - 1, Math.max(0, at + step))].key);
    }
  }

  chooseResponse(key) {
    this.response = key;
    this.render();
    this.announce();
  }

  moveResponse(step) {
    const { responses } = this;
    if (responses.length) {
      const at = responses.findIndex(({ key }) => key === this.response);
      this.chooseResponse(responses[(at + step + responses.length) % responses.length].key);
    }
  }

  moveItem(step) {
    const id = this.session.neighbour(step);
    if (id) {
      void this.session.open(id);
    }
  }

  announce() {
    const { focused, response } = this;
    if (!focused) {
      return;
    }
    const row = this.root.querySelector(".criterion--focused");
    row?.scrollIntoView({ block: "nearest" });
    const met = this.view.verdicts[focused.key]?.[response]?.met ?? null;
    const verdict = met === null ? t("verdict_none") : t(met ? "verdict_met" : "verdict_unmet");
    this.say(t("announce", { n: this.numberOf(focused.key), dimension: t(`dimension_${focused.dimension}`), text: focused.text, response: response ?? "", verdict: response ? verdict : "" }));
  }

  /* Editing */

  startEditing(editing) {
    this.editing = editing;
    this.showTab("rubric");
    this.render();
    const area = this.root.querySelector(".editor textarea");
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    area.closest("li").scrollIntoView({ block: "nearest" });
  }

  stopEditing() {
    this.editing = null;
    this.render();
    this.root.querySelector(".criterion--focused")?.focus({ preventScroll: true });
  }

  /* Views */

  toggleDiff() {
    this.diff = !this.diff;
    this.say(t(this.diff ? "diff_on" : "diff_off"));
    this.render();
  }

  toggleSideBySide() {
    this.sideBySide = !this.sideBySide;
    this.render();
  }

  showTab(name) {
    this.root.dataset.shown = name;
    for (const tab of this.root.querySelectorAll("[data-tab]")) {
      tab.setAttribute("aria-pressed", String(tab.dataset.tab === name));
    }
  }

  openCommands() {
    openCommands(this);
  }

  openGuideline() {
    openGuideline(this);
  }

  openKeySheet() {
    openKeySheet(this);
  }

  /** What is being written when one leaves the item is kept: it becomes an operation, which undo takes back. */
  leaving() {
    if (this.editing) {
      this.edits.save(this.editing, editorValues(this.root.querySelector(".editor")));
    }
    this.sheet.leave();
  }

  /** Another item is current: focus goes back to where it was there, else to the first criterion. */
  opened() {
    this.editing = null;
    this.verdicts.picking = null;
    this.focus = null;
    this.restoreFocus();
    this.render();
    this.rail.reveal();
  }

  restoreFocus() {
    if (!this.work) {
      return;
    }
    const [first] = this.order;
    const [firstResponse] = this.responses;
    this.focus = first?.key ?? null;
    this.response = firstResponse?.key ?? null;
  }

  /** After undo or redo: the criterion that changed is the one in focus. */
  afterReplay(step) {
    const key = step?.back.find(([, payload]) => payload.key)?.[1].key;
    if (key && this.criterion(key)) {
      this.focusKey(key);
    } else {
      this.render();
    }
  }

  /** Something changed; drawn at once, so that the next frame shows it. */
  render() {
    this.rail.render();
    const mode = this.mode();
    this.root.dataset.mode = mode;
    if (mode === "item") {
      if (!this.focused && this.order.length) {
        this.restoreFocus();
      }
      const standing = standingOf(this.view, this.responses);
      this.caseView.render(standing);
      this.rubric.render(standing);
    } else {
      renderStage(this, mode);
    }
    this.notices.render();
    this.bar.render();
  }

  mode() {
    if (this.work) {
      return "item";
    }
    if (this.session.error) {
      return "error";
    }
    return this.session.current || !this.session.round ? "loading" : "done";
  }
}
