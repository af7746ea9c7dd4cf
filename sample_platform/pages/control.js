"use strict";
const byId = (id) => document.getElementById(id);
let last = "";

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

async function send(method, path, body) {
  const answer = await fetch(path, { method, body: body && JSON.stringify(body) });
  const state = await answer.json();
  byId("problem").textContent = answer.ok ? "" : state.detail;
  if (answer.ok) show(state);
}

/** A value as typed: a number where it is one. */
function typed(text) {
  if (text.trim() === "") return null;
  return Number.isNaN(Number(text)) ? text.trim() : Number(text);
}

function order(on) {
  return { on, topic: byId("topic").value || null, video: byId("video").value.trim() || null, count: typed(byId("count").value), value: typed(byId("value").value) };
}

function words(fault) {
  const scope = fault.video ? `video ${fault.video}` : fault.topic ? `topic ${fault.topic}` : "everything";
  const left = fault.count === null ? "until cleared" : `${fault.count} more`;
  const value = fault.value === null ? "" : `, value ${fault.value}`;
  return `${scope}, ${left}${value}; touched ${fault.touched} of ${fault.places.join(", ")}`;
}

function show(state) {
  const { clock } = state;
  byId("now").textContent = `The site's time: ${new Date(clock.site_now * 1000).toLocaleString()} (${(clock.ahead_seconds / 3600).toFixed(1)} h ahead)`;
  byId("videos").textContent = `${state.videos} videos`;
  for (const button of document.querySelectorAll("[data-speed]")) button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === clock.speed));
  const drawn = JSON.stringify(state.faults);
  if (drawn === last) return;
  last = drawn;
  byId("active").replaceChildren(...(state.faults.length ? state.faults.map((fault) => {
    const off = make("button", {}, "off");
    off.addEventListener("click", () => send("PUT", `/control/faults/${fault.name}`, { on: false, topic: fault.topic, video: fault.video }));
    return make("li", {}, make("code", {}, fault.name), words(fault), off);
  }) : [make("li", {}, "None: the site works as it should.")]));
  if (!byId("kinds").children.length) first(state);
  for (const button of document.querySelectorAll("[data-fault]")) button.setAttribute("aria-pressed", String(state.faults.some((fault) => fault.name === button.dataset.fault)));
}

function first(state) {
  byId("topic").append(...state.topics.map((topic) => make("option", { value: topic }, topic)));
  byId("kinds").append(...state.kinds.map((kind) => {
    const on = make("button", { "data-fault": kind.name }, "switch on");
    on.addEventListener("click", () => send("PUT", `/control/faults/${kind.name}`, order(true)));
    const parts = [make("h3", {}, kind.name), on, make("p", {}, kind.shows)];
    if (kind.value) parts.push(make("p", {}, `value: ${kind.value}`));
    parts.push(make("p", {}, `touches: ${kind.places.join(", ")}`));
    return make("article", { class: "kind" }, ...parts);
  }));
}

document.addEventListener("click", (event) => {
  const { speed, hours } = event.target.dataset;
  if (speed !== undefined) send("PUT", "/control/clock", { speed: Number(speed) });
  if (hours !== undefined) send("PUT", "/control/clock", { advance_hours: Number(hours) });
});
byId("clear").addEventListener("click", () => send("DELETE", "/control/faults"));
const refresh = () => send("GET", "/control/state.json");
refresh();
setInterval(refresh, 2000);
