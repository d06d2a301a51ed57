// Single keys on the worklist and on a result. Without this script all of it is a link or a button.

const dialog = document.getElementById("keys");
const toggle = document.getElementById("keys-on");
const KEPT = "osteoserve.keys";

// Storage may be closed to pages; then the choice lasts as long as the page.
function remembered() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true;
  }
}

function remember(on) {
  try {
    if (on) localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, "off");
  } catch {
    // As above.
  }
}

const rows = [...document.querySelectorAll("tr[data-result]")];

function row() {
  return rows.findIndex((one) => one.contains(document.activeElement));
}

function move(step) {
  const now = row();
  const next = rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : now + step];
  if (!next) return;
  for (const one of rows) one.classList.toggle("here", one === next);
  next.querySelector("th a").focus();
}

function follow(selector) {
  const link = document.querySelector(selector);
  if (link) location.assign(link.href);
}

// To what has to be filled in of a form, or to its button where nothing has.
function enter(id) {
  const details = document.getElementById(id);
  if (!details) return;
  details.open = true;
  const fields = [...details.querySelectorAll("input:not([type=hidden]), select, textarea")];
  const place = fields.find((one) => one.required && !one.value) ?? details.querySelector("button");
  place.focus();
  place.scrollIntoView({ block: "center" });
}

function flag() {
  const here = rows[row()] ?? (rows.length ? null : document);
  here?.querySelector('form[action$="/flag"]')?.requestSubmit();
}

function help() {
  if (dialog.open) dialog.close();
  else dialog.showModal();
}

const ACTS = {
  j: () => move(1),
  k: () => move(-1),
  n: () => follow("#next-unread"),
  l: () => rows.length || follow('#review a[href="/history"]'),
  s: () => enter("form-sign"),
  o: () => enter("form-override"),
  c: () => enter("form-comment"),
  f: flag,
  "/": () => document.getElementById("part")?.focus(),
  "?": help,
};
const IN_A_ROW = { ArrowDown: () => move(1), ArrowUp: () => move(-1) };

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (!toggle.checked || (dialog.open && event.key !== "?")) return;
  if (event.target.closest("input:not([type=checkbox]), select, textarea, [contenteditable]")) return;
  const act = ACTS[event.key] ?? (row() < 0 ? undefined : IN_A_ROW[event.key]);
  if (!act) return;
  event.preventDefault();
  act();
});

toggle.checked = remembered();
toggle.addEventListener("change", () => remember(toggle.checked));
for (const button of document.querySelectorAll(".keys-open")) {
  button.addEventListener("click", help);
}
