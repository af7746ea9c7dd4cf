"""What TikTok's pages hold: camelCase, counts twice (rounded numbers, exact texts), links that need the page's cookie."""

from typing import Any

from sample_platform.answers import Json
from sample_platform.cdn import CHAIN
from sample_platform.tiktok_answers import TikTokAnswers, language
from sample_platform.tiktok_world import Creator
from sample_platform.world import Author, Gear, Sound, Video


def web_user(answers: TikTokAnswers, author: Author) -> Json:
    creator = answers.creator(author)
    sizes = {"avatarThumb": 100, "avatarMedium": 720, "avatarLarger": 1080}
    return {
        "id": author.uid,
        "shortId": "",
        "uniqueId": creator.handle,
        "nickname": author.name,
        "signature": author.bio,
        "createTime": int(author.uid) >> 32,
        "verified": author.is_verified,
        "secUid": author.sec_uid,
        "privateAccount": creator.state == "private",
        "secret": creator.state == "private",
        "isADVirtual": False,
        "roomId": "",
        "uniqueIdModifyTime": 0,
        "ttSeller": False,
        "commerceUserInfo": {"commerceUser": False},
        "language": "vi",
        **{name: answers.avatar(author, size)["url_list"][0] for name, size in sizes.items()},
    }


def web_stats(answers: TikTokAnswers, author: Author) -> Json:
    """Large numbers are rounded, as people are shown them."""
    creator = answers.creator(author)
    hearts = about(answers.hearts(author))
    return {
        "followerCount": about(creator.followers(answers.days)),
        "followingCount": author.followers % 700,
        "heart": hearts,
        "heartCount": hearts,
        "videoCount": len(answers.world.by_creator(creator, answers.site_now)),
        "diggCount": 0,
        "friendCount": author.followers % 60,
    }


def web_profile(answers: TikTokAnswers, creator: Creator) -> Json:
    return {"user": web_user(answers, creator.author), "stats": web_stats(answers, creator.author), "itemList": []}


def about(number: int) -> int:
    """2414227 becomes 2400000: the first two digits, from ten thousand on."""
    cut = 10 ** max(0, len(str(abs(number))) - 2)
    return number if abs(number) < 10_000 else number // cut * cut


def item_struct(answers: TikTokAnswers, video: Video) -> Json:
    counts = video.growth.counts(answers.site_now)
    names = {
        "diggCount": "digg_count",
        "shareCount": "share_count",
        "commentCount": "comment_count",
        "playCount": "play_count",
        "collectCount": "collect_count",
    }
    rounded: Json = {name: about(counts[own]) for name, own in names.items()}
    rounded["collectCount"] = str(rounded["collectCount"])
    exact = {name: str(counts[own]) for name, own in names.items()} | {"repostCount": str(counts["share_count"] // 31)}
    words = answers.hashtags(video)
    tags = [
        {
            "hashtagName": word["hashtag_name"],
            "hashtagId": word["hashtag_id"],
            "type": 1,
            "start": word["start"],
            "end": word["end"],
            "isCommerce": False,
        }
        for word in words
    ]
    stats = web_stats(answers, video.author)
    item: Json = {
        "id": video.id,
        "desc": video.description,
        "createTime": str(answers.posted_at(video)),
        "scheduleTime": 0,
        "author": web_user(answers, video.author),
        "authorStats": stats,
        "authorStatsV2": {name: str(value) for name, value in stats.items()},
        "music": web_music(answers, video.sound),
        "challenges": [{"id": tag["hashtagId"], "title": tag["hashtagName"], "desc": ""} for tag in tags],
        "stats": rounded,
        "statsV2": exact,
        "textExtra": tags,
        "contents": [{"desc": video.description, "textExtra": tags}],
        "textLanguage": language(video.description),
        "locationCreated": "VN",
        "video": web_video(answers, video),
        "isAd": video.is_ad,
        "privateItem": False,
        "secret": False,
        "forFriend": False,
        "takeDown": 0,
        "isReviewing": False,
        "IsAigc": False,
        "indexEnabled": True,
        "duetEnabled": True,
        "stitchEnabled": True,
        "itemCommentStatus": 0,
        "diversificationLabels": [],
        "CategoryType": 100,
    }
    if video.is_carousel:
        images = [web_image(answers, video, position) for position in range(len(video.slides))]
        item["imagePost"] = {"images": images, "cover": images[0], "shareCover": images[0], "title": video.title[1]}
    return item


def web_image(answers: TikTokAnswers, video: Video, position: int) -> Json:
    photo = answers.photo(video, video.slides[position], position)["display_image"]
    return {"imageURL": {"urlList": photo["url_list"]}, "imageWidth": photo["width"], "imageHeight": photo["height"]}


def web_music(answers: TikTokAnswers, sound: Sound) -> Json:
    covers = {"coverThumb": 100, "coverMedium": 720, "coverLarge": 720}
    return {
        "id": sound.id,
        "title": sound.title,
        "playUrl": answers.sound_file(sound)["url_list"][0],
        "authorName": sound.owner.name,
        "original": sound.is_original,
        "duration": sound.seconds,
        "album": "" if sound.is_original else sound.title,
        "private": False,
        "isCopyrighted": False,
        **{name: answers.avatar(sound.owner, size)["url_list"][0] for name, size in covers.items()},
    }


def page_links(answers: TikTokAnswers, video: Video, gear: Gear) -> list[str]:
    """Links that work together with the cookie of the page that showed them: of the page's own host, then."""
    host = answers.web.rpartition(":")[0]
    return [f"{url}&tk={CHAIN}" for url in answers.clip_urls(video, gear) if url.startswith(host)]


def web_video(answers: TikTokAnswers, video: Video) -> Json:
    covers = answers.cover(video)["url_list"]
    picture = {"cover": covers[0], "originCover": covers[-1], "dynamicCover": covers[0], "shareCover": [""], "reflowCover": ""}
    if video.is_carousel:
        # What would be the clip's address is empty: the sound is in `music`.
        none = {"height": 0, "width": 0, "duration": 0, "ratio": "", "playAddr": "", "downloadAddr": ""}
        return {"id": video.id, **none, **picture, "zoomCover": {}, "bitrateInfo": []}
    best = next(gear for gear in video.gears if gear.codec == "h264")
    width, height = video.size(best)
    links = page_links(answers, video, best)
    return {
        "id": video.id,
        "height": height,
        "width": width,
        "duration": round(video.seconds),
        "ratio": f"{best.short_side}p",
        **picture,
        "playAddr": links[0],
        "downloadAddr": links[0],
        "bitrate": best.bits,
        "encodedType": "normal",
        "format": "mp4",
        "videoQuality": "normal",
        "codecType": "h264",
        "definition": f"{best.short_side}p",
        "size": str(video.bytes(best)),
        "subtitleInfos": [],
        "zoomCover": {str(size): covers[0] for size in (240, 480, 720, 960)},
        "bitrateInfo": [bitrate_info(answers, video, gear) for gear in video.gears],
        "videoID": video.uri,
    }


def bitrate_info(answers: TikTokAnswers, video: Video, gear: Gear) -> dict[str, Any]:
    width, height = video.size(gear)
    size = video.bytes(gear)
    address = {
        "Uri": video.uri,
        "UrlList": page_links(answers, video, gear),
        "UrlKey": f"{video.uri}_{gear.codec}_{gear.short_side}p_{gear.bits}",
        "DataSize": size if gear.short_side == 540 else str(size),
        "Width": width,
        "Height": height,
    }
    codec = "h265_hvc1" if gear.codec == "h265" else "h264"
    return {
        "Bitrate": gear.bits,
        "QualityType": gear.quality_type,
        "GearName": gear.name,
        "CodecType": codec,
        "Format": "mp4",
        "PlayAddr": address,
    }
