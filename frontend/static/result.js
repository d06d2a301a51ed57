// The viewer of a result: one heat map at a time, its opacity, and the scan's window and level.
// Without this script every map stands beside the scan as a picture.

const viewer = document.querySelector(".viewer");
const controls = viewer.querySelector(".controls");
const maps = [...viewer.querySelectorAll(".pane.map")];
const greys = [...viewer.querySelectorAll(".grey")];
const slides = new Map(
  [...controls.querySelectorAll("input[type=range]")].map((input) => [input.id, input]),
);

// A model that has no map to choose keeps its place, which says why.
function show() {
  for (const choice of controls.querySelectorAll("input[name=map]")) {
    const pane = maps.find((one) => one.dataset.model === choice.value);
    pane.classList.toggle("unseen", !choice.checked);
  }
}

function fade() {
  const slide = slides.get("opacity");
  if (!slide) return;
  for (const heat of viewer.querySelectorAll(".heat")) heat.style.opacity = slide.value / 100;
}

// A grey g of 0…1 is shown as (g - level) / width + 0.5, cut off at black and white.
function expose() {
  const width = slides.get("width").value / 100;
  const level = slides.get("level").value / 100;
  for (const channel of viewer.querySelectorAll("feComponentTransfer > *")) {
    channel.setAttribute("slope", String(1 / width));
    channel.setAttribute("intercept", String(0.5 - level / width));
  }
  const plain = width === 1 && level === 0.5;
  for (const image of greys) image.style.filter = plain ? "" : "url(#window)";
}

function tell() {
  for (const slide of slides.values()) {
    slide.parentElement.querySelector("output").value = `${slide.value} %`;
  }
}

function update() {
  show();
  fade();
  expose();
  tell();
}

// A picture cannot say why it did not come; the same address can.
async function explain(image) {
  const words = document.createElement("p");
  words.className = "nothing";
  words.textContent = viewer.dataset.missing;
  image.closest(".stage").replaceWith(words);
  try {
    const answer = await fetch(image.src, { headers: { Accept: "application/json" } });
    if (answer.status === 409) words.textContent = viewer.dataset.changed;
  } catch {
    // Without a connection the first words stand.
  }
}

for (const heat of viewer.querySelectorAll(".heat")) {
  if (heat.complete && heat.naturalWidth === 0 && heat.currentSrc) explain(heat);
  else heat.addEventListener("error", () => explain(heat), { once: true });
}

controls.addEventListener("input", update);
controls.querySelector("button").addEventListener("click", () => {
  for (const slide of slides.values()) slide.value = slide.defaultValue;
  update();
});
controls.hidden = false;
update();
