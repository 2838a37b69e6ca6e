// The login page's words. It works without this file, in English.

import { language, text, translate } from "./texts.js";

document.documentElement.lang = language;
translate(document);
document.title = text("log_in");
const reason = document.body.dataset.error;
if (reason) {
  const error = document.getElementById("error");
  error.textContent = text(`login_${reason}`);
  error.hidden = false;
}
