/* How the responses stand under the present verdicts, in the words of the screen. */

import { order } from "./scoring.js";
import { t } from "./strings.js";

/** Whether any criterion stands. */
export function standing(document) {
  return document.criteria.some((criterion) => criterion.rejected === null);
}

/** {order, scores, badges: Map(response → {text, tone}), words}. */
export function standingOf(document, responses) {
  const found = order(document, responses);
  const result = standing(document) ? found : { ...found, groups: null };
  return { order: result, scores: result.scores, badges: badges(document, responses, result), words: standing(document) ? words(result) : t("order_nothing") };
}

function badges(document, responses, { groups, scores }) {
  const found = new Map();
  let place = 1;
  for (const group of groups ?? []) {
    for (const score of group) {
      found.set(score.response, badgeOf(score, place));
    }
    place += group.length;
  }
  if (!groups) {
    for (const score of scores.filter((one) => one.missing)) {
      found.set(score.response, { text: t("badge_left", { n: score.missing }), tone: "left" });
    }
  }
  for (const { key } of responses.filter((one) => one.key in document.unjudged)) {
    found.set(key, { text: t("badge_unjudged"), tone: "left" });
  }
  return found;
}

function badgeOf(score, place) {
  if (score.violations) {
    return { text: t("badge_veto"), tone: "veto" };
  }
  return { text: t(`badge_place_${Math.min(place, 4)}`, { n: place }), tone: place === 1 ? "first" : "other" };
}

/** One sentence on what decides the order. */
function words({ groups }) {
  if (!groups) {
    return "";
  }
  const flat = groups.flat();
  const vetoed = flat.filter((score) => score.violations);
  if (vetoed.length === flat.length && flat.length > 1) {
    return t("order_all_veto");
  }
  if (vetoed.length) {
    const worst = vetoed.at(-1);
    return t("order_veto", { response: worst.response, n: worst.violations });
  }
  if (flat.length < 2) {
    return "";
  }
  return sentence(groups);
}

function sentence(groups) {
  if (groups.length === 1) {
    return t("order_tie");
  }
  const [[first], [second]] = groups;
  if (first.weighted !== second.weighted) {
    return t("order_weight", { response: first.response, a: first.weighted, b: second.weighted, total: first.total });
  }
  return t("order_bonus", { response: first.response, a: first.bonus, b: second.bonus });
}
