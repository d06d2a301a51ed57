// What a mouse, fingers and keys do to a picture. One finger scrolls the page until the picture is
// enlarged or another tool is chosen; two fingers always zoom.

const STEP = 1.25;
const PART = 0.1;

export class Gestures {
  constructor(stage, viewer) {
    this.stage = stage;
    this.viewer = viewer;
    this.pointers = new Map();
    const on = stage.element;
    on.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    on.addEventListener("pointerdown", (event) => this.down(event));
    on.addEventListener("pointermove", (event) => this.moved(event));
    for (const end of ["pointerup", "pointercancel"]) {
      on.addEventListener(end, (event) => this.pointers.delete(event.pointerId));
    }
    on.addEventListener("contextmenu", (event) => event.preventDefault());
    on.addEventListener("dblclick", () => viewer.reset());
    on.addEventListener("keydown", (event) => this.key(event));
    on.addEventListener("click", (event) => this.clicked(event), { capture: true });
  }

  wheel(event) {
    event.preventDefault();
    const point = this.stage.share(this.stage.at(event.clientX, event.clientY));
    // A wheel's notch is 100 or more, a trackpad's much less.
    const notches = Math.max(-1, Math.min(1, event.deltaY / 100));
    this.viewer.viewport.scale(STEP ** -notches, point.x, point.y);
  }

  down(event) {
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
    this.travelled = 0;
    // A link upon the picture is followed where nothing was dragged.
    this.by = event.button === 2 || event.shiftKey ? "window" : this.viewer.tool;
    // A ruler or a cutter: both are drawn from one point to another.
    this.drawn = { measure: this.stage.ruler, cut: this.stage.cutter }[this.by];
    if (this.pointers.size === 1) this.drawn?.start(this.stage.at(event.clientX, event.clientY));
  }

  moved(event) {
    const before = this.pointers.get(event.pointerId);
    if (!before) return;
    const x = event.clientX - before.x;
    const y = event.clientY - before.y;
    this.travelled += Math.abs(x) + Math.abs(y);
    if (this.travelled > 4) this.stage.element.setPointerCapture(event.pointerId);
    if (this.pointers.size === 2) this.pinch(event, before);
    else if (this.by === "window") this.viewer.window(x, y);
    else if (this.drawn) this.drawn.end(this.stage.at(event.clientX, event.clientY));
    else this.pan(x, y);
    this.pointers.set(event.pointerId, { x: event.clientX, y: event.clientY });
  }

  pan(x, y) {
    const { fitting, box } = this.stage;
    this.viewer.viewport.move(-x / fitting / box.width, -y / fitting / box.height);
  }

  pinch(event, before) {
    const other = [...this.pointers].find(([id]) => id !== event.pointerId)[1];
    const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y) || 1;
    const here = { x: event.clientX, y: event.clientY };
    const middle = this.stage.at((here.x + other.x) / 2, (here.y + other.y) / 2);
    const point = this.stage.share(middle);
    this.viewer.viewport.scale(apart(here) / apart(before), point.x, point.y);
    this.pan((here.x - before.x) / 2, (here.y - before.y) / 2);
  }

  clicked(event) {
    if (this.travelled > 4 || this.drawn) {
      event.preventDefault();
      event.stopPropagation();
    }
    this.travelled = 0;
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { viewer, stage } = this;
    const arrow = {
      ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1],
    }[event.key];
    const act = {
      "+": () => viewer.viewport.scale(STEP),
      "=": () => viewer.viewport.scale(STEP),
      "-": () => viewer.viewport.scale(1 / STEP),
      0: () => viewer.reset(),
      i: () => viewer.invert(),
      o: () => viewer.outline(),
      f: () => viewer.full(),
      w: () => viewer.window(10, 0),
      s: () => viewer.window(-10, 0),
      a: () => viewer.window(0, -10),
      d: () => viewer.window(0, 10),
      m: () => this.measure(),
      Escape: () => [stage.ruler, stage.cutter].forEach((one) => one?.clear()),
    }[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (arrow && this.byKeys) this.lengthen(...arrow);
    else if (arrow) viewer.viewport.move(PART * arrow[0], PART * arrow[1]);
    else if (act) act();
    else return;
    // The page's own keys are not meant.
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") this.byKeys = false;
  }

  // Arrows lengthen a line that begins in the middle; the second time they move the picture again.
  measure() {
    this.byKeys = !this.byKeys;
    if (this.byKeys) this.stage.ruler.start(this.stage.middle());
  }

  lengthen(x, y) {
    const { to } = this.stage.ruler;
    const step = 4 / this.stage.scale;
    this.stage.ruler.end({ x: to.x + x * step, y: to.y + y * step });
  }
}
