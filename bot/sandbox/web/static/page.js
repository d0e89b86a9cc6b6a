// The page works without this file: everything is a link or a form. With it, the page keeps up with what happens,
// and keeps its place while it does.
"use strict";

const written = new WeakMap(); // an element → the HTML the server last sent for it

function remember(root) {
  for (const region of root.querySelectorAll("[data-region]")) written.set(region, region.innerHTML);
  for (const list of root.querySelectorAll("[data-keyed]"))
    for (const child of list.children) written.set(child, child.outerHTML);
}

// Taking in what the server sends

function focusKey() {
  const active = document.activeElement;
  return active && active !== document.body && active.id ? active.id : null;
}

function restoreFocus(id, home) {
  if (!id || document.activeElement !== document.body) return;
  const again = document.getElementById(id);
  if (again && !again.disabled) again.focus({ preventScroll: true });
  else if (home && home.isConnected) home.focus({ preventScroll: true });
}

function patchRegion(region, fresh) {
  if (written.get(region) === fresh.innerHTML) return;
  const html = fresh.innerHTML;
  const draft = region.querySelector("textarea#content");
  region.replaceChildren(...fresh.childNodes);
  written.set(region, html);
  const next = region.querySelector("textarea#content");
  if (draft && next && draft.value) next.value = draft.value;
}

// What somebody has marked in a list but not sent yet, unless the list offers something else by now
function carryChoices(old, child) {
  for (const select of old.querySelectorAll("select[id]")) {
    const next = child.querySelector(`#${CSS.escape(select.id)}`);
    const options = [...select.options];
    const marked = options.some((option) => option.selected !== option.defaultSelected);
    const same = next && next.innerHTML === select.innerHTML;
    if (!marked || !same || select.form?.dataset.sent) continue;
    for (const [number, option] of options.entries()) next.options[number].selected = option.selected;
  }
}

function patchList(list, fresh) {
  const wanted = [...fresh.children];
  const ids = new Set(wanted.map((child) => child.id));
  for (const child of [...list.children]) if (!ids.has(child.id)) child.remove();
  let place = list.firstElementChild;
  for (const child of wanted) {
    const html = child.outerHTML;
    const old = document.getElementById(child.id);
    if (old && old.parentElement === list) {
      if (old !== place) list.insertBefore(old, place);
      place = old.nextElementSibling;
      if (written.get(old) === html) continue;
      const open = [...old.querySelectorAll("details[open]")].map((menu) => menu.id);
      carryChoices(old, child);
      old.replaceWith(child);
      for (const id of open) if (id) document.getElementById(id)?.setAttribute("open", "");
    } else {
      list.insertBefore(child, place);
    }
    written.set(child, html);
  }
  list.setAttribute("aria-busy", fresh.getAttribute("aria-busy"));
}

function takeIn(html, only) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  const key = focusKey();
  const home = document.activeElement?.closest("main, nav, .scroll");
  for (const region of document.querySelectorAll("[data-region]")) {
    if (only && region.dataset.region !== only) continue;
    const other = fresh.querySelector(`[data-region="${region.dataset.region}"]`);
    if (other) patchRegion(region, other);
  }
  if (!only) {
    for (const list of document.querySelectorAll("[data-keyed]")) {
      const other = fresh.querySelector(`[data-keyed="${list.dataset.keyed}"]`);
      if (other) patchList(list, other);
    }
    document.title = fresh.title;
  }
  showModal();
  restoreFocus(key, home);
}

function showModal() {
  const dialog = document.querySelector("dialog[open]");
  if (!dialog || dialog.matches(":modal")) return;
  dialog.removeAttribute("open");
  dialog.showModal();
}

function say(text) {
  const region = document.querySelector('[data-region="notice"]');
  const line = document.createElement("p");
  line.className = "notice";
  line.textContent = text;
  region.replaceChildren(line);
  written.delete(region);
}

// Keeping up

let looking = false;
let again = false;

async function look() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  try {
    do {
      again = false;
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.ok) takeIn(await answer.text());
    } while (again);
  } catch {
    say("The sandbox has ended. Start it again to go on.");
  } finally {
    looking = false;
  }
}

function keepUp() {
  const source = new EventSource(`changes?since=${document.body.dataset.revision}`);
  source.onmessage = look;
  addEventListener("pagehide", () => source.close());
}

// Doing things without leaving the page

function bodyOf(form, button) {
  const body = new URLSearchParams(new FormData(form));
  if (button && button.name) body.append(button.name, button.value);
  return body;
}

async function post(address, body) {
  try {
    const answer = await fetch(address, { method: "POST", body });
    if (!answer.ok) {
      say("That did not work.");
      return false;
    }
    const way = new URL(answer.url);
    const here = new URL(location.href);
    for (const name of ["as", "channel"]) {
      if (here.searchParams.has(name) && way.searchParams.get(name) !== here.searchParams.get(name)) {
        location.assign(way);
        return true;
      }
    }
    history.replaceState(null, "", way);
    const known = new Set([...document.querySelectorAll("article.ephemeral")].map((line) => line.id));
    takeIn(await answer.text());
    const own = [...document.querySelectorAll("article.ephemeral")].filter((line) => !known.has(line.id));
    if (own.length) own.at(-1).scrollIntoView({ block: "nearest" });
    return true;
  } catch {
    say("The sandbox has ended. Start it again to go on.");
    return false;
  }
}

async function swap(link) {
  const answer = await fetch(link.href, { cache: "no-store" });
  if (!answer.ok) return;
  history.replaceState(null, "", link.href);
  const region = document.getElementById(link.dataset.swap);
  const draft = region.querySelector("textarea#content");
  if (draft && draft.value.startsWith("/")) draft.value = "";
  takeIn(await answer.text(), link.dataset.swap);
  (region.querySelector("[autofocus]") || region.querySelector("textarea, input, button"))?.focus();
}

function submitted(event) {
  const form = event.target;
  const button = event.submitter;
  if (form.method !== "post") return;
  event.preventDefault();
  const address = form.getAttribute("action");
  const body = bodyOf(form, button);
  const text = form.querySelector("textarea#content");
  form.closest("details.menu")?.removeAttribute("open");
  form.setAttribute("aria-busy", "true");
  form.dataset.sent = "true";
  const kept = text ? text.value : "";
  if (text) text.value = "";
  if (form.closest("dialog")) form.closest("dialog").close();
  post(address, body).then((done) => {
    form.removeAttribute("aria-busy");
    const now = document.getElementById("content");
    if (!done && text) text.value = kept;
    if (form.matches(".writing, .filling")) now?.focus();
    if (form.matches(".writing")) toPresent();
  });
}

function toPresent() {
  const scroll = document.querySelector(".scroll");
  if (scroll) scroll.scrollTop = 0; // its content is stacked from the bottom
}

// The list of commands, from a slash at the start of a message

function filterCommands(area) {
  const menu = area.form.querySelector("details.commands");
  if (!menu) return [];
  const typed = area.value;
  const wanted = typed.startsWith("/") ? typed.slice(1).trimStart().toLowerCase() : null;
  const shown = [];
  for (const item of menu.querySelectorAll("li")) {
    const fits = wanted === null || item.dataset.name.startsWith(wanted);
    item.hidden = !fits;
    if (fits) shown.push(item.querySelector("a"));
  }
  if (wanted !== null && shown.length) menu.setAttribute("open", "");
  else if (menu.open && document.activeElement === area) menu.removeAttribute("open");
  return wanted === null ? [] : shown;
}

function runOrFill(link) {
  if (!link.dataset.run) {
    swap(link);
    return;
  }
  const form = link.closest("form");
  const area = form.querySelector("textarea");
  area.value = "";
  filterCommands(area);
  form.querySelector("details.commands").removeAttribute("open");
  area.focus();
  post(form.getAttribute("action").replace(/^write/, "run"), new URLSearchParams({ command: link.dataset.run }));
}

function typedInArea(event) {
  const area = event.target;
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    const shown = filterCommands(area);
    if (area.value.startsWith("/") && shown.length) {
      const name = area.value.slice(1).trim().toLowerCase();
      const exact = shown.find((link) => link.closest("li").dataset.name === name);
      runOrFill(exact || shown[0]);
    } else if (area.value.trim()) {
      area.form.requestSubmit();
    }
  } else if (event.key === "ArrowDown" && area.value.startsWith("/")) {
    const shown = filterCommands(area);
    if (shown.length) {
      event.preventDefault();
      shown[0].focus();
    }
  } else if (event.key === "Escape" && new URLSearchParams(location.search).has("reply")) {
    document.querySelector(".replying a")?.click();
  }
}

function moveInMenu(event, sheet) {
  const stops = [...sheet.querySelectorAll("a, button")].filter((stop) => stop.offsetParent !== null);
  const at = stops.indexOf(document.activeElement);
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || at < 0) return;
  event.preventDefault();
  stops[(at + step + stops.length) % stops.length].focus();
}

// Suggestions for an option

let asked = 0;

async function suggest(input) {
  const form = input.form;
  form.querySelector(`input[name="value.${CSS.escape(input.dataset.suggest)}"]`)?.remove();
  const body = bodyOf(form);
  body.append("focused", input.dataset.suggest);
  const turn = ++asked;
  const answer = await fetch(form.getAttribute("action").replace(/^run/, "suggest"), { method: "POST", body });
  if (!answer.ok || turn !== asked || !input.isConnected) return;
  const choices = await answer.json();
  const list = document.getElementById(input.getAttribute("aria-controls"));
  list.replaceChildren(
    ...choices.map((choice, number) => {
      const item = document.createElement("li");
      item.id = `${list.id}-${number}`;
      item.role = "option";
      item.textContent = choice.name;
      item.dataset.value = choice.value;
      item.setAttribute("aria-selected", "false");
      item.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        choose(input, item);
      });
      return item;
    }),
  );
  openList(input, choices.length > 0);
}

function openList(input, open) {
  const list = document.getElementById(input.getAttribute("aria-controls"));
  if (!list) return; // the form was closed meanwhile
  list.hidden = !open;
  if (open) list.scrollIntoView({ block: "nearest" });
  input.setAttribute("aria-expanded", String(open));
  input.removeAttribute("aria-activedescendant");
}

function choose(input, item) {
  input.value = item.textContent;
  const value = document.createElement("input");
  value.type = "hidden";
  value.name = `value.${input.dataset.suggest}`;
  value.value = item.dataset.value;
  input.after(value);
  asked += 1;
  openList(input, false);
}

function typedInSuggest(event) {
  const input = event.target;
  const list = document.getElementById(input.getAttribute("aria-controls"));
  if (list.hidden) return;
  const items = [...list.children];
  const at = items.findIndex((item) => item.getAttribute("aria-selected") === "true");
  if (event.key === "Enter" && at >= 0) {
    event.preventDefault();
    choose(input, items[at]);
  } else if (event.key === "Escape") {
    event.preventDefault();
    openList(input, false);
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    const next = items[(at + step + items.length) % items.length];
    for (const item of items) item.setAttribute("aria-selected", String(item === next));
    input.setAttribute("aria-activedescendant", next.id);
    next.scrollIntoView({ block: "nearest" });
  }
}

// Wiring

document.addEventListener("submit", submitted);
document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  for (const menu of document.querySelectorAll("details.menu[open]"))
    if (!menu.contains(event.target) && event.target.id !== "content") menu.removeAttribute("open");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  if (link.closest(".commands")) {
    event.preventDefault();
    runOrFill(link);
  } else if (link.dataset.swap) {
    event.preventDefault();
    swap(link);
  } else if (link.id === "channels-button") {
    event.preventDefault();
    location.replace("#channels");
    document.querySelector("#channels a")?.focus();
  }
});
document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("details.menu[open]");
  if (event.target.id === "content" && event.target.matches("textarea.message, .writing textarea")) typedInArea(event);
  else if (event.target.getAttribute?.("aria-expanded") === "true") typedInSuggest(event);
  else if (event.key === "Escape" && event.target.closest?.(".filling")) {
    event.target.closest(".filling").querySelector("a[data-swap]").click();
  } else if (menu && event.key === "Escape") {
    menu.removeAttribute("open");
    (menu.closest(".writing")?.querySelector("textarea") || menu.querySelector("summary")).focus();
  } else if (menu) moveInMenu(event, menu);
  else if (event.key === "Escape" && location.hash === "#channels") {
    location.replace("#main");
    document.getElementById("channels-button").focus();
  }
});
document.addEventListener("input", (event) => {
  if (event.target.matches(".writing textarea")) filterCommands(event.target);
  else if (event.target.dataset?.suggest) suggest(event.target);
});
document.addEventListener("focusin", (event) => {
  if (event.target.dataset?.suggest) suggest(event.target);
});
document.addEventListener("focusout", (event) => {
  if (event.target.dataset?.suggest) openList(event.target, false);
});
document.addEventListener("cancel", (event) => {
  event.preventDefault();
  event.target.querySelector("button[name=cancel]").click();
}, true);

// A conversation opens at its end; a last message that is longer than the window, at its beginning.
function openAtEnd() {
  const last = document.querySelector(".log > article:last-of-type");
  const scroll = document.querySelector(".scroll");
  if (last && !location.hash && last.offsetHeight > scroll.clientHeight) last.scrollIntoView({ block: "start" });
}

remember(document);
showModal();
openAtEnd();
keepUp();
