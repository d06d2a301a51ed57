// A link's code stands behind its #, which no server is sent: it is taken from there into the form.

const token = document.querySelector("#token");
if (token && location.hash.length > 1) {
  token.value = decodeURIComponent(location.hash.slice(1));
  history.replaceState(null, "", location.pathname);
}
