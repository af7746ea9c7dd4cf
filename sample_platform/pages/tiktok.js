"use strict";
const scope = JSON.parse(document.getElementById("__UNIVERSAL_DATA_FOR_REHYDRATION__").textContent).__DEFAULT_SCOPE__ ?? {};
const detail = document.getElementById("detail");

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function stage(item) {
  if (item.imagePost) return make("div", { class: "slides" }, ...item.imagePost.images.map((image) => make("img", { src: image.imageURL.urlList.at(-1), alt: "" })));
  return make("video", { src: item.video.playAddr, controls: "", loop: "", playsinline: "", preload: "metadata" });
}

const item = scope["webapp.video-detail"]?.itemInfo?.itemStruct;
const user = scope["webapp.user-detail"]?.userInfo?.user;
const music = scope["webapp.music-detail"]?.musicInfo?.music;
if (item) {
  detail.replaceChildren(make("section", { class: "stage" }, stage(item)),
    make("section", { class: "about" }, make("h1", {}, item.desc || "No title"), make("p", {}, `@${item.author.uniqueId}`), make("p", {}, `${item.statsV2.playCount} views`)));
} else if (user) detail.replaceChildren(make("h1", {}, `${user.nickname} @${user.uniqueId}`));
else if (music) detail.replaceChildren(make("h1", {}, music.title));
else detail.replaceChildren(make("p", { class: "status" }, "Video currently unavailable"));
