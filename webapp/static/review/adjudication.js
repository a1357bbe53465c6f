/* Adjudication: the two decisions beside each criterion, in columns without names; any of them can be taken. */

import { reasonLabel, t } from "./strings.js";

const FIELDS = { text: "set_text", weight: "set_weight", dimension: "set_dimension", polarity: "set_polarity", contested: "set_contested" };

/**
 * [{label, text, facts, take}] for one criterion; empty outside adjudication and where both say the same.
 * `take`: the operations that make ours like it.
 */
export function othersOf({ others = [] }, view, key, reasons) {
  const ours = view.criteria.find((one) => one.key === key);
  const columns = others.map((decision, index) => {
    const label = t("other_label", { n: index + 1 });
    const theirs = decision.criteria.find((one) => one.key === key);
    if (!theirs) {
      return { label, text: null, facts: null, take: [] };
    }
    const verdicts = decision.verdicts[key] ?? {};
    return { label, text: theirs.text, facts: said(theirs, verdicts, reasons), take: taking(ours, theirs, view, verdicts) };
  });
  const words = new Set(columns.map(({ text, facts }) => `${text}\n${facts}`));
  return words.size > 1 ? columns : [];
}

function said(criterion, verdicts, reasons) {
  const parts = [t(`dimension_${criterion.dimension}`), t(criterion.polarity), t("weight_n", { n: criterion.weight })];
  for (const [response, { met }] of Object.entries(verdicts).sort()) {
    parts.push(`${response} ${met ? "✓" : "✗"}`);
  }
  if (criterion.rejected) {
    parts.push(t("rejected_because", { reason: reasonLabel(reasons, criterion.rejected.reason || t("no_reason")) }));
  }
  return parts.join(" · ");
}

function taking(ours, theirs, view, verdicts) {
  const { key } = ours;
  const changes = Object.entries(FIELDS)
    .filter(([field]) => ours[field] !== theirs[field])
    .map(([field, kind]) => [kind, { key, [field]: theirs[field] }]);
  if (Boolean(ours.rejected) !== Boolean(theirs.rejected)) {
    changes.push(theirs.rejected ? ["reject", { key, reason: theirs.rejected.reason }] : ["restore", { key }]);
  }
  return [...changes, ...judging(key, view.verdicts[key] ?? {}, verdicts)];
}

function judging(key, ours, theirs) {
  return Object.entries(theirs)
    .filter(([response, { met }]) => ours[response]?.met !== met)
    .map(([response, { met }]) => ["set_verdict", { key, response, met }]);
}
