/* A lab table or vital signs: values out of their range carry a sign and a word, a series has its plot. */

import { h } from "./dom.js";
import { t } from "./strings.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 96;
const HEIGHT = 34;
const SIGNS = { low: "▼", high: "▲", abnormal: "◆" };

export function measuredTable({ content, title, kind }) {
  const { columns, rows } = content;
  const course = columns.length > 1;
  const values = columns.length ? columns : [t("column_value")];
  const column = (words, style = null) => h("th", { scope: "col", class: style }, words);
  const head = [
    column(t("column_name")),
    course && column(t("column_course")),
    ...values.map((words) => column(words, "num")),
    column(t("column_reference")),
  ];
  const name = `${t(`attachment_${kind}`)} ${title}`.trim();
  return h(
    "div",
    { class: "table-wrap", tabindex: "0", role: "region", "aria-label": name },
    h("table", { class: "table measured" }, h("thead", null, h("tr", null, head)), h("tbody", null, rows.map((row) => line(row, course)))),
  );
}

function line(row, course) {
  return h(
    "tr",
    null,
    h("th", { scope: "row" }, h("bdi", null, row.name), " ", h("bdi", { class: "unit", dir: "ltr" }, row.unit)),
    course && h("td", null, plot(row)),
    row.cells.map((one) => h("td", { class: "num" }, cell(one, course))),
    h("td", { class: "soft nowrap" }, h("bdi", { dir: "ltr" }, row.reference || "–")),
  );
}

function cell({ value, mark }, narrow) {
  if (!SIGNS[mark]) {
    return h("bdi", { dir: "ltr" }, value || "–");
  }
  return h("span", { class: "out" }, h("span", { "aria-hidden": "true" }, SIGNS[mark]), " ", h("bdi", { dir: "ltr" }, value), " ", h("span", { class: narrow ? "visually-hidden" : "out-word" }, t(`mark_${mark}`)));
}

/** The values as a line over the band of the reference range; nothing where fewer than two are numbers. */
function plot({ name, low, high, cells }) {
  const points = cells
    .map(({ value, mark }, place) => ({ place, mark, value: Number(value.replace(",", ".")), given: value !== "" }))
    .filter((point) => point.given && Number.isFinite(point.value));
  if (points.length < 2) {
    return null;
  }
  const known = [...points.map(({ value }) => value), low, high].filter((value) => value !== null);
  const least = Math.min(...known);
  const most = Math.max(...known);
  const margin = (most - least) * 0.1 || 1;
  const first = points[0].place;
  const x = (place) => 5 + ((place - first) / (points.at(-1).place - first)) * (WIDTH - 10);
  const y = (value) => HEIGHT - 4 - ((value - least + margin) / (most - least + 2 * margin)) * (HEIGHT - 8);
  const drawn = svg("svg", { class: "measured-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": `${name}: ${cells.map(({ value }) => value || "–").join(", ")}` });
  if (low !== null || high !== null) {
    const top = high === null ? 4 : y(high);
    drawn.append(svg("rect", { class: "band", x: 0, y: top, width: WIDTH, height: (low === null ? HEIGHT - 4 : y(low)) - top }));
  }
  drawn.append(svg("path", { class: "line", d: `M${points.map(({ place, value }) => `${x(place).toFixed(1)} ${y(value).toFixed(1)}`).join("L")}` }));
  drawn.append(...points.map(({ place, value, mark }) => svg("circle", { class: mark ? "dot dot--out" : "dot", cx: x(place), cy: y(value), r: mark ? 3 : 2 })));
  return drawn;
}

function svg(tag, properties) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) {
    element.setAttribute(name, value);
  }
  return element;
}
