// Heat maps on a result's page: their opacity, and why one did not come.

const section = document.querySelector(".maps");
const slide = section.querySelector(".slide");
const input = slide.querySelector("input");

function fade() {
  for (const heat of section.querySelectorAll(".heat")) heat.style.opacity = input.value / 100;
  slide.querySelector("output").value = `${input.value} %`;
}

// A picture cannot say why it did not come; the same address can.
async function explain(image) {
  const words = document.createElement("p");
  words.className = "nothing";
  words.textContent = section.dataset.missing;
  image.closest(".mapped").replaceWith(words);
  try {
    const answer = await fetch(image.src, { headers: { Accept: "application/json" } });
    if (answer.status === 409) words.textContent = section.dataset.changed;
  } catch {
    // Without a connection the first words stand.
  }
}

for (const heat of section.querySelectorAll(".heat")) {
  if (heat.complete && heat.naturalWidth === 0 && heat.currentSrc) explain(heat);
  else heat.addEventListener("error", () => explain(heat), { once: true });
}

input.addEventListener("input", fade);
slide.hidden = false;
fade();
