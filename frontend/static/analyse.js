// Several images, a preview, progress and cancel. Without this script the form sends one image and
// the answer is its result page; every word shown here comes from the page.

const form = document.getElementById("upload");
const words = form.dataset;
const input = form.elements.namedItem("file");
const drop = form.querySelector(".drop");
const queue = form.querySelector(".queue");
const status = document.getElementById("upload-status");
const button = form.querySelector("button[type=submit]");
const row = document.getElementById("queue-row");

const MAGIC = [
  [0, [0x89, 0x50, 0x4e, 0x47]],
  [0, [0xff, 0xd8, 0xff]],
  [0, [0x49, 0x49, 0x2a, 0x00]],
  [0, [0x4d, 0x4d, 0x00, 0x2a]],
  [128, [0x44, 0x49, 0x43, 0x4d]],
];

const whom = form.querySelector(".whom");
const each = form.querySelector(".each");

let running = false;
let alone = true;
const items = [];

class Item {
  constructor(file) {
    this.file = file;
    this.state = "waiting";
    this.element = row.content.cloneNode(true).querySelector("li");
    this.part(".file-name").textContent = file.name;
    this.part(".size").textContent = bytes(file.size);
    // Names beside labels: a row has fields of its own, and ids are of a whole page.
    for (const field of this.element.querySelectorAll(".own .field")) {
      const control = field.querySelector("input");
      control.id = `${control.name}-${items.length + 1}`;
      field.querySelector("label").htmlFor = control.id;
    }
    this.part(".cancel").addEventListener("click", () => this.cancel());
    this.part(".cancel").setAttribute("aria-label", `${this.part(".cancel").textContent}: ${file.name}`);
    this.say("waiting", words.waiting);
  }

  part(selector) {
    return this.element.querySelector(selector);
  }

  say(state, text) {
    this.state = state;
    this.element.dataset.state = state;
    this.part(".state").replaceChildren(text);
    this.part("progress").hidden = state !== "sending" && state !== "judging";
    this.part(".cancel").hidden = !["waiting", "sending", "judging"].includes(state);
  }

  async preview() {
    const canvas = this.part("canvas");
    let bitmap;
    try {
      bitmap = await createImageBitmap(this.file);
    } catch {
      return; // DICOM, TIFF, or damaged: the server says which
    }
    const scale = Math.min(canvas.width / bitmap.width, canvas.height / bitmap.height);
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    const x = (canvas.width - width) / 2;
    const y = (canvas.height - height) / 2;
    canvas.getContext("2d").drawImage(bitmap, x, y, width, height);
    bitmap.close();
    canvas.hidden = false;
    this.part(".no-preview").hidden = true;
  }

  async fault() {
    if (this.file.size === 0) return words.empty;
    if (this.file.size > Number(input.dataset.maxBytes)) return words.tooLarge;
    const head = new Uint8Array(await this.file.slice(0, 132).arrayBuffer());
    const known = MAGIC.some(([at, magic]) => magic.every((byte, n) => head[at + n] === byte));
    // DICOM without a preamble has no magic and often no extension: the server decides.
    const extension = /\.[a-z0-9]{1,5}$/.exec(this.file.name.toLowerCase())?.[0];
    if (known || !extension || extension === ".dcm") return "";
    return words.unknown;
  }

  send() {
    return new Promise((resolve) => {
      const request = new XMLHttpRequest(); // fetch cannot tell how much has been sent
      const progress = this.part("progress");
      this.request = request;
      this.say("sending", words.sending);
      request.upload.addEventListener("progress", (event) => {
        if (event.lengthComputable) progress.value = event.loaded / event.total;
      });
      request.upload.addEventListener("load", () => {
        progress.removeAttribute("value");
        this.say("judging", words.judging);
      });
      request.addEventListener("load", () => resolve(this.answered(request)));
      request.addEventListener("error", () => resolve(this.say("failed", words.lost)));
      request.addEventListener("abort", () => resolve(this.say("cancelled", words.cancelled)));
      request.open("POST", words.endpoint);
      request.setRequestHeader("Accept", "application/json");
      const body = new FormData();
      body.append("file", this.file, this.file.name);
      for (const [name, value] of this.facts()) body.append(name, value);
      request.send(body);
    });
  }

  // What is known of the exam: of one image all that is entered, of several what is beside each.
  facts() {
    const own = [...this.element.querySelectorAll(".own input")].map((one) => [one.name, one.value]);
    const all = [...new FormData(form)].filter(([name]) => name !== "file");
    return (alone ? all : own).filter(([, value]) => value.trim());
  }

  async answered(request) {
    let answer;
    try {
      answer = JSON.parse(request.responseText);
    } catch {
      this.say("failed", between(request.status));
      return;
    }
    if (request.status !== 201) {
      const fields = Object.keys(answer.code === "invalid_study" ? answer.faults : {});
      if (fields.length) this.refused(fields);
      else this.say("failed", await explained(answer));
      return;
    }
    this.say("done", outcome(answer.outcome));
    const link = this.part(".open");
    link.href = words.results + encodeURIComponent(answer.id);
    link.hidden = false;
  }

  // The fields that could not be taken are marked, and the image waits for others.
  refused(fields) {
    const place = alone ? whom : this.part(".own");
    const named = fields.map((name) => name.replaceAll(".", "_"));
    const controls = named.flatMap((name) => fitting(place, name));
    for (const one of place.querySelectorAll("input, select")) one.removeAttribute("aria-invalid");
    for (const one of controls) one.setAttribute("aria-invalid", "true");
    const labels = controls.map(labelled);
    this.say("waiting", `${words.facts}: ${labels.join(", ") || named.join(", ")}`);
    this.held = true;
    const [first] = controls;
    if (!first) return;
    for (let one = first.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    first.focus();
  }

  cancel() {
    if (this.request) this.request.abort();
    else this.say("cancelled", words.cancelled);
  }
}

// A field of that name; where several say one thing together, all of those.
function fitting(place, name) {
  const found = place.querySelectorAll(`[name="${CSS.escape(name)}"]`);
  return [...(found.length ? found : place.querySelectorAll(`[name^="${CSS.escape(name)}_"]`))];
}

// Fields of one region have the same labels as those of another: the region stands before them.
function labelled(control) {
  const region = control.closest(".regions > fieldset")?.querySelector("legend").textContent;
  return (region ? `${region}, ` : "") + control.labels[0].textContent;
}

// An answer that is none of ours is a proxy's, which tells why it let nothing through.
function between(status) {
  if (status === 413) return words.tooLargeBetween;
  return status >= 500 ? words.away : words.lost;
}

function bytes(size) {
  const step = size < 1024 ? 0 : size < 1024 * 1024 ? 1 : 2;
  const value = size / 1024 ** step;
  const unit = ["byte", "kilobyte", "megabyte"][step];
  const style = { style: "unit", unit, maximumFractionDigits: 1 };
  return new Intl.NumberFormat(document.documentElement.lang, style).format(value);
}

// The word and shape of an outcome, as the page's key has them.
function outcome(name) {
  const key = document.querySelector(`[data-outcome="${CSS.escape(name)}"]`);
  const line = document.createElement("span");
  line.className = "outcome";
  line.append(key.querySelector("svg").cloneNode(true), key.querySelector("strong").textContent);
  return line;
}

// The table of error codes speaks the page's language; the API's own words are English.
async function explained(problem) {
  try {
    const page = await (await fetch(words.problems)).text();
    const table = new DOMParser().parseFromString(page, "text/html");
    return table.getElementById(problem.code).querySelector("td:last-child").textContent;
  } catch {
    return `${problem.title}. ${problem.detail}`;
  }
}

async function add(files) {
  for (const file of files) {
    const item = new Item(file);
    items.push(item);
    queue.append(item.element);
    queue.hidden = false;
    const fault = await item.fault();
    if (fault) item.say("failed", fault);
    else item.preview();
  }
  alone = items.length === 1;
  if (!alone) {
    button.textContent = words.several;
    whom.hidden = true;
    each.hidden = false;
    for (const item of items) {
      item.part(".own").hidden = false;
      // What was entered for one before others came is that one's.
      if (item !== items[0]) continue;
      for (const one of item.element.querySelectorAll(".own input")) {
        one.value ||= whom.querySelector(`[name="${one.name}"]`).value;
      }
    }
  }
  input.required = false;
  ready();
}

function ready() {
  button.disabled = running || !items.some((item) => item.state === "waiting");
}

async function run() {
  running = true;
  status.textContent = "";
  ready();
  for (const item of items) item.held = false;
  for (let item; (item = items.find((one) => one.state === "waiting" && !one.held)); ) {
    await item.send();
  }
  running = false;
  ready();
  const [only] = items;
  if (alone && only.state === "done") location.assign(only.part(".open").href);
  else if (items.length > 1) status.textContent = words.done;
}

form.addEventListener("submit", (event) => {
  if (items.length === 0) return; // nothing chosen: the browser says so
  event.preventDefault();
  if (!running) run();
});
input.addEventListener("change", async () => {
  const files = [...input.files];
  await add(files);
  input.value = "";
});
for (const name of ["dragover", "drop"]) {
  // A file dropped beside the field must not take the place of the page.
  window.addEventListener(name, (event) => event.preventDefault());
}
for (const name of ["dragenter", "dragover"]) {
  drop.addEventListener(name, () => drop.classList.add("over-it"));
}
for (const name of ["dragleave", "drop"]) {
  drop.addEventListener(name, () => drop.classList.remove("over-it"));
}
drop.addEventListener("drop", (event) => add([...event.dataTransfer.files]));

input.multiple = true;
