// The login page's words. It works without this file, in English.

import { language, text, translate } from "./texts/texts.js";

document.documentElement.lang = language;
translate(document);
document.title = text("log_in");
const { error: reason, public: address } = document.body.dataset;
const error = document.getElementById("error");
if (address && !location.href.startsWith(address)) {
  // The cookie is for the public address alone: here, logging in would lead to the login again.
  error.textContent = text("login_elsewhere", { address });
  error.hidden = false;
} else if (reason) {
  error.textContent = text(`login_${reason}`);
  error.hidden = false;
}
