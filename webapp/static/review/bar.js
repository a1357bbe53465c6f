/* The foot of the page, and the true state of saving at its head. */

import { byId, setText } from "./dom.js";
import { t } from "./strings.js";

export class Bar {
  constructor(screen) {
    this.screen = screen;
    const part = (name) => screen.root.querySelector(`[data-bar="${name}"]`);
    this.place = part("place");
    this.meter = part("meter");
    this.time = part("time");
    this.accept = part("accept");
    this.acceptWord = part("accept-word");
    this.saved = byId("saved");
    this.lease = byId("lease");
    setInterval(() => this.renderTime(), 5000);
  }

  render() {
    const { session } = this.screen;
    const { items } = session;
    const decided = items.filter((item) => item.state === "submitted" || item.state === "skipped").length;
    const current = items[session.index?.get(session.current)];
    setText(this.place, current ? String(current.n) : String(decided));
    setText(this.place.nextElementSibling, ` / ${items.length}`);
    this.meter.max = items.length || 1;
    this.meter.value = decided;
    this.meter.setAttribute("aria-label", t("decided", { n: decided, of: items.length }));
    this.renderAccept();
    this.renderSaved();
    this.renderLease();
    this.renderTime();
  }

  renderAccept() {
    const { view, session } = this.screen;
    const submitted = Boolean(view?.submitted || view?.skip);
    setText(this.acceptWord, t(submitted ? "reopen" : "accept"));
    const cap = this.accept.querySelector("kbd");
    const key = submitted ? "undo" : "accept";
    if (cap.dataset.key !== key) {
      cap.dataset.key = key;
      this.screen.renderCaps();
    }
    this.accept.disabled = session.readOnly || !view;
    this.accept.onclick = () => (submitted ? this.reopen() : this.screen.decisions.accept());
  }

  /** The button speaks of this item, whatever was done on others since. */
  reopen() {
    const { view } = this.screen;
    this.screen.perform([view.submitted ? ["reopen", {}] : ["unskip", {}]]);
  }

  renderSaved() {
    const { session } = this.screen;
    const works = [...session.works.values()];
    const n = session.pendingCount;
    const blocked = works.some((work) => work.trouble);
    const state = blocked ? "blocked" : n && session.retrying ? "offline" : n ? "sending" : "saved";
    if (this.saved.dataset.state !== state) {
      this.saved.dataset.state = state;
    }
    setText(this.saved.lastElementChild, t(`chip_${state}`, { n, pending: n }));
  }

  renderLease() {
    const { work, session } = this.screen;
    const until = work?.leaseUntil;
    const shown = until && !session.readOnly && !work.view.submitted && !work.view.skip;
    this.lease.classList.toggle("lease--none", !shown);
    if (shown && until < new Date()) {
      setText(this.lease, t("lease_over"));
    } else if (shown) {
      setText(this.lease, t("yours_until", { time: until.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", hourCycle: "h23" }) }));
    }
  }

  renderTime() {
    const minutes = Math.floor(this.screen.session.active.total / 60000);
    const hours = Math.floor(minutes / 60);
    const time = hours ? t("time_hours", { h: hours, m: String(minutes % 60).padStart(2, "0") }) : t("time_minutes", { m: minutes });
    setText(this.time, t("active_time", { time }));
  }
}
