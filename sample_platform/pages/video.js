"use strict";
const detail = document.getElementById("detail");

function player(entry) {
  if (entry.images?.length) {
    return make("div", { class: "slides" }, ...entry.images.map((image, place) => make("img", { src: image.url_list[0], alt: `第${place + 1}张`, loading: place ? "lazy" : "eager" })));
  }
  const address = entry.video.play_addr.url_list[0];
  return make("video", { src: address, poster: entry.video.cover.url_list[0], controls: "", loop: "", playsinline: "", preload: "metadata" });
}

function show(entry) {
  const numbers = [["点赞", "digg_count"], ["评论", "comment_count"], ["收藏", "collect_count"], ["分享", "share_count"]];
  const face = make("img", { class: "face", src: entry.author.avatar_thumb.url_list[0], alt: "", width: 44, height: 44 });
  const tags = (entry.text_extra ?? []).map((tag) => make("a", { href: `/hashtag/${tag.hashtag_id}` }, `#${tag.hashtag_name}`));
  detail.replaceChildren(make("section", { class: "stage" }, player(entry)),
    make("section", { class: "about" },
      make("h1", {}, entry.desc.slice(0, 300) || "无标题"),
      make("p", { class: "tags" }, ...tags),
      make("p", { class: "counts" }, ...numbers.map(([label, name]) => make("span", {}, make("b", {}, short(entry.statistics[name])), label))),
      make("a", { class: "by big", href: `/user/${entry.author.sec_uid}` }, face, entry.author.nickname),
      entry.music ? make("a", { class: "music", href: `/music/${entry.music.id_str}` }, `♪ ${entry.music.title}`) : "",
      make("p", { class: "when" }, `发布于 ${new Date(entry.create_time * 1000).toLocaleString("zh-CN")}`)));
}

call("aweme/detail/", { aweme_id: facts.id }).then(
  (data) => {
    if (data.aweme_detail) show(data.aweme_detail);
    else detail.replaceChildren(make("p", { class: "status" }, data.filter_detail?.detail_msg ?? "你要观看的视频不存在"));
  },
  (error) => detail.replaceChildren(make("p", { class: "status" }, error.message)),
);
