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
  return { on, topic: byId("topic").value.trim() || null, places: byId("places").value.split(/[ ,]+/).filter(Boolean), video: byId("video").value.trim() || null, count: typed(byId("count").value), value: typed(byId("value").value) };
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
  byId("links").textContent = `Links to clips live ${state.media_seconds} s; all were ended ${state.media_expired_times} times.`;
  byId("credits").textContent = `Credits left at ScrapeCreators: ${state.scrapecreators_credits}. Set to`;
  showPeople(state.people.filter((one) => !one.sec_uid));
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

function showPeople(people) {
  const options = people.map((one) => make("option", { value: one.handle }, `${one.handle}${one.state ? ` (${one.state})` : ""}${one.former ? `, once ${one.former}` : ""}`));
  const told = options.map((option) => option.textContent).join();
  if (byId("person").dataset.told === told) return;
  const chosen = byId("person").value;
  byId("person").replaceChildren(...options);
  byId("person").dataset.told = told;
  if (people.some((one) => one.handle === chosen)) byId("person").value = chosen;
}

function first(state) {
  byId("topics").append(...[...state.topics, ...state.people.map((one) => one.handle)].map((topic) => make("option", { value: topic })));
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
  const { speed, hours, credits } = event.target.dataset;
  if (credits !== undefined) send("PUT", "/control/credits", { left: Number(credits) });
  if (speed !== undefined) send("PUT", "/control/clock", { speed: Number(speed) });
  if (hours !== undefined) send("PUT", "/control/clock", { advance_hours: Number(hours) });
});
byId("expire").addEventListener("click", () => send("PUT", "/control/media", { expire: true }));
byId("change").addEventListener("click", () => {
  const handle = byId("handle").value.trim();
  send("PUT", `/control/people/${byId("person").value}`, { state: byId("state").value, ...(handle && { handle }) });
  byId("handle").value = "";
});
byId("clear").addEventListener("click", () => send("DELETE", "/control/faults"));
const refresh = () => send("GET", "/control/state.json");
refresh();
setInterval(refresh, 2000);
