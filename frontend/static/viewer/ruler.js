// A line between two points of a picture, and how long it is: in millimetres where the file says
// how large a pixel is, else in pixels of the image as it was sent.

const SVG = "http://www.w3.org/2000/svg";

function numbers(text) {
  return text ? text.split(" ").map(Number) : null;
}

export class Ruler {
  constructor(stage, told) {
    this.stage = stage;
    this.told = told;
    this.unit = numbers(stage.figure.dataset.unit);
    this.spacing = numbers(stage.figure.dataset.spacing);
    this.group = document.createElementNS(SVG, "g");
    this.group.setAttribute("class", "ruler");
    this.line = this.#added("line");
    this.text = this.#added("text");
    stage.sheet.append(this.group);
    stage.ruler = this;
    this.clear();
  }

  #added(name) {
    const element = document.createElementNS(SVG, name);
    this.group.append(element);
    return element;
  }

  clear() {
    this.from = null;
    this.to = null;
    this.draw();
  }

  start(point) {
    this.from = point;
    this.to = point;
    this.draw();
  }

  end(point) {
    this.to = point;
    this.draw();
  }

  // { length, millimetres } of the line; null without one.
  measured() {
    if (!this.from) return null;
    const x = this.to.x - this.from.x;
    const y = this.to.y - this.from.y;
    const [a, b, c, d] = this.unit;
    const [right, down] = this.spacing ?? [1, 1];
    const length = Math.hypot((a * x + b * y) * right, (c * x + d * y) * down);
    return { length, millimetres: this.spacing !== null };
  }

  draw() {
    const found = this.measured();
    this.group.toggleAttribute("hidden", !found);
    this.group.style.display = found ? "" : "none";
    this.told(found);
    if (!found) return;
    const { from, to } = this;
    for (const [name, value] of Object.entries({ x1: from.x, y1: from.y, x2: to.x, y2: to.y })) {
      this.line.setAttribute(name, String(value));
    }
    const size = 14 / this.stage.scale;
    this.text.setAttribute("x", String((from.x + to.x) / 2));
    this.text.setAttribute("y", String((from.y + to.y) / 2 - size / 2));
    this.text.setAttribute("font-size", String(size));
    this.text.textContent = this.words(found);
  }
}
