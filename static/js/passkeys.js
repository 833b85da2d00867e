// Talks to the browser's passkeys where a form asks for it: data-passkey says what for ("create", "get", or "fetch" when
// the server is asked first), data-options what with. The answer goes into the form's hidden field, and the form is sent.
(() => {
  const forms = document.querySelectorAll("form[data-passkey]");
  if (!forms.length || !window.PublicKeyCredential) return;

  const bytes = (text) => {
    const plain = text.replaceAll("-", "+").replaceAll("_", "/");
    return Uint8Array.from(atob(plain + "=".repeat((4 - (plain.length % 4)) % 4)), (sign) => sign.charCodeAt(0));
  };
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  const keys = (list) => (list || []).map((key) => ({ ...key, id: bytes(key.id) }));

  const forCreation = (given, form) => {
    const options = { ...given, challenge: bytes(given.challenge), user: { ...given.user, id: bytes(given.user.id) } };
    options.excludeCredentials = keys(given.excludeCredentials);
    const alone = form.elements.passwordless && form.elements.passwordless.checked;
    options.authenticatorSelection = {
      ...given.authenticatorSelection,
      residentKey: alone ? "required" : "discouraged",
      requireResidentKey: alone,
      ...(alone ? { userVerification: "required" } : {}),
    };
    return options;
  };
  const forRequest = (given) => ({
    ...given, challenge: bytes(given.challenge), allowCredentials: keys(given.allowCredentials),
  });

  const told = (credential) => {
    const answer = credential.response;
    const response = { clientDataJSON: text(answer.clientDataJSON) };
    if (answer.attestationObject) {
      response.attestationObject = text(answer.attestationObject);
      response.transports = answer.getTransports ? answer.getTransports() : [];
    } else {
      response.authenticatorData = text(answer.authenticatorData);
      response.signature = text(answer.signature);
      response.userHandle = answer.userHandle ? text(answer.userHandle) : null;
    }
    return {
      type: credential.type, id: credential.id, rawId: text(credential.rawId), response,
      authenticatorAttachment: credential.authenticatorAttachment,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const ask = async (form) => {
    const kind = form.dataset.passkey;
    const given = kind === "fetch"
      ? (await (await fetch(form.action, { headers: { Accept: "application/json" } })).json()).request_options
      : JSON.parse(form.dataset.options);
    const publicKey = kind === "create" ? forCreation(given.publicKey, form) : forRequest(given.publicKey);
    return kind === "create" ? navigator.credentials.create({ publicKey }) : navigator.credentials.get({ publicKey });
  };

  for (const form of forms) {
    const button = form.querySelector("[data-passkey-button]");
    const trouble = form.querySelector("[data-passkey-trouble]");
    button.hidden = false;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      trouble.hidden = true;
      button.disabled = true;
      try {
        form.elements.credential.value = JSON.stringify(told(await ask(form)));
        form.submit();
      } catch {
        trouble.hidden = false;
        button.disabled = false;
      }
    });
  }
})();
