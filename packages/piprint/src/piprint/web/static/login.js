import { post } from "./ask.js";

const form = document.getElementById("form");
const error = document.getElementById("error");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await post("api/v1/login", { password: form.password.value });
    location.replace("./");
  } catch (problem) {
    error.textContent = problem.message;
    error.hidden = false;
    form.password.select();
  }
});
