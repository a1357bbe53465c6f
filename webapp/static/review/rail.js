/* The reviewer's own list: only the rows in sight exist. */

import { h, icon, keyed } from "./dom.js";
import { isOpen } from "./session.js";
import { t } from "./strings.js";

const ROW_PX = 44;
const SPARE_ROWS = 6;
const FILTERS = {
  all: () => true,
  open: isOpen,
  flagged: (item) => item.flagged,
  skipped: (item) => item.state === "skipped",
};

export class Rail {
  constructor(root, screen) {
    this.screen = screen;
    this.filter = "all";
    this.query = "";
    this.filters = root.querySelector("[data-filters]");
    this.searchBox = root.querySelector("[data-search]");
    this.scroller = root.querySelector("[data-scroller]");
    this.list = root.querySelector("[data-list]");
    this.none = root.querySelector("[data-none]");
    this.scroller.addEventListener("scroll", () => this.rows(), { passive: true });
    new ResizeObserver(() => this.rows()).observe(this.scroller);
    this.searchBox.addEventListener("input", () => {
      this.query = this.searchBox.value;
      this.render();
    });
    this.searchBox.addEventListener("keydown", (event) => this.searchKey(event));
    this.shown = [];
  }

  search() {
    this.screen.panes.show("items");
    this.searchBox.focus();
    this.searchBox.select();
  }

  searchKey(event) {
    if (event.key === "Escape") {
      this.searchBox.value = this.query = "";
      this.searchBox.blur();
      this.render();
    } else if (event.key === "Enter" && this.shown.length) {
      this.searchBox.blur();
      this.screen.session.open(this.shown[0].id);
    }
  }

  render() {
    const { items } = this.screen.session;
    const words = this.query.trim().toLowerCase();
    const fits = (item) =>
      FILTERS[this.filter](item) &&
      (!words || `${item.n} ${item.title} ${item.specialty}`.toLowerCase().includes(words));
    this.shown = items.filter(fits);
    this.list.style.height = `${this.shown.length * ROW_PX}px`;
    this.none.hidden = this.shown.length > 0;
    this.renderFilters(items);
    this.rows();
  }

  renderFilters(items) {
    keyed(
      this.filters,
      Object.keys(FILTERS)
        .map((name) => [name, items.filter(FILTERS[name]).length])
        .filter(([name, count]) => count || name === "all" || name === "open" || name === this.filter)
        .map(([name, count]) => ({
          key: name,
          signature: `${count}${this.filter === name}`,
          make: () =>
            h(
              "button",
              {
                type: "button",
                class: "tag",
                "aria-pressed": String(this.filter === name),
                onclick: () => this.choose(name),
              },
              t(`filter_${name}`, { n: count }),
            ),
        })),
    );
  }

  choose(name) {
    this.filter = name;
    this.scroller.scrollTop = 0;
    this.render();
    this.filters.querySelector(`[data-key="${name}"]`)?.focus();
  }

  /** Bring the current row in sight. */
  reveal() {
    const place = this.shown.findIndex((item) => item.id === this.screen.session.current);
    if (place < 0) {
      return;
    }
    const top = place * ROW_PX;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop + ROW_PX || top + 2 * ROW_PX > scrollTop + clientHeight) {
      this.scroller.scrollTop = Math.max(0, top - clientHeight / 3);
    }
    this.rows();
  }

  rows() {
    const from = Math.max(0, Math.floor(this.scroller.scrollTop / ROW_PX) - SPARE_ROWS);
    const count = Math.ceil(this.scroller.clientHeight / ROW_PX) + 2 * SPARE_ROWS;
    keyed(
      this.list,
      this.shown.slice(from, from + count).map((item, index) => ({
        key: item.id,
        signature: `${item.state}${item.flagged}${from + index}${item.id === this.screen.session.current}`,
        make: () => this.row(item, from + index),
      })),
    );
  }

  row(item, place) {
    const current = item.id === this.screen.session.current;
    const state = item.flagged && item.state !== "skipped" ? "flagged" : item.state;
    const button = h(
      "button",
      { type: "button", class: "rail-row", "aria-current": current ? "true" : null, onclick: () => this.pick(item) },
      icon(`state-${state}`, `state state--${state}`),
      h(
        "span",
        { class: "rail-words" },
        h("span", { class: "rail-title", dir: "auto" }, item.title),
        h("span", { class: "rail-specialty" }, [item.specialty, note(item)].filter(Boolean).join(" · ")),
      ),
      h("span", { class: "rail-n" }, String(item.n)),
      h("span", { class: "visually-hidden" }, t(`state_${state}`)),
    );
    const row = h("li", { "aria-setsize": this.shown.length, "aria-posinset": place + 1 }, button);
    row.style.transform = `translateY(${place * ROW_PX}px)`;
    return row;
  }

  pick(item) {
    this.screen.session.open(item.id);
    this.screen.panes.show("case");
  }
}

function note(item) {
  if (item.state === "skipped") {
    return t("state_skipped").toLowerCase();
  }
  return item.flagged ? t("state_flagged").toLowerCase() : "";
}
