// Points of vertebrae set on the image. The fields of the form hold them; all else is drawn from those.

const SVG = "http://www.w3.org/2000/svg";
const POINTS = 6;
const drawing = document.querySelector("svg.points");
const which = document.getElementById("which");

function field(level) {
  return document.getElementById(`points-${level}`);
}

function read(level) {
  const numbers = (field(level).value.match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number);
  const found = [];
  for (let at = 0; at + 1 < numbers.length && found.length < POINTS; at += 2) {
    found.push([numbers[at], numbers[at + 1]]);
  }
  return found;
}

function write(level, points) {
  field(level).value = points.map(([x, y]) => `${x},${y}`).join(" ");
  draw();
}

function made(name, attributes) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
}

function place(event) {
  const at = new DOMPoint(event.clientX, event.clientY);
  const { x, y } = at.matrixTransform(drawing.getScreenCTM().inverse());
  return tenths(x, y);
}

// Of what is set here alone: what was typed or proposed finer stays as it is.
function tenths(...place) {
  return place.map((one) => Math.round(one * 10) / 10);
}

function moved(level, number, to) {
  const points = read(level);
  points[number] = to;
  write(level, points);
}

function dot(level, number, [x, y], size) {
  const label = drawing.dataset.point.replace("{level}", level).replace("{number}", number + 1);
  const one = made("circle", {
    cx: x, cy: y, r: size / 130, tabindex: 0, role: "button", "aria-label": label,
    "data-place": `${level}-${number}`,
  });
  one.addEventListener("pointerdown", (event) => {
    event.stopPropagation();
    event.preventDefault();
    which.value = level;
    const follow = (next) => moved(level, number, place(next));
    const leave = () => {
      window.removeEventListener("pointermove", follow);
      window.removeEventListener("pointerup", leave);
      window.removeEventListener("pointercancel", leave);
    };
    window.addEventListener("pointermove", follow);
    window.addEventListener("pointerup", leave);
    window.addEventListener("pointercancel", leave);
  });
  one.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!step) return;
    event.preventDefault();
    const by = event.shiftKey ? 5 : 0.5;
    moved(level, number, tenths(x + step[0] * by, y + step[1] * by));
    drawing.querySelector(`[data-place="${level}-${number}"]`).focus();
  });
  return one;
}

function draw() {
  const size = drawing.viewBox.baseVal.height;
  for (const old of drawing.querySelectorAll("circle, polyline, text")) old.remove();
  for (const { value: level } of which.options) {
    const points = read(level);
    if (!points.length) continue;
    for (const plate of [points.slice(0, 3), points.slice(3)]) {
      drawing.append(made("polyline", { points: plate.map((one) => one.join(",")).join(" ") }));
    }
    const name = made("text", { x: points[0][0], y: points[0][1] - size / 100, "font-size": size / 40 });
    name.textContent = level;
    drawing.append(name, ...points.map((one, number) => dot(level, number, one, size)));
  }
}

if (drawing) {
  which.value = "L1";
  drawing.addEventListener("pointerdown", (event) => {
    const points = read(which.value);
    if (points.length < POINTS) write(which.value, [...points, place(event)]);
  });
  document.getElementById("points").addEventListener("input", draw);
  draw();
}
