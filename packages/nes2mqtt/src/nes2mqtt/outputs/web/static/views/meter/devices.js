// The card of gas, water and heat meters behind the meter: what each counts, when it was read, what is wrong with it.

import { byId, el, setText, setValue } from "../../dom.js";
import { dayMonth, hourTime, number } from "../../texts/format.js";
import { text } from "../../texts/texts.js";

const REPORTS = ["battery_low", "alarm", "permanent_error", "temporary_error"];
const MOST_DECIMALS = 3;

/** As many digits after the point as the device told, up to three. */
function decimals(value) {
  return Math.min(MOST_DECIMALS, (String(value).split(".")[1] ?? "").length);
}

function troubles(device) {
  const reported = REPORTS.filter((name) => device[name]);
  const unreachable = device.reachable === false ? ["unreachable"] : [];
  return [...unreachable, ...reported, ...device.trouble].map((name) => text(`device_${name}`)).filter(Boolean);
}

function row() {
  return el(
    "li",
    {},
    el("h3"),
    el("p", { class: "device-value" }, el("span", { class: "value" }), el("span", { class: "unit" })),
    el("p", { class: "muted" }),
    el("p", { class: "device-trouble" }),
  );
}

/** Draw the devices as the API tells them; no card when there are none. */
export function drawDevices(devices) {
  const card = byId("devices");
  card.hidden = devices.length === 0;
  const list = byId("devices-list");
  while (list.children.length > devices.length) {
    list.lastElementChild.remove();
  }
  devices.forEach((device, index) => {
    const item = list.children[index] ?? list.appendChild(row());
    const [title, value, read, trouble] = item.children;
    setText(title, `${text(`device_${device.kind}`)} ${device.serial}`);
    const counter = device.values.find(({ name }) => name === device.counter);
    if (counter) {
      setValue(value.firstElementChild, counter.name, counter.value, number(counter.value, decimals(counter.value)));
    } else {
      // An old number must not stay beside a new device, nor for the screen reader.
      delete value.firstElementChild.dataset.value;
      setText(value.firstElementChild, text("device_no_value"));
    }
    setText(value.lastElementChild, counter?.unit ?? "");
    const moment = device.read && new Date(device.read);
    setText(read, moment ? text("device_read", { time: `${dayMonth(moment)} ${hourTime(moment)}` }) : text("device_read_undated"));
    const words = troubles(device);
    trouble.hidden = words.length === 0;
    setText(trouble, words.join(" · "));
  });
}
