// One picture on the page: a canvas beneath the drawing of its vertebrae, both seen through one
// viewport. The drawing's coordinates are pixels of the image.

import { Picture } from "./grey.js";

export class Stage {
  constructor(figure, viewport, greys) {
    this.figure = figure;
    this.viewport = viewport;
    this.greys = greys;
    this.element = figure.querySelector(".stage");
    this.sheet = figure.querySelector(".sheet");
    const box = this.sheet.viewBox.baseVal;
    this.box = { left: box.x, top: box.y, width: box.width, height: box.height };
    this.whole = this.sheet.getAttribute("viewBox");
    this.texts = [...this.sheet.querySelectorAll("text")];
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("aria-hidden", "true");
    this.stale = true;
    this.waiting = 0;
  }

  // Raises what the browser raises where the picture does not come.
  async open() {
    this.picture = await Picture.from(this.sheet.querySelector("image").href.baseVal);
    this.element.prepend(this.canvas);
    this.element.classList.add("live");
    this.ending = new AbortController();
    const until = { signal: this.ending.signal };
    const changed = () => {
      this.stale = true;
      this.draw();
    };
    this.greys.addEventListener("change", changed, until);
    this.viewport.addEventListener("change", () => this.draw(), until);
    this.sizes = new ResizeObserver(() => this.resized());
    this.sizes.observe(this.element);
    this.resized();
  }

  close() {
    this.ending.abort();
    this.sizes.disconnect();
    cancelAnimationFrame(this.waiting);
  }

  resized() {
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    if (!this.width || !this.height) return;
    const sharp = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(this.width * sharp);
    this.canvas.height = Math.round(this.height * sharp);
    this.fitting = Math.min(this.width / this.box.width, this.height / this.box.height);
    if (this.leads) {
      this.viewport.fit(
        this.width / this.fitting / this.box.width,
        this.height / this.fitting / this.box.height,
      );
    }
    this.draw();
  }

  get scale() {
    return this.fitting * this.viewport.zoom;
  }

  // The image's coordinates of a point in the window.
  at(x, y) {
    const place = this.element.getBoundingClientRect();
    const middle = this.middle();
    return {
      x: middle.x + (x - place.left - place.width / 2) / this.scale,
      y: middle.y + (y - place.top - place.height / 2) / this.scale,
    };
  }

  // The same in shares of the picture, as the viewport has them.
  share(point) {
    return {
      x: (point.x - this.box.left) / this.box.width,
      y: (point.y - this.box.top) / this.box.height,
    };
  }

  middle() {
    return {
      x: this.box.left + this.viewport.x * this.box.width,
      y: this.box.top + this.viewport.y * this.box.height,
    };
  }

  // What is in sight, in the image's coordinates.
  seen() {
    const middle = this.middle();
    const width = this.width / this.scale;
    const height = this.height / this.scale;
    return { left: middle.x - width / 2, top: middle.y - height / 2, width, height };
  }

  draw() {
    if (!this.fitting || this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = 0;
      this.#drawn();
    });
  }

  #drawn() {
    if (this.stale) this.picture.paint(this.greys);
    this.stale = false;
    const { scale, box } = this;
    const middle = this.middle();
    const sharp = this.canvas.width / this.width;
    const context = this.canvas.getContext("2d");
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(
      sharp * scale, 0, 0, sharp * scale,
      sharp * (this.width / 2 - scale * middle.x), sharp * (this.height / 2 - scale * middle.y),
    );
    // Large enough to be counted, a pixel is a square.
    context.imageSmoothingEnabled = (scale * box.width) / this.picture.canvas.width < 6;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.picture.canvas, box.left, box.top, box.width, box.height);
    this.sheet.setAttribute("viewBox", Object.values(this.seen()).join(" "));
    for (const text of this.texts) text.setAttribute("font-size", String(14 / scale));
    this.ruler?.draw();
  }

  // On paper the drawing holds the picture itself, all of it.
  print(begins) {
    this.element.classList.toggle("live", !begins);
    if (begins) {
      this.sheet.setAttribute("viewBox", this.whole);
      for (const text of this.texts) text.setAttribute("font-size", this.figure.dataset.text);
    } else {
      this.draw();
    }
  }
}
