// A part of a picture that is sent once more by itself: what was framed, or stands on a page.

const SVG = "http://www.w3.org/2000/svg";

export class Cutter {
  constructor(stage) {
    this.stage = stage;
    this.shape = document.createElementNS(SVG, "rect");
    this.shape.setAttribute("class", "cut");
    stage.sheet.append(this.shape);
    stage.cutter = this;
    this.clear();
  }

  clear() {
    this.from = null;
    this.shape.style.display = "none";
  }

  start(point) {
    this.from = point;
    this.end(point);
  }

  end(point) {
    this.to = point;
    const { left, top, width, height } = this.#drawn();
    for (const [name, value] of Object.entries({ x: left, y: top, width, height })) {
      this.shape.setAttribute(name, String(value));
    }
    this.shape.style.display = "";
  }

  // What was drawn, or without that what is in sight, as a PNG of the levels as they were sent.
  async file() {
    const { box, picture } = this.stage;
    const part = inside(this.from ? this.#drawn() : this.stage.seen(), box);
    const across = picture.canvas.width / box.width;
    const down = picture.canvas.height / box.height;
    const x = Math.round((part.left - box.left) * across);
    const y = Math.round((part.top - box.top) * down);
    const width = Math.max(1, Math.round(part.width * across));
    const height = Math.max(1, Math.round(part.height * down));
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d").putImageData(picture.part(x, y, width, height), 0, 0);
    return new Promise((done) => canvas.toBlob(done, "image/png"));
  }

  #drawn() {
    return {
      left: Math.min(this.from.x, this.to.x),
      top: Math.min(this.from.y, this.to.y),
      width: Math.abs(this.to.x - this.from.x),
      height: Math.abs(this.to.y - this.from.y),
    };
  }
}

function inside(part, box) {
  const left = Math.max(part.left, box.left);
  const top = Math.max(part.top, box.top);
  return {
    left,
    top,
    width: Math.min(part.left + part.width, box.left + box.width) - left,
    height: Math.min(part.top + part.height, box.top + box.height) - top,
  };
}
