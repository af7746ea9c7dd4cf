"use strict";
const facts = JSON.parse(document.body.dataset.facts);

/** Make an element: text is always text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== undefined && child !== null));
  return element;
}

function short(number) {
  if (number >= 1e8) return (number / 1e8).toFixed(1) + "亿";
  if (number >= 1e4) return (number / 1e4).toFixed(1) + "万";
  return String(number);
}

function clock(milliseconds) {
  const seconds = Math.round(milliseconds / 1000);
  return `${String(Math.floor(seconds / 60)).padStart(2, "0")}:${String(seconds % 60).padStart(2, "0")}`;
}

function ago(seconds) {
  const hours = (Date.now() / 1000 - seconds) / 3600;
  if (hours < 1) return `${Math.max(1, Math.round(hours * 60))}分钟前`;
  return hours < 24 ? `${Math.round(hours)}小时前` : `${Math.round(hours / 24)}天前`;
}

/** A data call, as the real site makes it. Throws a sentence for the visitor when the answer is a wall. */
async function call(path, query) {
  const parameters = new URLSearchParams({ device_platform: "webapp", aid: "6383", channel: "channel_pc_web", ...query });
  const answer = await fetch(`/aweme/v1/web/${path}?${parameters}`, { headers: { accept: "application/json, text/plain, */*" } });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`服务暂时不可用 (${answer.status})`);
  let data;
  try { data = JSON.parse(text); } catch { wall("captcha"); throw new Error("请完成验证后继续"); }
  if (data.status_code === 2483) { wall("login"); throw new Error("登录后查看更多内容"); }
  if (data.search_nil_info?.search_nil_type === "verify_check") { wall("captcha"); throw new Error("请完成验证后继续"); }
  return data;
}

function wall(kind) {
  if (document.getElementById(`${kind}_container`)) return;
  const texts = { captcha: ["请完成下列验证后继续", "按住左边按钮拖动完成上方拼图"], login: ["登录后免费畅享高清视频", "扫码登录 · 验证码登录"] };
  const [title, more] = texts[kind];
  document.body.append(make("div", { class: "shade" }, make("div", { class: "wall", id: `${kind}_container` }, make("h1", {}, title), make("p", {}, more))));
}

document.getElementById("find").addEventListener("submit", (event) => {
  event.preventDefault();
  const words = document.getElementById("words").value.trim();
  if (words) location.href = `/search/${encodeURIComponent(words)}?type=general`;
});
if (facts.kind === "search") document.getElementById("words").value = facts.heading;
