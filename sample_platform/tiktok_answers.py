"""What TikTok's mobile API says of a post, as services that sell it pass it on: snake_case awemes, exact counts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

from sample_platform.answers import Answers, Json, hashtag_id
from sample_platform.tiktok_world import Creator, TikTokWorld
from sample_platform.world import DAY, Author, Gear, Slide, Sound, Video, token

PICTURE_SECONDS = 48 * 3600
TRIMMED = (
    "aweme_id",
    "desc",
    "desc_language",
    "region",
    "statistics",
    "video",
    "author",
    "create_time",
    "is_ad",
    "is_eligible_for_commission",
    "is_paid_partnership",
    "create_time_utc",
    "url",
    "shop_product_url",
)


def rounded(number: str | int) -> int:
    """A whole number after JavaScript had it: no more than 17 digits are left, the rest is noughts."""
    digits, _, exponent = repr(float(number)).partition("e")
    whole, _, part = digits.partition(".")
    return int((whole + part).ljust(int(exponent) + 1, "0")) if exponent else int(whole)


def language(text: str) -> str:
    if not text.strip("# "):
        return "un"
    return "en" if text.isascii() else "vi"


@dataclass(frozen=True)
class TikTokAnswers(Answers):
    world: TikTokWorld

    @property
    def site(self) -> str:
        """Origin and path of the stand-in for www.tiktok.com."""
        return f"{self.web}/tiktok"

    @property
    def days(self) -> float:
        return max(0.0, (self.site_now - self.world.first_day) / DAY)

    # --- media addresses ------------------------------------------------------------------------------------------------
    def clip_urls(self, video: Video, gear: Gear) -> list[str]:
        key = self.world.clip_key(video, gear)
        ends = f"{int(self.now) + self.media_seconds:x}"
        path = f"{self.signer.sign(key, ends)}/{ends}/video/tos/useast2a/tos-useast2a-ve-0068/{key}/"
        rate = gear.bits // 1024
        query = f"a=1233&bti=OUBzOTg7QGo6OjZAL3AjLTAzYCMxNDNg&ch=0&cr=13&dr=0&lr=all&cd=0%7C0%7C0%7C&cv=1&br={rate}&bt={rate}"
        return [f"{cdn}/{path}?{query}&ds=6&mime_type=video_mp4&l={self.log_id}" for cdn in self.cdns]

    def _signed(self, key: str, rest: str) -> list[str]:
        ends = (int(self.now) + min(PICTURE_SECONDS, self.media_seconds * 24)) // 60 * 60 + 60
        signature = quote(self.signer.sign(key, ends)[:27] + "=", safe="")
        return [f"{cdn}/{rest}?dr=14575&x-expires={ends}&x-signature={signature}&shp=d05b14bd" for cdn in self.cdns]

    def picture_urls(self, bucket: str, key: str, variants: tuple[str, ...]) -> list[str]:
        return [url for variant in variants for url in self._signed(key, f"{bucket}/{key}~{variant}")]

    def picture(self, bucket: str, key: str, variants: tuple[str, ...], width: int, height: int) -> Json:
        return {**super().picture(bucket, key, variants, width, height), "url_prefix": None}

    def avatar(self, author: Author, size: int) -> Json:
        key = token(self.world.seed, "avatar", author.index, length=32)
        suffix = "heic" if author.index % 3 == 0 else "jpeg"
        path = f"aweme/{size}x{size}/aweme-avatar/tos-cn-avt-0015_{key}.{suffix}"
        uri = f"tos-maliva-avt-0068/{key}"
        return {"uri": uri, "url_list": self._signed(key, path), "url_prefix": None, "width": 720, "height": 720}

    def sound_file(self, sound: Sound) -> Json:
        urls = self._signed(sound.key, f"obj/ies-music/{sound.key}.mp3")
        return {"uri": urls[0], "url_list": urls, "url_prefix": None, "width": 720, "height": 720, "url_key": sound.id}

    # --- people and sounds ----------------------------------------------------------------------------------------------
    def creator(self, author: Author) -> Creator:
        return self.world.creators[author.uid]

    def hearts(self, author: Author) -> int:
        return int(self.creator(author).followers(self.days) * 19.3)

    def author(self, author: Author) -> Json:
        creator = self.creator(author)
        sizes = {"avatar_thumb": 100, "avatar_168x168": 168, "avatar_300x300": 300, "avatar_medium": 720, "avatar_larger": 1080}
        return {
            "uid": author.uid,
            "sec_uid": author.sec_uid,
            "short_id": "0",
            "unique_id": creator.handle,
            "unique_id_modify_time": int(self.now),
            "nickname": author.name,
            "signature": author.bio,
            "region": "VN",
            "language": "vi",
            "follower_count": creator.followers(self.days),
            "following_count": author.followers % 700,
            "total_favorited": self.hearts(author),
            "aweme_count": len(self.world.by_creator(creator, self.site_now)),
            "favoriting_count": author.followers % 311,
            "verification_type": int(author.is_verified),
            "custom_verify": "Verified account" if author.is_verified else "",
            "enterprise_verify_reason": "",
            "secret": int(creator.state == "private"),
            "is_ad_fake": False,
            "status": 1,
            "room_id": 0,
            "cha_list": None,
            **{name: self.avatar(author, size) for name, size in sizes.items()},
        }

    def sound(self, sound: Sound) -> Json:
        covers = {"cover_large": 720, "cover_medium": 720, "cover_thumb": 100}
        owner = self.creator(sound.owner)
        return {
            "id": rounded(sound.id),
            "id_str": sound.id,
            "mid": sound.id,
            "title": sound.title,
            "author": sound.owner.name,
            "album": "" if sound.is_original else sound.title,
            "duration": sound.seconds,
            "shoot_duration": sound.seconds,
            "owner_id": sound.owner.uid,
            "owner_handle": owner.handle if sound.is_original else "",
            "owner_nickname": sound.owner.name if sound.is_original else "",
            "sec_uid": sound.owner.sec_uid,
            "is_original": sound.is_original,
            "is_original_sound": sound.is_original,
            "is_commerce_music": not sound.is_original,
            "user_count": 0,
            "status": 1,
            "play_url": self.sound_file(sound),
            **{name: self.avatar(sound.owner, size) for name, size in covers.items()},
        }

    def music_info(self, sound: Sound) -> Json:
        """A sound asked for by itself: only here its uses are counted."""
        created = int(sound.id) >> 32
        share = self.music_url(sound)
        return {
            **self.sound(sound),
            "user_count": self.world.uses(sound, self.site_now),
            "create_time": created,
            "share_info": {"share_url": share, "share_title": sound.title, "bool_persist": 0},
        }

    def music_url(self, sound: Sound) -> str:
        slug = "-".join(sound.title.replace("-", " ").split())
        return f"{self.site}/music/{quote(slug)}-{sound.id}"

    # --- the parts of a post --------------------------------------------------------------------------------------------
    def cover(self, video: Video) -> Json:
        """What phones are given: for most posts HEIC, with or without another kind beside it."""
        variants = {
            0: ("tplv-tiktokx-cropcenter:300:400.heic",),
            1: ("tplv-tiktokx-cropcenter:300:400.heic", "tplv-tiktokx-cropcenter:300:400.jpeg"),
            2: ("tplv-tiktokx-cropcenter:300:400.webp",),
            3: ("tplv-tiktokx-360p.jpeg",),
            4: ("tplv-tiktokx-360p.avif", "tplv-tiktokx-360p.image"),
        }[video.number % 5]
        return self.picture("tos-useast2a-p-0037", video.cover_key, variants, 720, 720)

    def clip(self, video: Video) -> Json:
        clip = super().clip(video)
        for rendition in clip["bit_rate"]:
            rendition["is_bytevc1"] = rendition.pop("is_h265")
            rendition["fps"] = rendition.pop("FPS")
        # The largest has no number of its own: `play_addr` is what phones start with.
        plain = {**clip.pop("play_addr_h264"), "url_prefix": None}
        marked = {"uri": video.uri, "url_list": plain["url_list"], "data_size": plain["data_size"], "width": 720, "height": 720}
        return {
            **clip,
            "origin_cover": self.cover(video),
            "dynamic_cover": self.cover(video),
            "ai_dynamic_cover": self.cover(video),
            "animated_cover": self.cover(video),
            "download_addr": marked,
            "download_no_watermark_addr": plain,
            "has_watermark": True,
            "is_bytevc1": 0,
            "need_set_token": False,
            "cdn_url_expired": 0,
            "tags": None,
        }

    def photo(self, video: Video, slide: Slide, position: int) -> Json:
        bucket = "tos-alisg-i-photomode-sg"
        kind = "heic" if (video.number + position) % 3 == 0 else "webp" if (video.number + position) % 3 == 1 else "jpeg"
        shown = (f"tplv-photomode-image-v1:q70.{kind}", "tplv-photomode-image-v1:q70.jpeg")
        marked = (f"tplv-photomode-water:{token(video.author.uid, length=12)}.jpeg",)

        def picture(variants: tuple[str, ...], size: int) -> Json:
            return {**self.picture(bucket, slide.key, variants, video.width, video.height), "data_size": size}

        return {
            "display_image": picture(shown, 60_000 + video.number % 9000),
            "thumbnail": picture(("tplv-photomode-tiktok-play:360:480.jpeg",), 0),
            "owner_watermark_image": picture(marked, 0),
            "user_watermark_image": picture(marked, 0),
            "bitrate_images": [],
            "ocr_language": "vi",
        }

    def image_post(self, video: Video) -> Json:
        images = [self.photo(video, slide, position) for position, slide in enumerate(video.slides)]
        return {"images": images, "image_post_cover": images[0], "title": video.title[1], "music_volume": 50.0}

    def album(self, video: Video) -> Json:
        cover = self.photo(video, video.slides[0], 0)["display_image"]
        return {
            **super().album(video),
            "width": 0,
            "height": 0,
            "ratio": "720p",
            "cover": cover,
            "origin_cover": cover,
            "dynamic_cover": cover,
            "download_addr": {"uri": "", "url_list": [], "width": 720, "height": 720, "url_prefix": None},
            "cdn_url_expired": 0,
            "tags": None,
        }

    def statistics(self, video: Video) -> Json:
        counts = video.growth.counts(self.site_now)
        return {
            "aweme_id": video.id,
            **counts,
            "download_count": counts["share_count"] // 9,
            "repost_count": counts["share_count"] // 31,
            "whatsapp_share_count": counts["share_count"] // 40,
            "forward_count": 0,
            "lose_count": 0,
            "lose_comment_count": 0,
        }

    def page_url(self, video: Video) -> str:
        kind = "photo" if video.is_carousel else "video"
        return f"{self.site}/@{self.creator(video.author).handle}/{kind}/{video.id}"

    def posted_at(self, video: Video) -> int:
        return int(self.clock.real(video.published_at))

    def aweme(self, video: Video, *, is_top: bool = False) -> Json:
        words = self.hashtags(video)
        url = self.page_url(video)
        created = self.posted_at(video)
        kind = (
            {"aweme_type": 150, "content_type": "multi_photo"}
            if video.is_carousel
            else {"aweme_type": 0, "content_type": "video"}
        )
        post: Json = {
            "aweme_id": video.id,
            "group_id": video.id,
            **kind,
            "desc": video.description,
            "desc_language": language(video.description),
            "content_desc": "",
            "create_time": created,
            "create_time_utc": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "region": "VN" if video.number % 3 else "US",
            "author": self.author(video.author),
            "author_user_id": rounded(video.author.uid),
            "music": self.sound(video.sound) if video.number % 29 != 4 else None,
            "video": self.album(video) if video.is_carousel else self.clip(video),
            "statistics": self.statistics(video),
            "status": {
                "aweme_id": video.id,
                "is_delete": video.is_deleted,
                "is_prohibited": False,
                "in_reviewing": False,
                "private_status": 0,
                "self_see": False,
                "allow_share": True,
                "allow_comment": True,
                "reviewed": 1,
                "download_status": 0,
                "review_result": {"review_status": 0},
            },
            "text_extra": words,
            "cha_list": [{"cid": hashtag_id(word["hashtag_name"]), "cha_name": word["hashtag_name"]} for word in words] or None,
            "is_top": int(is_top),
            "is_ads": video.is_ad,
            "is_ad": video.is_ad,
            "is_paid_partnership": False,
            "is_eligible_for_commission": False,
            "is_pgcshow": False,
            "image_infos": None,
            "long_video": None,
            "geofencing": None,
            "prevent_download": False,
            "share_url": f"{url}?_r=1&u_code=sample&share_item_id={video.id}&source=h5_m",
            "url": url,
            "shop_product_url": None,
        }
        if video.is_carousel:
            post["image_post_info"] = self.image_post(video)
        return post

    def trimmed(self, video: Video, *, is_top: bool = False) -> Json:
        post = self.aweme(video, is_top=is_top)
        return {name: post[name] for name in TRIMMED}

    def flat(self, video: Video) -> Json:
        """The shape of the top search alone: pictures are plain addresses."""
        post = self.aweme(video)
        photos = post.get("image_post_info", {}).get("images", [])
        names = ("desc", "content_type", "create_time", "create_time_utc", "desc_language", "region", "is_top", "statistics")
        more = ("video", "author", "music", "is_ad", "is_paid_partnership", "url", "shop_product_url")
        return {
            "id": video.id,
            **{name: post[name] for name in names + more},
            "images": [photo["display_image"]["url_list"][0] for photo in photos],
        }
