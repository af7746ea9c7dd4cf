"""What a sound scraper leaves in its dataset: posts in the clockworks shape, and rows that are no posts."""

import re
from datetime import UTC, datetime

from sample_platform.answers import Json
from sample_platform.tiktok_answers import TikTokAnswers, language
from sample_platform.tiktok_web import about
from sample_platform.world import Sound, Video

ERROR_EVERY = 17
EMPTY_ROW_AT = 9


def rows(answers: TikTokAnswers, musics: list[str], most: int) -> list[Json]:
    """Up to `most` posts of each sound in the platform's own order; what cannot be read is a row that says so."""
    found: list[Json] = []
    for music in musics:
        sound = sound_of(answers, music)
        if sound is None:
            found.append({"url": music, "input": music, "error": "Music not found or not available", "errorCode": "NOT_FOUND"})
            continue
        videos = answers.world.with_sound(sound, answers.site_now)[:most]
        found += [item(answers, video, sound, music) for video in videos]
        for place in range(ERROR_EVERY, len(videos), ERROR_EVERY):
            url = f"{answers.site}/@somebody/video/{int(videos[place].id) + 1}"
            error = {
                "url": url,
                "input": music,
                "error": "Post not found or private",
                "#debug": {"requestId": "s4mpl3", "retryCount": 3},
            }
            found.insert(place, error)
        if len(videos) > EMPTY_ROW_AT:
            found.insert(EMPTY_ROW_AT, {})
            found.append(item(answers, videos[0], sound, music))  # platforms repeat themselves, and scrapers with them
    return found


def sound_of(answers: TikTokAnswers, music: str) -> Sound | None:
    match = re.fullmatch(r"(?:https?://[^/\s]+/(?:tiktok/)?music/\S*?-?)?(\d{1,20})(?:[/?#]\S*)?", music.strip())
    return next((sound for sound in answers.world.sounds if match and sound.id == match[1]), None)


def item(answers: TikTokAnswers, video: Video, sound: Sound, music: str) -> Json:
    created = answers.posted_at(video)
    counts = video.growth.counts(answers.site_now)
    entry: Json = {
        "id": video.id,
        "text": video.description,
        "textLanguage": language(video.description),
        "createTime": created,
        "createTimeISO": datetime.fromtimestamp(created, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "isAd": video.is_ad,
        "authorMeta": author_meta(answers, video),
        "musicMeta": music_meta(answers, video, sound),
        "webVideoUrl": answers.page_url(video).replace("/photo/", "/video/"),
        "mediaUrls": [],
        "videoMeta": video_meta(answers, video),
        "diggCount": counts["digg_count"],
        "shareCount": counts["share_count"],
        "playCount": counts["play_count"],
        "commentCount": counts["comment_count"],
        "mentions": [],
        "detailedMentions": [],
        "hashtags": [{"name": tag} for tag in video.hashtags],
        "effectStickers": [],
        "isSlideshow": video.is_carousel,
        "isPinned": False,
        "isSponsored": False,
        "searchMusic": {"musicTag": f"{sound.title}-{sound.id}", "videos": answers.world.uses(sound, answers.site_now)},
        "input": music,
    }
    if video.number % 6:  # optional: some items come without
        entry["collectCount"] = counts["collect_count"]
    if video.number % 4 == 0:
        entry["locationCreated"] = "VN"
    if video.is_carousel:
        links = [answers.photo(video, slide, place)["display_image"]["url_list"][0] for place, slide in enumerate(video.slides)]
        entry["slideshowImageLinks"] = [{"tiktokLink": link, "downloadLink": link} for link in links]
    return entry


def author_meta(answers: TikTokAnswers, video: Video) -> Json:
    author = video.author
    creator = answers.creator(author)
    avatar = answers.avatar(author, 720)["url_list"][0]
    return {
        "id": author.uid,
        "name": creator.handle,
        "profileUrl": f"{answers.site}/@{creator.handle}",
        "nickName": author.name,
        "verified": author.is_verified,
        "signature": author.bio,
        "bioLink": None,
        "originalAvatarUrl": avatar,
        "avatar": avatar,
        "commerceUserInfo": {"commerceUser": False},
        "privateAccount": False,
        "roomId": "",
        "ttSeller": False,
        "following": 0,
        "friends": 0,
        "fans": about(creator.followers(answers.days)),
        "heart": about(answers.hearts(author)),
        "video": len(answers.world.by_creator(creator, answers.site_now)),
        "digg": 0,
    }


def music_meta(answers: TikTokAnswers, video: Video, sound: Sound) -> Json:
    if video.is_carousel:  # as captured: of a slideshow's sound it knows the name alone
        return {
            "musicName": sound.title,
            "musicOriginal": False,
            "coverMediumUrl": "",
            "originalCoverMediumUrl": "",
            "musicId": "0",
        }
    cover = answers.avatar(sound.owner, 720)["url_list"][0]
    return {
        "musicName": sound.title,
        "musicAuthor": sound.owner.name,
        "musicOriginal": sound.is_original,
        "playUrl": answers.sound_file(sound)["url_list"][0],
        "coverMediumUrl": cover,
        "originalCoverMediumUrl": cover,
        "musicId": sound.id,
    }


def video_meta(answers: TikTokAnswers, video: Video) -> Json:
    cover = answers.cover(video)["url_list"][0]
    if video.is_carousel:
        return {"height": 0, "width": 0, "duration": 0, "coverUrl": cover, "originalCoverUrl": cover}
    best = next(gear for gear in video.gears if gear.codec == "h264")
    width, height = video.size(best)
    return {
        "height": height,
        "width": width,
        "duration": round(video.seconds),
        "coverUrl": cover,
        "originalCoverUrl": cover,
        "definition": f"{best.short_side}p",
        "format": "mp4",
        "subtitleLinks": [],
    }
