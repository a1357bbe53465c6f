/* Differences in words between a draft's text and the present one. */

const TOKEN = /\s+|[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*|[^\s\p{L}\p{N}]/gu;

/** [["same" | "del" | "ins", text], …]; runs are joined, and a blank between two changes goes with them. */
export function wordDiff(before, after) {
  if (before === after) {
    return [["same", after]];
  }
  const a = before.match(TOKEN) ?? [];
  const b = after.match(TOKEN) ?? [];
  return joined(steps(a, b, lengths(a, b)));
}

function lengths(a, b) {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      table[i * width + j] =
        a[i] === b[j]
          ? table[(i + 1) * width + j + 1] + 1
          : Math.max(table[(i + 1) * width + j], table[i * width + j + 1]);
    }
  }
  return table;
}

function steps(a, b, table) {
  const width = b.length + 1;
  const found = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      found.push(["same", a[i++]]);
      j++;
    } else if (j >= b.length || (i < a.length && table[(i + 1) * width + j] >= table[i * width + j + 1])) {
      found.push(["del", a[i++]]);
    } else {
      found.push(["ins", b[j++]]);
    }
  }
  return found;
}

function joined(found) {
  const runs = [];
  let removed = "";
  let inserted = "";
  const flush = () => {
    const tail = /\s+$/.exec(removed)?.[0];
    const shared = tail && inserted.endsWith(tail) ? tail : "";
    const cut = (text) => (shared ? text.slice(0, -shared.length) : text);
    const lead = removed ? "" : /^\s*/.exec(inserted)[0];
    if (lead && cut(inserted).trim()) {
      runs.push(["same", lead]);
      inserted = inserted.slice(lead.length);
    }
    if (cut(removed)) {
      runs.push(["del", cut(removed)]);
    }
    const trail = removed || !cut(inserted).trim() ? "" : /\s*$/.exec(cut(inserted))[0];
    const words = cut(inserted).slice(0, cut(inserted).length - trail.length);
    if (words) {
      runs.push(["ins", words]);
    }
    if (shared || trail) {
      runs.push(["same", trail + shared]);
    }
    removed = inserted = "";
  };
  found.forEach(([kind, text], index) => {
    const bridge = kind === "same" && /^\s+$/.test(text) && (removed || inserted) && changedNext(found, index);
    if (kind === "same" && !bridge) {
      flush();
      const last = runs.at(-1);
      if (last?.[0] === "same") {
        last[1] += text;
      } else {
        runs.push(["same", text]);
      }
    } else {
      removed += kind === "ins" ? "" : text;
      inserted += kind === "del" ? "" : text;
    }
  });
  flush();
  return runs;
}

function changedNext(found, index) {
  return found[index + 1] !== undefined && found[index + 1][0] !== "same";
}
