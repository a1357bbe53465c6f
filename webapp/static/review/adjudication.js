/* Adjudication: the two decisions beside each criterion, in columns without names. */

import { reasonLabel, t } from "./strings.js";

const NAMES = ["1", "2"];

/** [{label, text, facts, take}] for one criterion; empty outside adjudication. `take`: operations that choose it. */
export function othersOf(payload, key, reasons) {
  return (payload.others ?? []).map((decision, index) => {
    const document = decision.document ?? decision;
    const criterion = document.criteria.find((one) => one.key === key);
    const label = t("other_label", { n: NAMES[index] ?? index + 1 });
    if (!criterion) {
      return { label, text: null, facts: null, take: null };
    }
    return { label, text: criterion.text, facts: said(criterion, document.verdicts[key] ?? {}, reasons), take: taking(criterion) };
  });
}

function said(criterion, verdicts, reasons) {
  const parts = [t(criterion.polarity), t("weight_n", { n: criterion.weight })];
  for (const [response, { met }] of Object.entries(verdicts)) {
    if (met !== null) {
      parts.push(`${response} ${met ? "✓" : "✗"}`);
    }
  }
  if (criterion.rejected) {
    parts.push(t("rejected_because", { reason: reasonLabel(reasons, criterion.rejected.reason || t("no_reason")) }));
  }
  return parts.join(" · ");
}

function taking({ key, text, weight, dimension, polarity, rejected }) {
  return [
    ["set_text", { key, text }],
    ["set_weight", { key, weight }],
    ["set_dimension", { key, dimension }],
    ["set_polarity", { key, polarity }],
    rejected ? ["reject", { key, reason: rejected.reason }] : ["restore", { key }],
  ];
}
