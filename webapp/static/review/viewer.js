/* A picture, large: zoomed and moved by keys, wheel, mouse and fingers. The dialog keeps the focus and gives it back. */

import { setText } from "./dom.js";
import { t } from "./strings.js";

const STEP = 1.25;
const NEAREST = 12;
const PAN = 64;
const MOVES = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };

export class Viewer {
  constructor(dialog) {
    this.dialog = dialog;
    this.stage = dialog.querySelector("[data-stage]");
    this.image = null;
    this.frames = [];
    this.at = 0;
    this.fingers = new Map();
    const acts = { in: () => this.zoom(STEP), out: () => this.zoom(1 / STEP), fit: () => this.fit(), previous: () => this.turn(-1), next: () => this.turn(1) };
    for (const button of dialog.querySelectorAll("[data-act]")) {
      button.onclick = acts[button.dataset.act];
    }
    dialog.addEventListener("close", () => this.giveBack());
    dialog.addEventListener("keydown", (event) => this.pressed(event));
    this.stage.addEventListener("wheel", (event) => this.wheeled(event), { passive: false });
    this.stage.addEventListener("dblclick", (event) => (this.scale > 1 ? this.fit() : this.zoom(3, this.from(event))));
    this.stage.addEventListener("pointerdown", (event) => this.touched(event));
    this.stage.addEventListener("pointermove", (event) => this.moved(event));
    for (const name of ["pointerup", "pointercancel"]) {
      this.stage.addEventListener(name, (event) => this.fingers.delete(event.pointerId));
    }
  }

  /** `frames`: the buttons whose picture is lent to the dialog while it is open. */
  open(frames, at) {
    this.frames = frames;
    this.lend(at);
    this.dialog.showModal();
    this.stage.focus();
    this.fit();
  }

  close() {
    if (this.dialog.open) {
      this.dialog.close();
      this.giveBack();
    }
  }

  turn(step) {
    const { length } = this.frames;
    this.giveBack();
    this.lend((this.at + step + length) % length);
    this.fit();
  }

  lend(at) {
    this.at = at;
    this.image = this.frames[at].querySelector("img");
    this.stage.append(this.image);
    setText(this.dialog.querySelector("[data-words]"), this.image.dataset.failed ? t("picture_absent") : this.image.alt);
    setText(this.dialog.querySelector("[data-place]"), this.frames.length > 1 ? t("picture_place", { n: at + 1, of: this.frames.length }) : "");
    for (const name of ["previous", "next"]) {
      this.dialog.querySelector(`[data-act="${name}"]`).hidden = this.frames.length < 2;
    }
  }

  giveBack() {
    if (this.image) {
      this.image.style.transform = "";
      this.frames[this.at].prepend(this.image);
      this.image = null;
      this.fingers.clear();
    }
  }

  pressed(event) {
    const move = MOVES[event.key];
    const acts = { "+": () => this.zoom(STEP), "=": () => this.zoom(STEP), "-": () => this.zoom(1 / STEP), 0: () => this.fit(), "[": () => this.turn(-1), "]": () => this.turn(1) };
    const act = move ? () => this.pan(move[0] * PAN, move[1] * PAN) : acts[event.key];
    if (act && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      act();
    }
  }

  wheeled(event) {
    event.preventDefault();
    this.zoom(event.deltaY < 0 ? STEP : 1 / STEP, this.from(event));
  }

  touched(event) {
    event.preventDefault();
    this.stage.focus();
    this.stage.setPointerCapture(event.pointerId);
    this.fingers.set(event.pointerId, [event.clientX, event.clientY]);
  }

  moved(event) {
    const before = this.fingers.get(event.pointerId);
    if (!before) {
      return;
    }
    const now = [event.clientX, event.clientY];
    const other = [...this.fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
    this.fingers.set(event.pointerId, now);
    if (other) {
      this.zoom(distance(now, other) / (distance(before, other) || 1), this.from({ clientX: (now[0] + other[0]) / 2, clientY: (now[1] + other[1]) / 2 }));
    } else {
      this.pan(now[0] - before[0], now[1] - before[1]);
    }
  }

  /** A place of the window, counted from the centre of the stage. */
  from({ clientX, clientY }) {
    const box = this.stage.getBoundingClientRect();
    return [clientX - box.left - box.width / 2, clientY - box.top - box.height / 2];
  }

  fit() {
    Object.assign(this, { scale: 1, x: 0, y: 0 });
    this.place();
  }

  /** What is under `centre` stays there. */
  zoom(factor, centre = [0, 0]) {
    const scale = Math.min(NEAREST, Math.max(1, this.scale * factor));
    const grown = scale / this.scale;
    this.x = centre[0] - (centre[0] - this.x) * grown;
    this.y = centre[1] - (centre[1] - this.y) * grown;
    this.scale = scale;
    this.place();
  }

  pan(x, y) {
    this.x += x;
    this.y += y;
    this.place();
  }

  place() {
    const room = (picture, stage) => Math.max(0, (picture * this.scale - stage) / 2);
    const across = room(this.image.offsetWidth, this.stage.clientWidth);
    const down = room(this.image.offsetHeight, this.stage.clientHeight);
    this.x = Math.min(across, Math.max(-across, this.x));
    this.y = Math.min(down, Math.max(-down, this.y));
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    setText(this.dialog.querySelector("[data-scale]"), `${Math.round(this.scale * 100)} %`);
  }
}

function distance(one, other) {
  return Math.hypot(one[0] - other[0], one[1] - other[1]);
}
