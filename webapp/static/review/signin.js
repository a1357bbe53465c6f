/* Signing in again without leaving: in a window of its own, while everything here waits where it is. */

import { Problem, Unreachable } from "./api.js";
import { setText } from "./dom.js";
import { t } from "./strings.js";

const TRIED_AGAIN_MS = 2000;

export class SignIn {
  constructor(screen) {
    this.screen = screen;
    this.dialog = screen.root.querySelector("[data-dialog='signin']");
    this.why = this.dialog.querySelector("[data-why]");
    this.dialog.querySelector("[data-done]").onclick = () => this.tryAgain();
    this.dialog.addEventListener("cancel", (event) => event.preventDefault());
    this.polling = null;
  }

  render() {
    const { signedOut, stranger } = this.screen.session;
    if (signedOut) {
      setText(this.why, t(stranger ? "signed_in_other" : "signed_out"));
    }
    if (signedOut && !this.dialog.open) {
      this.dialog.showModal();
      this.polling = setInterval(() => this.tryAgain(), TRIED_AGAIN_MS);
    } else if (!signedOut && this.dialog.open) {
      this.dialog.close();
      clearInterval(this.polling);
    }
  }

  /** Signed in in the other window? Then everything waiting goes on, if it is the same person. */
  async tryAgain() {
    const { session } = this.screen;
    try {
      await session.identify();
    } catch (error) {
      if (!(error instanceof Problem || error instanceof Unreachable)) {
        throw error;
      }
      session.stranger = error.status === 403;
    }
    this.screen.render();
  }
}
