// Without this the form posts and the page asks anew by itself; with it, progress is live.

const form = document.querySelector("#bulk");
if (form) {
  const input = form.querySelector("input[type=file]");
  const submit = form.querySelector("button[type=submit]");
  const sending = form.querySelector(".sending");
  const progress = sending.querySelector("progress");
  const told = form.querySelector("[role=alert]");
  const words = form.dataset;

  const fault = () => {
    const files = [...input.files];
    if (files.length > Number(words.maxItems)) return words.tooMany;
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    return bytes > Number(words.maxBytes) ? words.tooLarge : "";
  };

  input.addEventListener("change", () => { told.textContent = fault(); });

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    told.textContent = fault();
    if (told.textContent) return;
    const request = new XMLHttpRequest();
    const end = (message) => {
      sending.hidden = true;
      submit.disabled = false;
      told.textContent = message;
    };
    request.upload.addEventListener("progress", (step) => {
      if (step.lengthComputable) progress.value = step.loaded / step.total;
    });
    request.addEventListener("load", () => {
      if (request.status === 200) {
        location.assign(request.responseURL);
        return;
      }
      const page = new DOMParser().parseFromString(request.responseText, "text/html");
      const message = page.querySelector("main h1");
      // An answer that is none of ours is a proxy's.
      const between = request.status === 413 ? words.tooLargeBetween : words.away;
      end(message ? message.textContent.trim() : between);
    });
    request.addEventListener("error", () => end(words.failed));
    request.addEventListener("abort", () => end(""));
    sending.querySelector("button").onclick = () => request.abort();
    progress.value = 0;
    sending.hidden = false;
    submit.disabled = true;
    request.open("POST", form.action);
    request.send(new FormData(form));
  });
}

const batch = document.querySelector("#batch");
if (batch && batch.dataset.running === "yes") {
  const live = document.createElement("p");
  live.className = "hidden-visually";
  live.setAttribute("role", "status");
  batch.after(live);

  const look = async () => {
    let wait = 1000;
    try {
      const answer = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" } });
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.querySelector("#batch");
      // The table alone is changed under way: what has the focus stays where it is.
      const over = fresh.dataset.running !== "yes";
      if (over) {
        batch.replaceChildren(...fresh.children);
        document.title = page.title;
      } else {
        batch.querySelector(".results").replaceWith(fresh.querySelector(".results"));
        batch.querySelector("#told").textContent = fresh.querySelector("#told").textContent;
        batch.querySelector("progress").value = fresh.querySelector("progress").value;
      }
      live.textContent = `${batch.querySelector("#progress").textContent}: ${batch.querySelector("#told").textContent}`;
      if (over) return;
    } catch {
      wait = 5000;
    }
    setTimeout(look, wait);
  };
  setTimeout(look, 1000);
}
