/* What one decides about an item: accept, skip, flag, comment, undo. */

import { uuid } from "./identity.js";
import { Adjudication } from "./adjudication.js";
import { invalidity, missing } from "./scoring.js";
import { t } from "./strings.js";

export class Decisions {
  constructor(screen) {
    this.screen = screen;
  }

  /** Accept as it stands and go on. Before the item is painted nothing is decided about it. */
  accept() {
    const { session, view } = this.screen;
    if (!session.painted || !view) {
      return;
    }
    if (view.submitted) {
      session.advance();
      return;
    }
    if (!this.screen.writable()) {
      return;
    }
    const fault = this.fault(view);
    if (fault) {
      this.screen.refuse(fault);
      return;
    }
    this.screen.perform([["accept", {}]]);
    session.advance();
  }

  /** Why an accept would be refused, in words; the focus goes to the first missing verdict. */
  fault(view) {
    if (view.sealed) {
      return t(view.sealed === true ? "refused_sealed" : "refused_revealing");
    }
    const waits = this.screen.panel(Adjudication).fault(view);
    if (waits) {
      return waits;
    }
    const invalid = invalidity(view);
    if (invalid) {
      return t(`invalid_${invalid}`);
    }
    const lacking = missing(view, this.screen.responses);
    if (!lacking.length) {
      return null;
    }
    const [[criterion, response]] = lacking;
    this.screen.focus.to(criterion.key, response.key);
    return t("verdicts_missing", { n: lacking.length });
  }

  skip() {
    const { config, session } = this.screen;
    this.screen.sheet.choose({
      title: t("skip_title"),
      options: config.skipReasons.map(({ code, label }, index) => ({
        key: String(index + 1),
        label,
        pick: () => {
          this.screen.perform([["skip", { reason: code }]]);
          session.advance();
        },
      })),
    });
  }

  flag() {
    const { config, view } = this.screen;
    const raised = (code) => view.flags.some((flag) => flag.reason === code);
    this.screen.sheet.choose({
      title: t("flag_title"),
      options: config.flagReasons.map(({ code, label }, index) => ({
        key: String(index + 1),
        label,
        on: raised(code),
        pick: () =>
          this.screen.perform([raised(code) ? ["unflag", { reason: code }] : ["flag", { reason: code, text: "" }]]),
      })),
    });
  }

  comment() {
    const { focused, view } = this.screen;
    const key = focused?.key ?? null;
    this.screen.sheet.compose({
      title: focused ? t("comment_title", { n: this.screen.numberOf(focused.key) }) : t("comment_item_title"),
      value: "",
      said: view.comments.filter((comment) => comment.criterion === key).map((comment) => comment.text),
      save: (text) => {
        if (text) {
          this.screen.perform([["comment", { id: uuid(), text, criterion: key }]]);
        }
      },
    });
  }

  async undo() {
    if (!this.screen.session.readOnly) {
      const step = await this.screen.session.gestures.undo();
      this.screen.say(t(step ? "undone" : "nothing_to_undo"));
      this.screen.afterReplay(step);
    }
  }

  async redo() {
    if (!this.screen.session.readOnly) {
      const step = await this.screen.session.gestures.redo();
      this.screen.say(t(step ? "redone" : "nothing_to_redo"));
      this.screen.afterReplay(step);
    }
  }
}
