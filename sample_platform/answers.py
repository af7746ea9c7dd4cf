"""The site's JSON: the shape of Douyin's web answers, as captured, for what this world holds."""

import hashlib
import json
import random
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from sample_platform.clock import Clock
from sample_platform.world import Author, Gear, Slide, Sound, Video, World, token

Json = dict[str, Any]

PICTURE_SECONDS = 14 * 86400


@dataclass(frozen=True)
class Signer:
    """Links to media carry their end: a hex time in the path for clips, x-expires for pictures."""

    secret: str

    def sign(self, *parts: object) -> str:
        return hashlib.md5("/".join(map(str, (self.secret, *parts))).encode(), usedforsecurity=False).hexdigest()

    def wrote(self, sign: str, *parts: object) -> bool:
        """Whether a link carries this signature: whole in the path of a clip, shortened in a picture's query."""
        own = self.sign(*parts)
        return sign in {own, own[:27] + "="}


@dataclass(frozen=True)
class Answers:
    """Writes answers for one request: addresses follow the host name by which the visitor came."""

    world: World
    signer: Signer
    web: str
    """Origin of the pages, e.g. http://localhost:8002."""
    cdns: tuple[str, ...]
    """Origins of the media mirrors."""
    now: float
    """Real time."""
    site_now: float
    media_seconds: int
    clock: Clock
    log_id: str

    # --- media addresses -------------------------------------------------------------------------------------------
    def clip_urls(self, video: Video, gear: Gear) -> list[str]:
        key = self.world.clip_key(video, gear)
        ends = f"{int(self.now) + self.media_seconds:x}"
        path = f"{self.signer.sign(key, ends)}/{ends}/video/tos/cn/tos-cn-ve-15/{key}/"
        rate = gear.bits // 1024
        query = f"a=6383&ch=10010&cr=3&dr=0&lr=all&cd=0%7C0%7C0%7C3&cv=1&br={rate}&bt={rate}&cs=0&ds=4"
        query += f"&mime_type=video_mp4&l={self.log_id}"
        return [*(f"{cdn}/{path}?{query}" for cdn in self.cdns), self.play_url(video, gear)]

    def play_url(self, video: Video, gear: Gear) -> str:
        file_id = self.world.clip_key(video, gear)[:32]
        sign = self.signer.sign("play", video.uri)
        query = f"video_id={video.uri}&line=0&ratio={gear.short_side}p&file_id={file_id}&sign={sign}"
        return f"{self.web}/aweme/v1/play/?{query}&is_play_url=1&source=PackSourceEnum_PUBLISH"

    def picture_urls(self, bucket: str, key: str, variants: tuple[str, ...]) -> list[str]:
        ends = (int(self.now) + PICTURE_SECONDS) // 3600 * 3600  # whole hours, so that links repeat and caches work
        signature = quote(self.signer.sign(key, ends)[:27] + "=", safe="")
        query = f"x-expires={ends}&x-signature={signature}&from=3213915784&s=PackSourceEnum_SEARCH&se=false&l={self.log_id}"
        return [f"{cdn}/{bucket}/{key}~{variant}?{query}" for variant in variants for cdn in self.cdns]

    def picture(self, bucket: str, key: str, variants: tuple[str, ...], width: int, height: int) -> Json:
        return {
            "uri": f"{bucket}/{key}",
            "url_list": self.picture_urls(bucket, key, variants),
            "width": width,
            "height": height,
        }

    def avatar(self, author: Author, size: int) -> Json:
        key = token(self.world.seed, "avatar", author.index, length=32)
        uri = f"{size}x{size}/aweme-avatar/tos-cn-avt-0015_{key}"
        return {
            "uri": uri,
            "url_list": [f"{cdn}/aweme/{uri}.jpeg?from=116350172" for cdn in self.cdns],
            "width": 720,
            "height": 720,
        }

    def sound_file(self, sound: Sound) -> Json:
        urls = [f"{cdn}/obj/ies-music/{sound.key}.mp3" for cdn in self.cdns]
        return {"uri": urls[0], "url_list": urls, "width": 720, "height": 720, "url_key": sound.id}

    # --- the parts of an entry -------------------------------------------------------------------------------------
    def author(self, author: Author) -> Json:
        return {
            "uid": author.uid,
            "sec_uid": author.sec_uid,
            "short_id": author.short_id,
            "unique_id": author.handle,
            "nickname": author.name,
            "signature": author.bio,
            "follower_count": author.followers,
            "following_count": author.followers % 700,
            "total_favorited": author.followers * 19,
            "aweme_count": len(self.world.posts(author, self.site_now)),
            "is_verified": author.is_verified,
            "verification_type": int(author.is_verified),
            "custom_verify": "优质创作者" if author.is_verified else "",
            "enterprise_verify_reason": "",
            "region": "CN",
            "follow_status": 0,
            "status": 1,
            "secret": 0,
            "room_id_str": "0",
            "avatar_thumb": self.avatar(author, 100),
            "avatar_medium": self.avatar(author, 720),
            "avatar_larger": self.avatar(author, 1080),
            "share_info": {"share_url": "", "share_desc": "", "share_title": ""},
        }

    def sound(self, sound: Sound) -> Json:
        return {
            "id": int(sound.id),
            "id_str": sound.id,
            "mid": sound.id,
            "title": sound.title,
            "author": sound.owner.name,
            "album": "",
            "duration": sound.seconds,
            "owner_id": sound.owner.uid,
            "owner_nickname": sound.owner.name,
            "owner_handle": sound.owner.handle or sound.owner.short_id,
            "sec_uid": sound.owner.sec_uid,
            "is_original": False,
            "is_original_sound": sound.is_original,
            "user_count": 0,
            "status": 1,
            "play_url": self.sound_file(sound),
            "cover_hd": self.avatar(sound.owner, 1080),
            "cover_large": self.avatar(sound.owner, 1080),
            "cover_medium": self.avatar(sound.owner, 720),
            "cover_thumb": self.avatar(sound.owner, 100),
        }

    def play_address(self, video: Video, gear: Gear) -> Json:
        width, height = video.size(gear)
        return {
            "uri": video.uri,
            "url_list": self.clip_urls(video, gear),
            "width": width,
            "height": height,
            "url_key": f"{video.uri}_{gear.codec}_{gear.short_side}p_{gear.bits}",
            "data_size": video.bytes(gear),
        }

    def rendition(self, video: Video, gear: Gear) -> Json:
        is_h265 = int(gear.codec == "h265")
        return {
            "gear_name": gear.name,
            "quality_type": gear.quality_type,
            "bit_rate": gear.bits,
            "FPS": 24,
            "is_h265": is_h265,
            "is_bytevc1": is_h265,
            "HDR_type": "",
            "HDR_bit": "",
            "format": "mp4",
            "play_addr": self.play_address(video, gear),
        }

    def cover(self, video: Video) -> Json:
        variants = ("tplv-dy-cropcenter:323:430.jpeg", "tplv-dy-360p.webp")
        return self.picture("tos-cn-p-0015", video.cover_key, variants, 720, 720)

    def clip(self, video: Video) -> Json:
        gears = [self.rendition(video, gear) for gear in video.gears]
        best = next(gear for gear in video.gears if gear.codec == "h264")
        still = self.picture("tos-cn-p-0015", video.cover_key, ("tplv-dy-360p.jpeg", "tplv-dy-360p.webp"), 360, 640)
        width, height = video.size(best)
        clip = {
            "play_addr": self.play_address(video, best),
            "play_addr_h264": self.play_address(video, best),
            "cover": self.cover(video),
            "origin_cover": still,
            "dynamic_cover": still,
            "animated_cover": still,
            "bit_rate": gears,
            "width": width,
            "height": height,
            "ratio": f"{best.short_side}p",
            "duration": video.duration_ms,
            "meta": json.dumps({"format": "mp4", "sdgs": json.dumps([gear.name for gear in video.gears])}),
            "has_watermark": False,
            "is_source_HDR": 0,
        }
        if h265 := [gear for gear in video.gears if gear.codec == "h265"]:
            clip["play_addr_265"] = self.play_address(video, h265[0])
        return clip

    def slide(self, video: Video, slide: Slide) -> Json:
        variants = ("tplv-dy-aweme-images:q75.webp", "tplv-dy-aweme-images:q75.jpeg")
        owner = token(video.author.uid, length=16)
        marked = f"tplv-dy-water-v2:{owner}:{video.width}:{video.height}"
        bucket = "tos-cn-i-0813c001"
        return {
            **self.picture(bucket, slide.key, variants, video.width, video.height),
            "download_url_list": self.picture_urls(bucket, slide.key, (f"{marked}.webp", f"{marked}.jpeg")),
            "mask_url_list": None,
            "interaction_stickers": None,
            "watermark_free_download_url_list": None,
        }

    def album(self, video: Video) -> Json:
        """A carousel's `video` is its sound: it has an address, and is no video."""
        return {
            "play_addr": self.sound_file(video.sound),
            "cover": self.cover(video),
            "origin_cover": self.cover(video),
            "width": video.width,
            "height": video.height,
            "ratio": "default",
            "has_watermark": False,
            "bit_rate": [],
            "duration": 0,
            "is_h265": 0,
            "meta": "{}",
            "big_thumbs": None,
            "audio": {"original_sound_infos": None},
        }

    def statistics(self, video: Video) -> Json:
        counts = video.growth.counts(self.site_now)
        shown = counts["play_count"] if video.shows_views else 0
        return {"aweme_id": video.id, **counts, "play_count": shown, "admire_count": 0, "forward_count": 0}

    @staticmethod
    def hashtags(video: Video) -> list[Json]:
        """Where each tag stands in the description, counted in UTF-16 units."""
        found = []
        for tag in video.hashtags:
            before, hit, _ = video.description.partition(f"#{tag}")
            start = len(before.encode("utf-16-le", "surrogatepass")) // 2
            if hit:
                found.append(
                    {
                        "type": 1,
                        "hashtag_name": tag,
                        "hashtag_id": hashtag_id(tag),
                        "start": start,
                        "end": start + len(tag) + 1,
                        "is_commerce": False,
                    }
                )
        return found

    def aweme(self, video: Video) -> Json:
        share = f"{self.web}/share/{'note' if video.is_carousel else 'video'}/{video.id}/?region=CN&from_aid=6383"
        words = self.hashtags(video)
        return {
            "aweme_id": video.id,
            "group_id": video.id,
            "desc": video.description,
            "caption": video.description,
            "preview_title": video.description[:60],
            "item_title": video.title[0] if video.is_carousel else "",
            "create_time": int(self.clock.real(video.published_at)),
            "aweme_type": 68 if video.is_carousel else 0,
            "media_type": 2 if video.is_carousel else 4,
            "duration": video.duration_ms,
            "author": self.author(video.author),
            "author_user_id": int(video.author.uid),
            "music": self.sound(video.sound) if video.number % 41 != 9 else None,
            "video": self.album(video) if video.is_carousel else self.clip(video),
            "images": [self.slide(video, slide) for slide in video.slides] or None,
            "statistics": self.statistics(video),
            "status": {
                "is_delete": video.is_deleted,
                "is_prohibited": False,
                "in_reviewing": False,
                "allow_share": True,
                "part_see": 0,
                "private_status": 0,
                "self_see": False,
                "review_result": {"review_status": 0},
            },
            "text_extra": words,
            "cha_list": [{"cid": word["hashtag_id"], "cha_name": word["hashtag_name"]} for word in words] or None,
            "video_tag": [{"tag_id": 2000 + len(video.topic.slug), "tag_name": video.topic.tags[0], "level": 1}],
            "share_url": share,
            "share_info": {"share_url": share, "share_link_desc": f"{video.title[0]} 复制此链接，打开观看！"},
            "is_top": 0,
            "is_ads": video.is_ad,
            "region": "CN",
            "prevent_download": False,
            "user_digged": 0,
            "collect_stat": 0,
            "comment_list": None,
            "image_infos": None,
            "anchors": None,
            "long_video": None,
            "geofencing": [],
            "risk_infos": {"vote": False, "warn": False, "risk_sink": False, "type": 0, "content": ""},
        }

    # --- cards of the search page ----------------------------------------------------------------------------------
    def card(self, video: Video, position: int) -> Json:
        entry = self.aweme(video)
        card: Json = {
            "type": 1,
            "aweme_info": entry,
            "card_info": {"pos": position},
            "doc_type": 153,
            "provider_doc_id": int(video.id),
            "provider_doc_id_str": video.id,
            "sub_card_list": None,
            "card_id": "douyin.doctype_video",
        }
        if video.number % 37 == 7:  # a collection: the entry lies one level deeper
            del card["aweme_info"]
            card["aweme_mix_info"] = {"mix_items": [entry], "statis": {"current_episode": 1}}
        if video.is_ad:
            card["ad_info"] = {"is_ad": True, "label": "广告"}
        return card

    def other_cards(self, words: str, offset: int, videos: list[Video]) -> list[tuple[int, Json]]:
        """What stands between the videos of a page: related words, people, lives, and entries that are broken."""
        chance = random.Random(f"{self.world.seed}/{words}/{offset}")
        cards: list[tuple[int, Json]] = []
        if not videos:
            return cards
        if offset == 0:
            cards.append((5, self._related(videos[0])))
            cards.append((8, self._people(videos[0].author)))
        if chance.random() < 0.6 or offset == 0:
            cards.append((chance.randrange(3, 9), self._live(chance.choice(videos).author)))
        if chance.random() < 0.6:
            cards.append((chance.randrange(2, 9), self._broken(chance)))
        return cards

    def _related(self, video: Video) -> Json:
        words = [
            {"related_word": word, "word_record": {"group_id": token(word, length=19), "words_position": position}}
            for position, word in enumerate(video.topic.related)
        ]
        return {"type": 6, "related_word_list": words, "doc_type": 108, "card_id": "douyin.doctype_related_search"}

    def _people(self, author: Author) -> Json:
        return {"type": 4, "user_list": [{"user_info": self.author(author), "items": None}], "doc_type": 3}

    def _live(self, author: Author) -> Json:
        room = {"id_str": token("room", author.uid, length=19), "title": "今晚开播", "owner": self.author(author)}
        cover = {"url_list": self.avatar(author, 720)["url_list"]}
        raw = json.dumps({**room, "status": 2, "user_count_str": "1.2万", "cover": cover}, ensure_ascii=False)
        return {"type": 1, "lives": {"aweme_id": "0", "author": self.author(author), "rawdata": raw}, "doc_type": 61}

    def _broken(self, chance: random.Random) -> Json:
        """Entries that real answers hold now and then, and that must not stop a reader."""
        return chance.choice(
            [
                {"type": 1, "aweme_info": {"aweme_id": "", "desc": None, "author": None, "statistics": None}},
                {"type": 1, "aweme_info": {"aweme_id": None, "video": [], "create_time": "yesterday"}},
                {"type": 1, "aweme_info": None},
                {"type": 1, "aweme_info": "[object Object]"},
                {"type": 1, "aweme_info": {"aweme_id": {"low": 12, "high": 7}, "statistics": {"digg_count": "many"}}},
                {"type": 999},
            ]
        )


def hashtag_id(tag: str) -> str:
    return str(1_600_000_000_000_000 + int(hashlib.md5(tag.encode(), usedforsecurity=False).hexdigest()[:10], 16))
