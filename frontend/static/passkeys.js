// What a passkey answers goes into a hidden field of the form that it stands in for, so that pages
// answer as they do to any form. Where this does not run, a sentence in its place says so.

const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON !== undefined
  && PublicKeyCredential.parseCreationOptionsFromJSON !== undefined;

async function answered(button) {
  const asked = await fetch(button.dataset.passkey, { method: "POST", headers: { Accept: "application/json" } });
  if (!asked.ok) throw new Error(String(asked.status));
  const options = await asked.json();
  const credential = "makes" in button.dataset
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
  return JSON.stringify(credential.toJSON());
}

for (const part of able ? document.querySelectorAll(".passkey") : []) {
  const [button, without, trouble] = ["button", ".without", ".error-text"].map((one) => part.querySelector(one));
  without.hidden = true;
  button.hidden = false;
  button.addEventListener("click", async () => {
    // A password is not needed beside it; the name of a new one is.
    if ("makes" in button.dataset && !button.form.reportValidity()) return;
    trouble.hidden = true;
    button.disabled = true;
    try {
      part.querySelector("input").value = await answered(button);
      button.form.submit();
    } catch {
      trouble.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
}
