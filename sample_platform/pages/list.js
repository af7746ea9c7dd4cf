"use strict";
const grid = document.getElementById("grid");
const status = document.getElementById("status");
const known = new Set();
let cursor = 0;
let searchId = "";
let isLoading = false;
let isDone = false;

/** How each kind of list asks for its next page, and what it calls its entries. */
const lists = {
  search: async () => {
    const query = { keyword: facts.id, search_channel: "aweme_general", sort_type: "0", publish_time: "0", offset: cursor, count: cursor ? 10 : 15, search_id: searchId, need_filter_settings: cursor ? "0" : "1", list_type: "single" };
    const data = await call("general/search/single/", query);
    searchId ||= data.log_pb?.impr_id ?? "";
    cursor = data.cursor;
    return { entries: (data.data ?? []).map((card) => card.aweme_info ?? card.aweme_mix_info?.mix_items?.[0]), more: data.has_more };
  },
  hot: async () => {
    const data = await call("hot/search/list/", { detail_list: "1", source: "6" });
    const words = (data.data?.word_list ?? []).map((hot) => make("li", {}, make("a", { href: `/search/${encodeURIComponent(hot.word)}?type=general` }, hot.word), ` ${short(hot.hot_value)}`));
    grid.replaceWith(make("ol", { class: "hot" }, ...words));
    return { entries: [], more: 0 };
  },
  user: async () => {
    const data = await call("aweme/post/", { sec_user_id: facts.id, max_cursor: cursor, count: 18 });
    cursor = data.max_cursor;
    return { entries: data.aweme_list, more: data.has_more };
  },
  music: async () => {
    const data = await call("music/aweme/", { music_id: facts.id, cursor, count: 18 });
    cursor = data.cursor;
    return { entries: data.aweme_list, more: data.has_more };
  },
  hashtag: async () => {
    const data = await call("challenge/aweme/", { ch_id: facts.id, cursor, count: 18 });
    cursor = data.cursor;
    return { entries: data.aweme_list, more: data.has_more };
  },
};

function card(entry) {
  const isNote = Boolean(entry.images?.length);
  const picture = make("img", { src: entry.video.cover.url_list[0], alt: "", loading: "lazy", width: 270, height: 360 });
  const badge = isNote ? make("span", { class: "badge" }, `图文 ${entry.images.length}`) : make("span", { class: "time" }, clock(entry.duration));
  const seen = entry.statistics.play_count > 0 ? `▶ ${short(entry.statistics.play_count)}` : "";
  const numbers = make("span", { class: "numbers" }, make("span", {}, `♥ ${short(entry.statistics.digg_count)}`), make("span", {}, seen));
  const face = make("img", { class: "face", src: entry.author.avatar_thumb.url_list[0], alt: "", loading: "lazy", width: 24, height: 24 });
  const title = entry.desc.length > 120 ? entry.desc.slice(0, 120) + "…" : entry.desc;
  return make("article", { class: "card" },
    make("a", { class: "cover", href: `/${isNote ? "note" : "video"}/${entry.aweme_id}` }, picture, badge, numbers),
    make("p", { class: "title" }, entry.is_ads ? make("span", { class: "ad" }, "广告") : "", title || "无标题"),
    make("a", { class: "by", href: `/user/${entry.author.sec_uid}` }, face, entry.author.nickname, make("time", {}, ago(entry.create_time))));
}

async function more() {
  if (isLoading || isDone) return;
  isLoading = true;
  status.textContent = "加载中…";
  try {
    const page = await lists[facts.kind]();
    for (const entry of page.entries ?? []) {
      // Real answers hold broken entries now and then; the page passes over them.
      if (typeof entry?.aweme_id !== "string" || !entry.video?.cover || known.has(entry.aweme_id) || entry.status?.is_delete) continue;
      known.add(entry.aweme_id);
      grid.append(card(entry));
    }
    isDone = !page.more;
    status.textContent = isDone ? (known.size ? "暂时没有更多了" : "没有找到相关内容，换个词试试吧") : "";
  } catch (error) {
    isDone = true;
    status.textContent = error.message;
  } finally {
    isLoading = false;
  }
  fill();
}

/** Load on while the end of the list is near the window's lower edge. */
function fill() {
  const below = document.getElementById("end").getBoundingClientRect().top - innerHeight;
  if (below < 400 && !isDone) more();
}

async function person() {
  const data = await call("user/profile/other/", { sec_user_id: facts.id });
  if (!data.user || data.user.user_canceled) return;
  const face = make("img", { src: data.user.avatar_medium.url_list[0], alt: "", width: 96, height: 96 });
  const lines = make("div", {}, make("h1", {}, data.user.nickname), make("p", {}, `粉丝 ${short(data.user.follower_count)} · 作品 ${data.user.aweme_count} · 号 ${data.user.unique_id || data.user.short_id}`), make("p", {}, data.user.signature));
  document.getElementById("heading").append(make("div", { class: "person" }, face, lines));
}

if (facts.kind === "user") person().catch((error) => { status.textContent = error.message; });
else document.getElementById("heading").append(make("h1", {}, facts.kind === "search" ? `“${facts.heading}” 的搜索结果` : facts.heading));
addEventListener("scroll", fill, { passive: true });
addEventListener("resize", fill);
more();
