// The viewer of a result: zoom, window, measuring, full screen, and the prior exam beside it.
// Without this script the picture is a drawing with the outlines of the vertebrae upon it.

import { Cutter } from "./cutter.js";
import { Gestures } from "./gestures.js";
import { Greys } from "./grey.js";
import { Ruler } from "./ruler.js";
import { Stage } from "./stage.js";
import { Viewport } from "./viewport.js";

const STEP = 1.5;

class Viewer {
  constructor(section) {
    this.section = section;
    this.viewport = new Viewport();
    this.greys = new Greys();
    this.tool = "move";
    this.stages = [];
    this.language = document.documentElement.lang;
  }

  async open() {
    await this.add(this.section.querySelector(".view"));
    for (const one of [this.viewport, this.greys]) {
      one.addEventListener("change", () => this.tell());
    }
    const tools = this.section.querySelector(".tools");
    tools.addEventListener("click", (event) => this.pressed(event.target.closest("button")));
    tools.querySelector("[data-act=full]").hidden = !document.fullscreenEnabled;
    document.addEventListener("fullscreenchange", () => {
      this.press("full", document.fullscreenElement === this.section);
    });
    window.addEventListener("beforeprint", () => this.print(true));
    window.addEventListener("afterprint", () => this.print(false));
    tools.hidden = false;
    this.section.querySelector(".state").hidden = false;
    this.tell();
    this.section.dataset.ready = "";
    performance.mark("viewer-ready");
  }

  async add(figure) {
    const stage = new Stage(figure, this.viewport, this.greys);
    stage.leads = this.stages.length === 0;
    const ruler = new Ruler(stage, (found) => this.measured(found));
    ruler.words = (found) => this.words(found);
    if (this.section.querySelector("[data-tool=cut]")) new Cutter(stage);
    await stage.open();
    stage.element.tabIndex = 0;
    stage.element.setAttribute("role", "application");
    stage.element.setAttribute("aria-label", this.section.dataset.title);
    new Gestures(stage, this);
    this.stages.push(stage);
    return stage;
  }

  pressed(button) {
    if (!button) return;
    const { act, tool } = button.dataset;
    if (tool) this.choose(tool);
    else {
      ({
        in: () => this.viewport.scale(STEP),
        out: () => this.viewport.scale(1 / STEP),
        reset: () => this.reset(),
        invert: () => this.invert(),
        full: () => this.full(),
        prior: () => this.prior(),
        again: () => this.again(button),
      })[act]();
    }
  }

  press(act, pressed) {
    const button = this.section.querySelector(`[data-act=${act}]`);
    button?.setAttribute("aria-pressed", String(pressed));
  }

  choose(tool) {
    this.tool = tool;
    this.section.dataset.tool = tool;
    for (const button of this.section.querySelectorAll("[data-tool]")) {
      button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
    }
  }

  reset() {
    this.viewport.reset();
    this.greys.reset();
    this.press("invert", false);
    for (const stage of this.stages) {
      stage.ruler.clear();
      stage.cutter?.clear();
    }
  }

  // A part is an image of its own: sent as the form on the first page sends one.
  async again(button) {
    button.disabled = true;
    try {
      const form = new FormData();
      form.append("file", await this.stages[0].cutter.file(), "part.png");
      const headers = { Accept: "text/html" };
      const answer = await fetch(button.dataset.endpoint, { method: "POST", body: form, headers });
      if (!answer.ok || !answer.redirected) throw new Error(answer.statusText);
      location.assign(answer.url);
    } catch {
      const said = this.section.querySelector(".length");
      said.hidden = false;
      said.value = button.dataset.failed;
      button.disabled = false;
    }
  }

  invert() {
    this.greys.set({ inverted: !this.greys.inverted });
    this.press("invert", this.greys.inverted);
  }

  outline() {
    this.section.querySelector("#outlines")?.click();
  }

  // To the right the window widens, downwards the level rises and the picture darkens.
  window(x, y) {
    this.greys.set({ width: this.greys.width + x, level: this.greys.level + y });
  }

  async full() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.section.requestFullscreen();
  }

  async prior() {
    const views = this.section.querySelector(".views");
    const shown = views.querySelectorAll(".view")[1];
    if (shown) {
      shown.remove();
      this.stages.pop().close();
    } else {
      const figure = views.querySelector("template").content.querySelector(".view").cloneNode(true);
      views.append(figure);
      await this.add(figure);
    }
    views.classList.toggle("two", !shown);
    this.press("prior", !shown);
  }

  print(begins) {
    for (const stage of this.stages) stage.print(begins);
  }

  tell() {
    const { viewport, greys, section } = this;
    section.classList.toggle("enlarged", viewport.zoom > 1);
    section.querySelector(".state").textContent = filled(section.dataset.state, {
      zoom: Math.round(100 * viewport.zoom),
      width: Math.round(greys.width),
      level: Math.round(greys.level),
    });
  }

  words(found) {
    const { millimetres, pixels } = this.section.dataset;
    const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    const length = found.length.toLocaleString(this.language, digits);
    return filled(found.millimetres ? millimetres : pixels, { length });
  }

  measured(found) {
    const output = this.section.querySelector(".length");
    output.hidden = !found;
    output.value = found ? this.words(found) : "";
  }
}

function filled(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

const section = document.querySelector(".viewer");
new Viewer(section).open().catch((error) => {
  // The drawing is there without us, and says itself where its picture is missing.
  section.querySelector(".state").textContent = section.dataset.failed;
  section.querySelector(".state").hidden = false;
  throw error;
});
