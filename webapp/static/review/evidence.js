/* Evidence: words of a response, kept as quote, prefix, suffix and offsets (W3C Web Annotation). */

const CONTEXT = 32;

const points = (text) => [...text].length;

/** UTF-16 offsets → evidence; offsets are kept in whole characters. */
export function evidenceAt(text, start, end) {
  const raw = text.slice(start, end);
  const from = start + raw.length - raw.trimStart().length;
  const to = end - (raw.length - raw.trimEnd().length);
  if (from >= to) {
    return null;
  }
  const before = points(text.slice(0, from));
  const quote = text.slice(from, to);
  return {
    quote,
    prefix: text.slice(Math.max(0, from - CONTEXT), from).toWellFormed(),
    suffix: text.slice(to, to + CONTEXT).toWellFormed(),
    start: before,
    end: before + points(quote),
  };
}

/** The selection inside `panel` as evidence, or null. `panel` holds exactly `text`. */
export function evidenceOf(panel, text) {
  const selection = getSelection();
  if (selection.isCollapsed || !selection.rangeCount) {
    return null;
  }
  const range = selection.getRangeAt(0);
  if (!panel.contains(range.startContainer) || !panel.contains(range.endContainer)) {
    return null;
  }
  const start = offsetIn(panel, range.startContainer, range.startOffset);
  return evidenceAt(text, start, offsetIn(panel, range.endContainer, range.endOffset));
}

function offsetIn(panel, node, offset) {
  const range = document.createRange();
  range.selectNodeContents(panel);
  range.setEnd(node, offset);
  return range.toString().length;
}

/** Text cut at the ends of all marks: [{text, marks}], `marks` those that cover the piece. */
export function pieces(text, marks) {
  if (!marks.length) {
    return [{ text, marks: [] }];
  }
  const characters = [...text];
  const cuts = [...new Set([0, characters.length, ...marks.flatMap((mark) => [mark.start, mark.end])])]
    .filter((cut) => cut >= 0 && cut <= characters.length)
    .sort((a, b) => a - b);
  return cuts.slice(0, -1).map((start, index) => ({
    text: characters.slice(start, cuts[index + 1]).join(""),
    marks: marks.filter((mark) => mark.start <= start && mark.end >= cuts[index + 1]),
    ends: marks.filter((mark) => mark.end === cuts[index + 1]),
  }));
}

function bounds(text, granularity) {
  const segments = new Intl.Segmenter(undefined, { granularity }).segment(text);
  const counts = (part) => (granularity === "word" ? part.isWordLike : part.segment.trim());
  return [...segments].filter(counts).map((part) => [part.index, part.index + part.segment.length]);
}

/** Selecting by keyboard: j k by sentence, l and shift+l by word at the end, Enter keeps, Esc leaves. */
export class EvidencePicker {
  constructor(panel, text, { done }) {
    Object.assign(this, { panel, text, done });
    this.sentences = bounds(text, "sentence");
    this.words = bounds(text, "word");
    this.sentence = 0;
    this.end = this.sentences[0]?.[1] ?? 0;
    this.show();
  }

  get start() {
    return this.sentences[this.sentence]?.[0] ?? 0;
  }

  pressed(event) {
    const steps = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };
    if (event.key in steps) {
      this.move(steps[event.key]);
    } else if (event.key === "l" || event.key === "ArrowRight") {
      this.end = this.words.find(([, end]) => end > this.end)?.[1] ?? this.end;
    } else if (event.key === "L" || event.key === "ArrowLeft") {
      this.end = this.words.findLast(([, end]) => end < this.end && end > this.start)?.[1] ?? this.end;
    } else if (event.key === "Enter" || event.key === "h") {
      this.done(evidenceAt(this.text, this.start, this.end));
      return true;
    } else if (event.key === "Escape") {
      getSelection().removeAllRanges();
      this.done(null);
      return true;
    } else {
      return false;
    }
    this.show();
    return true;
  }

  move(step) {
    this.sentence = Math.min(this.sentences.length - 1, Math.max(0, this.sentence + step));
    this.end = this.sentences[this.sentence][1];
  }

  show() {
    const range = document.createRange();
    range.setStart(...this.point(this.start));
    range.setEnd(...this.point(this.end));
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    range.startContainer.parentElement.scrollIntoView({ block: "nearest" });
  }

  point(offset) {
    const walker = document.createTreeWalker(this.panel, NodeFilter.SHOW_TEXT);
    let left = offset;
    let node = walker.nextNode();
    while (node && left > node.length) {
      left -= node.length;
      node = walker.nextNode();
    }
    return node ? [node, left] : [this.panel, 0];
  }
}
