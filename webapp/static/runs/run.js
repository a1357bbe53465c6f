// Copies the run's config, and keeps what the reader opened or scrolled when htmx brings the page up to date.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(document.querySelector(button.dataset.copy).textContent);
  const said = button.textContent;
  button.textContent = "✓";
  setTimeout(() => {
    button.textContent = said;
  }, 1500);
});

let kept = null;

document.addEventListener("htmx:beforeSwap", (event) => {
  const live = event.detail.target;
  if (live.id !== "run-live") return;
  const scrolled = [...live.querySelectorAll(".run-events, .run-log")];
  kept = {
    open: new Map([...live.querySelectorAll("details")].map((one) => [named(one), one.open])),
    scroll: new Map(scrolled.map((one) => [one.className, one.scrollTop])),
    focus: live.contains(document.activeElement) ? path(document.activeElement, live) : null,
  };
});

document.addEventListener("htmx:afterSettle", () => {
  const live = document.getElementById("run-live");
  if (!kept || !live) return;
  for (const one of live.querySelectorAll("details")) {
    if (kept.open.has(named(one))) one.open = kept.open.get(named(one));
  }
  for (const one of live.querySelectorAll(".run-events, .run-log")) {
    one.scrollTop = kept.scroll.get(one.className) ?? 0;
  }
  if (kept.focus) at(kept.focus, live)?.focus({ preventScroll: true });
  kept = null;
});

const named = (details) => details.querySelector("summary").textContent.trim();

function path(node, root) {
  const steps = [];
  for (let one = node; one !== root; one = one.parentElement) {
    steps.unshift([...one.parentElement.children].indexOf(one));
  }
  return steps;
}

const at = (steps, root) => steps.reduce((node, step) => node?.children[step], root);
