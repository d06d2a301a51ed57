// When nothing was asked for as long as a sign-in lasts, the screen goes blank without a click.
// A sign-in that is used in another tab goes on there: this page only says that it is paused.

const { idle, paused } = document.body.dataset;
const end = Date.now() + Number(idle) * 1000;

function look() {
  if (Date.now() < end) return;
  document.body.replaceChildren();
  location.replace(paused);
}

setTimeout(look, Number(idle) * 1000 + 500);
// Timers stand still while a machine sleeps.
document.addEventListener("visibilitychange", look);
// Going back after signing out shows what the server says now, not what was on the screen.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
