/* The page's words, rendered by the template through gettext. */

let words = {};

export function useStrings(strings) {
  words = strings;
}

/** `t("verdicts_missing", {n: 3})`; a key ending in `_one` is taken where n is 1. */
export function t(name, values = {}) {
  const chosen = values.n === 1 && words[`${name}_one`] ? `${name}_one` : name;
  return (words[chosen] ?? name).replace(/\{(\w+)\}/g, (whole, slot) => String(values[slot] ?? whole));
}

/** The label of a coded reason, or the code itself where it was written by hand. */
export function reasonLabel(list, code) {
  return list.find((reason) => reason.code === code)?.label ?? code;
}
