"""What Douyin's pages load beside their posts: the person of a profile, a sound, the hot list. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crawler.cleaning import clean_count, clean_id
from crawler.providers.aweme import as_list, as_mapping, as_text, handle_of, pictures, sec_uid_of, sound_of, urls_of
from crawler.providers.base import AuthorData, HotWord, SoundData
from crawler.providers.douyin_parser import unwrap
from crawler.providers.errors import Changed, Gone

MOST_WORDS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Whose or what page it is, by the page's own data."""

    author: AuthorData | None = None
    sound: SoundData | None = None
    is_private: bool = False


def person_of(body: Mapping[str, Any], base_url: str) -> About:
    """Of /user/profile/other/. Raises Gone for nobody, and for somebody who has closed the account."""
    user = as_mapping(body.get("user"))
    if not user:
        if "user" not in body:
            raise Changed("The platform's answer about a profile has another shape than before.")
        raise Gone("There is no such profile any more.")
    if user.get("user_canceled"):
        raise Gone("The person has closed the account.")
    author = author_of(user, base_url)
    if author is None:
        raise Gone("There is no such profile any more.")
    return About(author=author, is_private=bool(user.get("secret")))


def author_of(user: Mapping[str, Any], base_url: str) -> AuthorData | None:
    """A person with the counters that only a profile shows; here 0 is 0."""
    external_id = clean_id(user.get("uid"))
    if external_id in ("", "0"):
        return None
    sec_uid = sec_uid_of(user.get("sec_uid"))
    avatars = [
        url
        for key in ("avatar_medium", "avatar_300x300", "avatar_larger", "avatar_168x168", "avatar_thumb")
        for url in urls_of(as_mapping(user.get(key)))
    ]
    return AuthorData(
        external_id=external_id,
        handle=as_text(user.get("unique_id")) or handle_of(user.get("short_id")),
        name=as_text(user.get("nickname")),
        url=f"{base_url}/user/{sec_uid}" if sec_uid else "",
        avatar_url=next(iter(pictures(avatars)), ""),
        bio=as_text(user.get("signature")),
        followers=clean_count(user.get("follower_count"))[0],  # mplatform_… adds those of the house's other apps
        following=clean_count(user.get("following_count"))[0],
        likes=clean_count(user.get("total_favorited"))[0],
        videos=clean_count(user.get("aweme_count"))[0],
        is_verified=bool(as_text(user.get("custom_verify")) or as_text(user.get("enterprise_verify_reason"))),
    )


def sound_facts(body: Mapping[str, Any], base_url: str) -> About:
    """Of /music/detail/. Raises Gone when there is no such sound."""
    if "music_info" not in body:
        raise Changed("The platform's answer about a sound has another shape than before.")
    sound = sound_of(as_mapping(body["music_info"]), base_url)
    if sound is None:
        raise Gone("There is no such sound any more.")
    return About(sound=sound)


def sounds_in(body: Any, base_url: str = "https://www.douyin.com") -> list[SoundData]:
    """The sounds that a search for music lists."""
    listed = map(as_mapping, as_list(as_mapping(unwrap(body)).get("music")))
    return [sound for music in listed if (sound := sound_of(music, base_url))]


def hot_words(body: Any) -> tuple[HotWord, ...]:
    """The hot list in its order. Words without a place of their own (rising ones, advertisements) are left out."""
    answer = as_mapping(unwrap(body))
    inner = as_mapping(answer.get("data")) or answer
    words: dict[str, HotWord] = {}
    for entry in map(as_mapping, as_list(inner.get("word_list"))[:MOST_WORDS]):
        word = as_text(entry.get("word")).strip()
        position = clean_count(entry.get("position"))[0]
        if word and position and not entry.get("is_ads"):
            heat = clean_count(entry.get("hot_value"))[0]
            found = HotWord(word=word, position=position, heat=heat, external_id=clean_id(entry.get("sentence_id")))
            words.setdefault(word, found)
    return tuple(sorted(words.values(), key=lambda hot: hot.position))
