"""Who and what the site holds. The same seed, size and first day give the same world, down to every number."""

import base64
import hashlib
import math
import random
import re
from dataclasses import dataclass, field
from functools import cached_property

from sample_platform.growth import Growth, Quirk, Wave
from sample_platform.words import NAMES, SONGS, TOPICS, Topic

DAY = 86400.0
HOUR = 3600.0
HALF_AN_HOUR = HOUR / 2
CAROUSEL_EVERY = 9
"""One entry in nine of a topic is a carousel, so 360 entries hold 40 of them."""

MOST_BEFORE_SURGE = 150_000
"""Views that a video gathers in the end without its planned surge: it is not among the top already."""
USUAL_LIKES = 0.05
"""Per view. A surge of a video that is liked less brings more views, so that its likes show it too."""


@dataclass(frozen=True)
class Gear:
    """One rendition of a clip. `bits` is the declared bit rate; the file is made to fit it exactly."""

    name: str
    short_side: int
    bits: int
    quality_type: int
    codec: str = "h264"


GEARS = (
    Gear("normal_1080_0", 1080, 3_200_000, 1),
    Gear("normal_720_0", 720, 1_800_000, 10),
    Gear("normal_540_0", 540, 1_100_000, 20),
    Gear("adapt_lowest_720_1", 720, 700_000, 15, "h265"),
)


@dataclass(frozen=True)
class Author:
    index: int
    uid: str
    sec_uid: str
    name: str
    handle: str
    short_id: str
    bio: str
    followers: int
    is_verified: bool


@dataclass(frozen=True)
class Sound:
    index: int
    id: str
    title: str
    owner: Author
    seconds: int
    is_original: bool
    key: str


@dataclass(frozen=True)
class Slide:
    chinese: str
    english: str
    key: str


@dataclass(frozen=True)
class Video:
    number: int
    id: str
    topic: Topic
    author: Author
    sound: Sound
    title: tuple[str, str]
    hero: str
    """The drawing that goes with the title; empty for any."""
    description: str
    hashtags: tuple[str, ...]
    published_at: float
    growth: Growth
    shows_views: bool
    width: int
    height: int
    seconds: float
    uri: str
    art: int
    """Seeds the drawing; a repost has the art, and so the bytes, of another video."""
    cover_key: str
    gears: tuple[Gear, ...] = ()
    slides: tuple[Slide, ...] = ()
    is_deleted: bool = False
    is_ad: bool = False

    @property
    def is_carousel(self) -> bool:
        return bool(self.slides)

    @property
    def duration_ms(self) -> int:
        return 0 if self.is_carousel else int(self.seconds * 1000)

    def size(self, gear: Gear) -> tuple[int, int]:
        """Pixels of one rendition, even numbers, the aspect kept."""
        scale = gear.short_side / min(self.width, self.height)
        return round(self.width * scale / 2) * 2, round(self.height * scale / 2) * 2

    def bytes(self, gear: Gear) -> int:
        return int(self.seconds * gear.bits / 8)


def token(*parts: object, length: int) -> str:
    """A stable word that looks like the platform's own keys."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=48).digest()
    return base64.urlsafe_b64encode(digest).decode().replace("-", "A").replace("_", "z")[:length]


@dataclass
class World:
    seed: int
    first_day: float
    """Real time of the first start; posts span the ten days before it and the day and a half after."""
    size: int = 360
    authors: list[Author] = field(default_factory=list)
    sounds: list[Sound] = field(default_factory=list)
    videos: dict[str, Video] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.authors = [self._author(index) for index in range(len(NAMES))]
        self.sounds = [self._sound(index) for index in range(len(SONGS))]
        upcoming = self.size // 15
        for number in range(self.size + upcoming):
            video = self._video(number, is_upcoming=number >= self.size)
            self.videos[video.id] = video

    @cached_property
    def by_uri(self) -> dict[str, Video]:
        return {video.uri: video for video in self.videos.values()}

    @cached_property
    def by_key(self) -> dict[str, tuple[Video, Gear]]:
        """CDN path keys of renditions."""
        return {self.clip_key(video, gear): (video, gear) for video in self.videos.values() for gear in video.gears}

    @cached_property
    def by_picture(self) -> dict[str, tuple[Video, int]]:
        """CDN path keys of pictures: the slide's position, or -1 for the cover."""
        covers = {video.cover_key: (video, -1) for video in self.videos.values()}
        slides = {slide.key: (video, position) for video in self.videos.values() for position, slide in enumerate(video.slides)}
        return covers | slides

    def clip_key(self, video: Video, gear: Gear) -> str:
        return token(self.seed, "clip", video.id, gear.name, length=38)

    def topic_named(self, words: str) -> Topic | None:
        wanted = words.strip().lower()
        return next((topic for topic in TOPICS if topic.name.lower() == wanted), None)

    def search(self, words: str, now: float) -> list[Video]:
        """Published videos for a topic, a hashtag or words of a description, most relevant first."""
        wanted = words.strip().lower().lstrip("#")
        if not wanted:
            return []
        topic = self.topic_named(wanted)
        found = [
            video
            for video in self.videos.values()
            if video.published_at <= now and (video.topic is topic or self._mentions(video, wanted))
        ]
        # Relevance is fixed per word: a page that is asked for later continues the same order.
        return sorted(found, key=lambda video: (video.topic is not topic, self._relevance(video, wanted)))

    @staticmethod
    def _mentions(video: Video, wanted: str) -> bool:
        fields = (video.description, *video.title, video.author.name, *video.hashtags)
        return any(wanted in text.lower() for text in fields)

    def _relevance(self, video: Video, wanted: str) -> float:
        chance = random.Random(f"{self.seed}/{wanted}/{video.number}").random()
        return chance * 3 - math.pow(video.growth.audience, 0.15)

    def posts(self, author: Author, now: float) -> list[Video]:
        own = [video for video in self.videos.values() if video.author == author and video.published_at <= now]
        return sorted(own, key=lambda video: -video.published_at)

    def _author(self, index: int) -> Author:
        chance = random.Random(f"{self.seed}/author/{index}")
        name, handle = NAMES[index]
        topic = TOPICS[index % len(TOPICS)]
        bio = f"{topic.tags[0]} · {topic.tags[1]}\n{chance.choice(topic.tails)}"
        return Author(
            index=index,
            uid=str(chance.randrange(10**11, 10**16)),
            sec_uid="MS4wLjABAAAA" + token(self.seed, "author", index, length=43),
            name=name,
            handle=handle if index % 5 else "",  # some people never chose a handle; the site then shows short_id
            short_id=str(chance.randrange(10**8, 10**11)),
            bio=bio,
            followers=int(chance.lognormvariate(10.5, 1.8)),
            is_verified=chance.random() < 0.15,
        )

    def _sound(self, index: int) -> Sound:
        chance = random.Random(f"{self.seed}/sound/{index}")
        owner = self.authors[(index * 7) % len(self.authors)]
        is_original = index % 3 == 2
        return Sound(
            index=index,
            id=str((7_300_000_000 + index * 1_234_567) << 20 | chance.getrandbits(20)).zfill(19),
            title=f"@{owner.name}创作的原声" if is_original else SONGS[index],
            owner=owner,
            seconds=chance.randrange(9, 31),
            is_original=is_original,
            key=token(self.seed, "sound", index, length=19),
        )

    def _video(self, number: int, *, is_upcoming: bool) -> Video:
        chance = random.Random(f"{self.seed}/video/{number}")
        topic = TOPICS[number % len(TOPICS)]
        place = number // len(TOPICS)
        is_carousel = place % CAROUSEL_EVERY == 4 and not is_upcoming
        published_at = self._published(chance, is_upcoming)
        # Two places back is never a carousel nor a repost itself.
        is_repost = place % 15 == 14 and number % len(TOPICS) in {1, 4, 6} and not is_carousel
        original = number - 2 * len(TOPICS) if is_repost else number
        looks = random.Random(f"{self.seed}/look/{original}")
        is_popular = self._growth(original, published_at).audience > 40_000
        width, height = self._shape(looks, is_carousel, is_popular)
        seconds = looks.randrange(36, 96) / 12
        if original % 97 == 41:
            seconds = 96.0
        *title, hero = self._title(topic, original // len(TOPICS), is_carousel)
        id_ = str(int(published_at) << 32 | chance.getrandbits(32))
        tags = self._tags(topic, chance)
        description = f"{title[0]} {chance.choice(topic.tails)} " + "".join(f"#{tag} " for tag in tags)
        if topic.name.isascii():
            description = f"{title[1]} · {description}"
        odd = odd_description(number, self.size)
        description = description.strip() if odd is None else odd
        if odd is not None:
            tags = tuple(re.findall(r"#(\S+)", odd))
        topic_authors = [author for author in self.authors if author.index % len(TOPICS) == number % len(TOPICS)]
        author = chance.choice(topic_authors if chance.random() < 0.8 else self.authors)
        return Video(
            number=number,
            id=id_,
            topic=topic,
            author=author,
            sound=looks.choice(self.sounds),
            title=(title[0], title[1]),
            hero=hero,
            description=description,
            hashtags=tags,
            published_at=published_at,
            growth=self._growth(number, published_at),
            shows_views=chance.random() < 0.5,
            width=width,
            height=height,
            seconds=seconds,
            uri="v0d00fg10000" + token(self.seed, "uri", number, length=20).lower(),
            art=original,
            cover_key=token(self.seed, "cover", number, length=38),
            gears=() if is_carousel else self._gears(looks, seconds),
            slides=self._slides(number, topic, (title[0], title[1]), looks) if is_carousel else (),
            is_deleted=number % 53 == 29 and not _surges(number),
            is_ad=number % 71 == 33 and not _surges(number),
        )

    def _published(self, chance: random.Random, is_upcoming: bool) -> float:
        if is_upcoming:
            return self.first_day + chance.uniform(0.2, 36) * HOUR
        return self.first_day - (math.pow(chance.random(), 1.6) * 10 * DAY + chance.uniform(0.1, 2) * HOUR)

    @staticmethod
    def _shape(looks: random.Random, is_carousel: bool, is_popular: bool) -> tuple[int, int]:
        """What is watched most is upright, as phones are."""
        if is_carousel:
            return 1080, 1440
        shape = looks.choices([(1080, 1920), (1080, 1440), (1080, 1080), (1920, 1080)], [76, 10, 6, 8])[0]
        return (1080, 1920) if is_popular else shape

    @staticmethod
    def _gears(looks: random.Random, seconds: float) -> tuple[Gear, ...]:
        if seconds > 30:
            return GEARS[1:3]  # long clips come without the largest size
        best = looks.choices([0, 1, 2], [70, 20, 10])[0]
        with_h265 = looks.random() < 0.25
        return tuple(gear for gear in GEARS[best:] if gear.codec == "h264" or with_h265)

    @staticmethod
    def _title(topic: Topic, place: int, is_carousel: bool) -> tuple[str, str, str]:
        if is_carousel:
            return (*topic.guides[place // CAROUSEL_EVERY % len(topic.guides)], "")
        return topic.titles[place * 5 % len(topic.titles)]

    @staticmethod
    def _tags(topic: Topic, chance: random.Random) -> tuple[str, ...]:
        return (topic.tags[0], *chance.sample(topic.tags[1:], chance.randrange(1, 4)))

    def _slides(self, number: int, topic: Topic, title: tuple[str, str], looks: random.Random) -> tuple[Slide, ...]:
        texts = [title, *looks.sample(topic.advice, looks.randrange(3, 7))]
        return tuple(
            Slide(chinese, english, token(self.seed, "slide", number, position, length=38))
            for position, (chinese, english) in enumerate(texts)
        )

    def _growth(self, number: int, published_at: float) -> Growth:
        chance = random.Random(f"{self.seed}/growth/{number}")
        kind = chance.random()
        audience = min(chance.lognormvariate(10.6, 1.7), 3e7)
        if kind > 0.88:  # some never take off at all
            audience = chance.uniform(80, 900)
        likes = chance.lognormvariate(-3.0, 0.45)
        if _surges(number):
            audience = min(audience, MOST_BEFORE_SURGE)
        return Growth(
            seed=f"{self.seed}/noise/{number}",
            published_at=published_at,
            audience=audience,
            half_life=chance.lognormvariate(3.0, 0.6) * HOUR,
            peak_hour=chance.gauss(20.5, 1.2),
            noise=chance.uniform(0.08, 0.35),
            ratios={
                "digg_count": min(likes, 0.25),
                "comment_count": likes * chance.uniform(0.02, 0.12),
                "share_count": likes * chance.lognormvariate(-2.0, 0.6),
                "collect_count": likes * chance.lognormvariate(-1.7, 0.5),
            },
            wave=self._wave(number, published_at, audience, likes),
            quirks=self._quirks(number, chance, audience * likes),
        )

    def _wave(self, number: int, published_at: float, audience: float, likes: float) -> Wave | None:
        """A third of the planned surges begins about when the site does, for those who just look."""
        if not _surges(number):
            return None
        chance = random.Random(f"{self.seed}/wave/{number}")
        is_soon = _turn(number) % 36 == 5
        after, rise = (
            (chance.uniform(-0.5, 0.6), chance.uniform(1.2, 2.2))
            if is_soon
            else (chance.uniform(-20, 40), chance.uniform(1.5, 7))
        )
        starts_at = max(self.first_day + after * HOUR, published_at + HOUR)
        if starts_at < self.first_day - HALF_AN_HOUR < self.first_day < starts_at + rise * HOUR:
            # Under way for so long that it would be at the top when the site is first looked at: it comes a little later.
            starts_at = self.first_day + chance.uniform(0.5, 6) * HOUR
        peaks_at = starts_at + rise * HOUR
        # Enough to be among the top twentieth of the site, by views and by likes: that is what going viral means.
        gain = max(audience, 50_000) * chance.uniform(0.5, 1) + math.exp(chance.uniform(math.log(1.4e6), math.log(2.5e6)))
        gain *= max(1.0, USUAL_LIKES / likes)
        # A gamma wave (x·e^(1-x))² has an area of e²/4 times its rise; so this height gathers `gain` views.
        return Wave(starts_at, peaks_at, gain / (1.847 * (peaks_at - starts_at)))

    def _quirks(self, number: int, chance: random.Random, likes: float) -> tuple[Quirk, ...]:
        name = {3: "reset", 23: "zeros", 43: "negative", 63: "bots"}.get(number % 80)
        if name is None:
            return ()
        starts_at = self.first_day + chance.uniform(0.5, 12) * HOUR
        lasts = {"zeros": 0.6, "negative": 1.0}.get(name, 3.0) * HOUR
        counter = {"bots": "share_count", "negative": "comment_count"}.get(name, "digg_count")
        size = {"reset": 0.35, "negative": 1.0, "bots": max(likes, 500) * 3}.get(name, 0.0)
        return (Quirk(name, counter, starts_at, starts_at + lasts, size),)


def _surges(number: int) -> bool:
    """Every twelfth video is planned to surge; none of them is an advertisement or deleted, which nobody could follow."""
    return _turn(number) % 12 == 5


def _turn(number: int) -> int:
    """A number whose remainders are spread over all topics, as those of `number` are not."""
    return number + number // len(TOPICS) * 3


def odd_description(number: int, size: int) -> str | None:
    """A few hostile texts, as any open site has: control characters, direction marks, endless titles, none at all."""
    first = size // 16 * 8
    return {
        first: "猫\x00咪 NUL 在这里 #猫 ",
        first + 9: "\u202e反过来的字\u202c مرحبا بالعالم #美食 #家常菜 ",
        first + 20: "𠮷野家 👨‍👩‍👧‍👦🍜🔥 𝓯𝓪𝓷𝓬𝔂 #streetfood ",
        first + 30: "很长的标题，" * 1700 + "#手工 ",
        first + 32: "",
        first + 47: "<script>alert('x')</script> & \"quotes\" ' #科技 ",
    }.get(number)
