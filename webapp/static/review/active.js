/* Active time: the window has focus and there was input in the last 30 seconds. */

const PATIENCE_MS = 30000;

export class ActiveTime {
  constructor(storageKey) {
    this.storageKey = storageKey;
    this.total = Number(localStorage.getItem(storageKey)) || 0;
    this.untaken = new Map();
    this.item = null;
    this.lastInput = performance.now();
    this.counted = this.lastInput;
    for (const kind of ["keydown", "pointerdown", "pointermove", "wheel", "touchmove"]) {
      addEventListener(kind, () => this.input(), { passive: true, capture: true });
    }
    addEventListener("blur", () => this.count(true));
    addEventListener("focus", () => this.begin());
    setInterval(() => this.count(), 1000);
  }

  /** Time from now on belongs to this item. */
  turnTo(item) {
    this.count();
    this.item = item;
  }

  input() {
    this.count();
    this.lastInput = performance.now();
  }

  /** The focus is back: what went by without it counts for nothing, however late the timer of a hidden page runs. */
  begin() {
    this.counted = performance.now();
    this.lastInput = this.counted;
  }

  count(focused = document.hasFocus()) {
    const now = performance.now();
    const until = Math.min(now, this.lastInput + PATIENCE_MS);
    const spent = focused ? Math.max(0, until - this.counted) : 0;
    this.counted = now;
    if (spent) {
      this.total += spent;
      this.untaken.set(this.item, (this.untaken.get(this.item) || 0) + spent);
    }
  }

  /** Milliseconds spent on an item since they were last taken: each is sent with one operation only. */
  take(item) {
    this.count();
    const spent = Math.round(this.untaken.get(item) || 0);
    this.untaken.delete(item);
    localStorage.setItem(this.storageKey, String(Math.round(this.total)));
    return spent;
  }
}
