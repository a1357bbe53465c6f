/* What stands in place of an item: loading, an error, or that nothing is left to do. */

import { Unreachable } from "./api.js";
import { h, replace } from "./dom.js";
import { t } from "./strings.js";

const SKELETON_LINES = 7;

export function renderStage(screen, mode) {
  const { stage, session } = screen;
  if (mode === "loading" && stage.dataset.mode === mode) {
    return;
  }
  stage.dataset.mode = mode;
  replace(stage, mode === "loading" ? loading() : mode === "error" ? failed(session) : done(screen));
}

function loading() {
  const lines = Array.from({ length: SKELETON_LINES }, () => h("div", { class: "skeleton" }));
  return [h("div", { class: "skeletons", "aria-hidden": "true" }, lines), h("p", { class: "visually-hidden" }, t("loading"))];
}

function failed(session) {
  const reason = session.error instanceof Unreachable ? t("unreachable") : session.error.message;
  return [
    h("h2", null, t("load_failed")),
    h("p", null, reason),
    h("button", { type: "button", class: "button", onclick: () => session.proceed() }, t("try_again")),
  ];
}

function done({ session, config }) {
  const name = session.items.length ? "all_done" : "nothing_assigned";
  return [h("h2", null, t(name)), h("p", null, t(`${name}_more`)), h("a", { class: "button", href: config.queueUrl }, t("to_queue"))];
}
