/* Sends an item's oldest operation, and reads the answer. The only place that does; `Line` says when. */

import { Problem, Unreachable } from "./api.js";
import { apply } from "./document.js";
import { alone } from "./identity.js";

/** What became of it: answered; nobody answered; the server asks to try later. */
export const ANSWERED = "answered";
export const GONE = "gone";
export const LATER = "later";

export function sendFirst(work) {
  return alone(`goldrounds-item-${work.id}`, () => send(work, work.pending[0]));
}

async function send(work, operation) {
  await operation.written;
  try {
    if (work.fence === null) {
      await work.hold();
    }
    const answer = await work.api.operate(work.id, work.revision, {
      operation_id: operation.id,
      kind: operation.kind,
      payload: operation.payload,
      fence: work.fence,
      active_ms: operation.active_ms,
    });
    await acknowledged(work, operation, answer);
    return ANSWERED;
  } catch (error) {
    return failed(work, operation, error);
  }
}

async function acknowledged(work, operation, answer) {
  work.calm();
  if (answer.revision === work.revision + 1 && operation.kind !== "reveal") {
    work.base = apply(work.base, operation.kind, operation.payload);
    work.revision = answer.revision;
  } else if (answer.revision > work.revision) {
    const fresh = await work.api.item(work.id);
    work.payload = fresh;
    work.base = fresh.document;
    work.revision = fresh.revision;
  }
  await work.settle(operation);
}

async function failed(work, operation, error) {
  if (error instanceof Unreachable) {
    return GONE;
  }
  if (!(error instanceof Problem)) {
    work.trouble = { kind: "fault", message: String(error) };
    throw error;
  }
  if (error.temporary) {
    work.attempts += 1;
    return LATER;
  }
  return refused(work, operation, error);
}

async function refused(work, operation, problem) {
  const { status, message } = problem;
  if (status === 412) {
    work.rebase(problem.body);
  } else if (status === 409) {
    return lost(work, operation, problem);
  } else if (status === 401) {
    work.trouble = { kind: "signin", message };
  } else if (status === 403 || status === 404) {
    work.trouble = { kind: status === 403 ? "denied" : "absent", message };
  } else {
    await work.settle(operation);
    work.onRefused(work, operation, problem);
  }
  return ANSWERED;
}

/** The lease went. Where the item is as we left it, it is taken again; else its person decides. */
async function lost(work, operation, problem) {
  work.fence = null;
  work.losses += 1;
  try {
    const fresh = await work.api.item(work.id);
    if (work.losses > 1 || fresh.revision !== work.revision) {
      const moved = fresh.revision !== work.revision;
      work.trouble = { kind: "lease", message: problem.message, moved };
    }
    return ANSWERED;
  } catch (error) {
    return failed(work, operation, error);
  }
}
