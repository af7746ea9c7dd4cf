"""The TikTok side of the world: its own creators, sounds and posts. Some clips are re-uploads of the other side's."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from sample_platform.growth import Growth
from sample_platform.tiktok_words import TIKTOK_NAMES, TIKTOK_SONGS, TIKTOK_TOPICS
from sample_platform.words import Topic
from sample_platform.world import DAY, HOUR, Author, Slide, Sound, Video, World, token

FIRST_NUMBER = 100_000
"""Posts are numbered from here, and people and sounds from `FIRST_INDEX`, so that no file of the other side is theirs."""
FIRST_INDEX = 1000
BIG = 3
"""How many creators post every day or so, for months, to a steadily growing audience."""
BIG_POSTS = 48
ROUND_POSTS = 150
"""Posts of everybody else together."""
UPCOMING = 12
CAROUSEL_IN = 5
"""One post in five is a carousel."""
HIDDEN_IN = 43
REUPLOAD_IN = 11


@dataclass
class Creator:
    """What a profile shows beside its posts. Switches change it while the site runs."""

    author: Author
    handle: str
    former: str = ""
    state: str = ""
    """"private", "deleted" or "empty"; nothing for an open profile."""
    weekly_growth: float = 0.02
    """Share by which the followers grow in a week."""
    pinned: tuple[str, ...] = ()

    def followers(self, days: float) -> int:
        return int(self.author.followers * (1 + self.weekly_growth) ** (days / 7))


STATES = {"quiet.account": "private", "nobody.yet": "empty", "gone.creator": "deleted"}
FORMER = {"nina.makes": "nina.old"}


@dataclass
class TikTokWorld(World):
    """Same seed and first day, same world. `size` is not used: it holds what its constants say."""

    other: World | None = None
    """Where the re-uploads come from."""
    creators: dict[str, Creator] = field(default_factory=dict)
    """By uid."""

    def __post_init__(self) -> None:
        self.authors = [self._author(FIRST_INDEX + place) for place in range(len(TIKTOK_NAMES))]
        self.sounds = [self._sound(FIRST_INDEX + place) for place in range(len(TIKTOK_SONGS))]
        for author in self.authors:
            state, former = STATES.get(author.handle, ""), FORMER.get(author.handle, "")
            chance = random.Random(f"{self.seed}/tiktok/growth/{author.index}")
            self.creators[author.uid] = Creator(author, author.handle, former, state, chance.uniform(0.002, 0.06))
        for place in range(BIG * BIG_POSTS + ROUND_POSTS + UPCOMING):
            video = self._video(FIRST_NUMBER + place, is_upcoming=place >= BIG * BIG_POSTS + ROUND_POSTS)
            self.videos[video.id] = video
        for creator in self.creators.values():
            self._pin(creator)

    def topic_named(self, words: str) -> Topic | None:
        wanted = words.strip().lower()
        return next((topic for topic in TIKTOK_TOPICS if wanted in {topic.name, topic.tags[0]}), None)

    # --- what is asked --------------------------------------------------------------------------------------------------
    def creator(self, *, handle: str = "", uid: str = "") -> Creator | None:
        """By the handle of today, by one of earlier, or by user id."""
        if uid:
            return self.creators.get(uid)
        wanted = handle.strip().lstrip("@").lower()
        people = self.creators.values()
        now = next((creator for creator in people if creator.handle == wanted), None)
        return now or next((creator for creator in people if wanted and creator.former == wanted), None)

    @staticmethod
    def short_code(video: Video) -> str:
        return "ZT" + token("short", video.id, length=7)

    def shared(self, url: str) -> Video | None:
        """The post behind a short link."""
        code = url.split("?")[0].rstrip("/").rpartition("/")[2]
        return next((video for video in self.videos.values() if self.short_code(video) == code), None)

    def is_open(self, video: Video) -> bool:
        return self.creators[video.author.uid].state == "" and not video.is_deleted

    def visible(self, now: float, videos: Iterable[Video] | None = None) -> list[Video]:
        """What anybody can see at `now`: published, not deleted, of open profiles."""
        return [
            video
            for video in (self.videos.values() if videos is None else videos)
            if video.published_at <= now and self.is_open(video)
        ]

    def by_creator(self, creator: Creator, now: float) -> list[Video]:
        """Newest first; nothing where the profile shows nothing."""
        return self.visible(now, self.posts(creator.author, now)) if not creator.state else []

    def tagged(self, tag: str, now: float) -> list[Video]:
        wanted = tag.lower()
        found = [video for video in self.visible(now) if wanted in (word.lower() for word in video.hashtags)]
        return sorted(found, key=lambda video: self._relevance(video, wanted))

    def with_sound(self, sound: Sound, now: float) -> list[Video]:
        """In the platform's own order, which is not by time."""
        found = [video for video in self.visible(now) if video.sound is sound]
        return sorted(found, key=lambda video: self._relevance(video, sound.id))

    def trending(self, now: float, most: int) -> list[Video]:
        return sorted(self.visible(now), key=lambda video: -video.growth.rate(now))[:most]

    def uses(self, sound: Sound, now: float) -> int:
        """How often a sound was used on the whole platform: more than the posts that anybody is shown."""
        days = max(0.0, (now - self.first_day) / DAY)
        chance = random.Random(f"{self.seed}/tiktok/uses/{sound.index}")
        listed = sum(video.sound is sound and video.published_at <= now for video in self.videos.values())
        return int(listed * chance.uniform(15, 400) * (1 + chance.uniform(0.01, 0.2)) ** days)

    # --- how it is made -------------------------------------------------------------------------------------------------
    def _author(self, index: int) -> Author:
        chance = random.Random(f"{self.seed}/tiktok/author/{index}")
        place = index - FIRST_INDEX
        name, handle = TIKTOK_NAMES[place]
        topic = TIKTOK_TOPICS[place % len(TIKTOK_TOPICS)]
        joined = int(1.5e9 + chance.random() * 2e8)
        big = place < BIG
        return Author(
            index=index,
            uid=str(joined << 32 | chance.getrandbits(32)),
            sec_uid="MS4wLjABAAAA" + token(self.seed, "tiktok", "author", index, length=64),
            name=name,
            handle=handle,
            short_id="",
            bio=f"{topic.tails[place % len(topic.tails)]} · #{topic.tags[1]}",
            followers=int(chance.uniform(4e5, 5e6)) if big else int(chance.lognormvariate(9.5, 1.6)) + 40,
            is_verified=big or chance.random() < 0.1,
        )

    def _sound(self, index: int) -> Sound:
        chance = random.Random(f"{self.seed}/tiktok/sound/{index}")
        place = index - FIRST_INDEX
        owner = self.authors[place * 5 % 24]
        is_original = place % 4 == 3
        return Sound(
            index=index,
            id=str((7_100_000_000 + place * 8_234_567) << 30 | chance.getrandbits(30)),
            title=f"original sound - {owner.name}" if is_original else TIKTOK_SONGS[place],
            owner=owner,
            seconds=chance.randrange(9, 61),
            is_original=is_original,
            key=token(self.seed, "tiktok", "sound", index, length=19),
        )

    def _video(self, number: int, *, is_upcoming: bool) -> Video:
        place = number - FIRST_NUMBER
        chance = random.Random(f"{self.seed}/tiktok/video/{number}")
        author, topic, published_at = self._who_and_when(place, chance, is_upcoming=is_upcoming)
        reupload = self._original(place, chance) if place % REUPLOAD_IN == 7 else None
        is_carousel = place % CAROUSEL_IN == 2 and not reupload
        if reupload:
            topic = reupload.topic
        title, hero = self._words(topic, place, is_carousel=is_carousel)
        looks = random.Random(f"{self.seed}/tiktok/look/{number}")
        width, height = self._shape(looks, is_carousel, True)
        seconds = looks.randrange(60, 132) / 12
        tags = self._tags(self._own_topic(topic), chance)
        words = title[place % 2], self._own_topic(topic).tails[chance.randrange(5)]
        slides = self._pages(place, self._slides(number, topic, title, looks)) if is_carousel else ()
        return Video(
            number=number,
            id=str(int(published_at) << 32 | chance.getrandbits(32)),
            topic=topic,
            author=author,
            sound=self._pick_sound(chance),
            title=reupload.title if reupload else title,
            hero=reupload.hero if reupload else hero,
            description="" if place % 61 == 11 else f"{words[0]}, {words[1]} " + " ".join(f"#{tag}" for tag in tags),
            hashtags=() if place % 61 == 11 else tags,
            published_at=published_at,
            growth=self._tiktok_growth(place, number, published_at, author),
            shows_views=True,
            width=reupload.width if reupload else width,
            height=reupload.height if reupload else height,
            seconds=reupload.seconds if reupload else seconds,
            uri="v12044gd0000" + token(self.seed, "tiktok", "uri", number, length=20).lower(),
            art=reupload.art if reupload else number,
            cover_key=token(self.seed, "tiktok", "cover", number, length=38),
            gears=reupload.gears if reupload else () if is_carousel else self._gears(looks, seconds),
            slides=slides,
            is_deleted=place % HIDDEN_IN == 29,
            is_ad=place % 37 == 18,
        )

    def _who_and_when(self, place: int, chance: random.Random, *, is_upcoming: bool) -> tuple[Author, Topic, float]:
        people = [author for author in self.authors if STATES.get(author.handle) != "empty"]
        if is_upcoming:
            author = self.authors[place % 24]
            published_at = self.first_day + chance.uniform(0.2, 36) * HOUR
        elif place < BIG * BIG_POSTS:  # about one a day and a half, back from today
            author = self.authors[place % BIG]
            published_at = self.first_day - (place // BIG * 1.4 + chance.uniform(0.1, 1.2)) * DAY
        else:
            author = people[(place * 7) % len(people)]
            published_at = self.first_day - (chance.random() ** 1.8 * 30 * DAY + chance.uniform(0.2, 3) * HOUR)
        return author, TIKTOK_TOPICS[(author.index - FIRST_INDEX) % len(TIKTOK_TOPICS)], published_at

    def _original(self, place: int, chance: random.Random) -> Video | None:
        """A clip of the other side that this one shows again, byte for byte."""
        clips = [video for video in self.other.videos.values() if video.gears] if self.other else []
        old = [video for video in clips if video.published_at < self.first_day and not video.is_deleted]
        return chance.choice(old) if old else None

    @staticmethod
    def _own_topic(topic: Topic) -> Topic:
        """This side's words for what a re-upload shows."""
        return next(own for own in TIKTOK_TOPICS if own.slug == topic.slug)

    @staticmethod
    def _pages(place: int, slides: tuple[Slide, ...]) -> tuple[Slide, ...]:
        """The slides after the first, in the order of languages that the first has."""
        if place % 2:
            return slides
        return (slides[0], *(replace(slide, chinese=slide.english, english=slide.chinese) for slide in slides[1:]))

    def _words(self, topic: Topic, place: int, *, is_carousel: bool) -> tuple[tuple[str, str], str]:
        own = self._own_topic(topic)
        if is_carousel:
            return self._turned(own.guides[place // CAROUSEL_IN % len(own.guides)], place), ""
        first, second, hero = own.titles[place // BIG * 5 % len(own.titles)]
        return self._turned((first, second), place), hero

    @staticmethod
    def _turned(words: tuple[str, str], place: int) -> tuple[str, str]:
        """Half of the posts are English first."""
        return words if place % 2 else (words[1], words[0])

    def _pick_sound(self, chance: random.Random) -> Sound:
        """Few sounds carry most posts."""
        weights = [1 / (rank + 1) for rank in range(len(self.sounds))]
        return chance.choices(self.sounds, weights)[0]

    def _tiktok_growth(self, place: int, number: int, published_at: float, author: Author) -> Growth:
        growth = self._growth(number, published_at)
        if place < BIG * BIG_POSTS:  # a faithful audience: most posts do alike, one in sixteen far better
            chance = random.Random(f"{self.seed}/tiktok/steady/{number}")
            lucky = 12 if place % 16 == 5 else 1
            growth.audience = author.followers * chance.uniform(0.12, 0.3) * lucky
        growth.ratios["digg_count"] *= 1.6
        growth.quirks = ()
        return growth

    def _pin(self, creator: Creator) -> None:
        """The largest of the older posts stand on top of the profile, whatever their date."""
        if creator.author.index - FIRST_INDEX < 8:
            own = self.by_creator(creator, self.first_day)[5:]
            best = sorted(own, key=lambda video: -video.growth.audience)[:2]
            creator.pinned = tuple(video.id for video in best)
