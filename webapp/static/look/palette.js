// Ctrl K: go to a screen by its name, or search the instructions. The screens are those of the side navigation.

const dialog = document.querySelector("[data-palette]");
const opener = document.querySelector("[data-palette-open]");

if (dialog && opener) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const screens = [...document.querySelectorAll("#sidenav a")].map((link) => ({
    title: link.firstChild.textContent.trim(),
    href: link.href,
  }));
  let chosen = 0;

  const matches = () => {
    const words = input.value.trim().toLowerCase();
    const found = screens.filter((screen) => screen.title.toLowerCase().includes(words));
    const instructions = words && dialog.dataset.instructions;
    if (!instructions) return found;
    const query = input.value.trim();
    const title = dialog.dataset.searchTitle.replace("%s", query);
    return [...found, { title, href: `${instructions}?q=${encodeURIComponent(query)}` }];
  };

  const option = ({ title, href }, place) => {
    const link = document.createElement("a");
    link.className = "menu-item";
    link.href = href;
    link.id = `palette-${place}`;
    link.tabIndex = -1;
    link.textContent = title;
    link.setAttribute("role", "option");
    link.setAttribute("aria-selected", String(place === chosen));
    return link;
  };

  const draw = () => {
    const found = matches();
    chosen = Math.max(0, Math.min(chosen, found.length - 1));
    list.replaceChildren(...found.map(option));
    if (found.length) input.setAttribute("aria-activedescendant", `palette-${chosen}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[chosen]?.scrollIntoView({ block: "nearest" });
  };

  const open = () => {
    input.value = "";
    chosen = 0;
    draw();
    dialog.showModal();
    input.focus();
  };

  opener.hidden = false;
  opener.addEventListener("click", open);
  input.addEventListener("input", () => {
    chosen = 0;
    draw();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      chosen += step;
      draw();
      event.preventDefault();
    } else if (event.key === "Enter" && list.children[chosen]) {
      event.preventDefault();
      list.children[chosen].click();
    }
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!dialog.open) open();
    }
  });
}
