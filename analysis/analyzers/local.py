"""Carousels read on this machine, by the OCR models that come inside RapidOCR's wheel: no key, no network, no cost.

It reads Chinese, English and other Latin letters. It does not describe pictures. What it says beyond the words is by rule:

- type: the first slide is the hook; of the others, one that asks for something (follow, save, comment, a link, in Chinese,
  English or Vietnamese) is a call to action if it is the last one, or if little else stands on it; all else is content.
- category: by votes. Each known category gets votes where its name (or a word that belongs to it, see topics.py) stands:
  3 as a hashtag (2 as a part of one), 2 in the title, 1 on each slide. The one with most wins if it has 2 votes at least and
  more than any other; its confidence is its share of all votes, less for few. No new category is ever made.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from analysis.analyzers.base import Carousel, Picture, Progress, Reading, SlideReading, SlideType, Spend
from analysis.analyzers.lines import WIDE, Box, lines, paragraphs
from analysis.analyzers.topics import words_of

ENGINE = "local"
MODEL = "PP-OCRv6 small"
MODEL_FILES = ("PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx")
LEAST_SCORE = 0.6
"""Lines that the recogniser is less sure of are mostly drawings."""
MOST_THREADS = 4
LEAST_VOTES = 2
LEAST_WORD = 4
"""Letters of a Latin word that counts within a longer hashtag."""

_ASKS = re.compile(
    r"关注|收藏|点赞|评论|转发|私信|链接|主页|下单|购买|扫码|"
    r"\b(?:follow|subscribe|like and|save (?:this|it|for)|share (?:this|it|with)|comment|link in bio|dm|tag (?:a|your)|"
    r"swipe|shop now|buy now|sign up|order now|download now|learn more)\b|"
    r"theo dõi|lưu lại|bình luận|chia sẻ|nhấn|đăng ký|mua ngay|link ở bio",
    re.IGNORECASE,
)
_LITTLE = 40
"""Letters: with no more than these on a slide, asking is all it does."""
_COUNTER = re.compile(r"(\d{1,2})\s*/\s*(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Local:
    def read(self, carousel: Carousel, *, progress: Progress, spend: Spend) -> Reading:
        """Slide by slide; raises only what `progress` raises."""
        slides: list[SlideReading] = []
        for picture in carousel.pictures:
            slides.append(self._slide(picture, carousel))
            progress(len(slides))
        category, confidence = vote(carousel, [slide.text for slide in slides])
        return Reading(slides=slides, engine=ENGINE, model=MODEL, finish="ok", category=category, category_confidence=confidence)

    def _slide(self, picture: Picture, carousel: Carousel) -> SlideReading:
        last = carousel.pictures[-1].position
        found = [line for line in lines(recognised(picture.jpeg)) if not _is_counter(line.text, last + 1)]
        text = "\n".join(paragraphs(found))
        letters = sum(len(line.text) for line in found)
        return SlideReading(
            position=picture.position,
            text=text,
            type=type_of(text, picture.position, last),
            confidence=round(sum(line.score * len(line.text) for line in found) / letters, 4) if letters else None,
            language=language_of(text),
        )


def recognised(jpeg: bytes) -> list[Box]:
    """The words of a picture that we wrote ourselves, wherever they stand in it."""
    import numpy as np  # here and not above: web processes load this module too
    from PIL import Image

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as picture:
        pixels = np.asarray(picture.convert("RGB"))[:, :, ::-1]  # the models were taught blue first
    # Without the model that turns lines which stand on their heads: nobody posts such slides, and it takes a quarter.
    found: Any = engine()(np.ascontiguousarray(pixels), use_cls=False)
    if found.boxes is None or found.txts is None:
        return []
    return [
        Box(
            text=" ".join(text.split()),
            score=min(max(float(score), 0.0), 1.0),
            left=float(box[:, 0].min()),
            top=float(box[:, 1].min()),
            right=float(box[:, 0].max()),
            bottom=float(box[:, 1].max()),
        )
        for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        if score >= LEAST_SCORE and text.strip()
    ]


@cache
def engine() -> Any:
    """The process's own, made at its first use: in a worker's child, never before it was forked."""
    from rapidocr import RapidOCR

    threads = min(os.cpu_count() or 1, MOST_THREADS)
    return RapidOCR(
        params={
            "Global.log_level": "error",
            "EngineConfig.onnxruntime.intra_op_num_threads": threads,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )


def missing_models() -> list[str]:
    """The models' files that the wheel should have brought and that are not there: nothing is fetched while we run."""
    found = find_spec("rapidocr")
    if found is None or found.origin is None:
        return list(MODEL_FILES)
    folder = Path(found.origin).parent / "models"
    return [name for name in MODEL_FILES if not (folder / name).is_file()]


def type_of(text: str, position: int, last: int) -> SlideType:
    """See the module."""
    if position == 0:
        return SlideType.HOOK
    if _ASKS.search(text) and (position == last or len(text) <= _LITTLE):
        return SlideType.CALL_TO_ACTION
    return SlideType.CONTENT


def language_of(text: str) -> str:
    """By the script of its letters: zh, ja or ko where theirs occur; nothing for Latin letters, which many languages share."""
    if re.search(r"[\u3040-\u30ff]", text):
        return "ja"
    if re.search(r"[\uac00-\ud7af]", text):
        return "ko"
    return "zh" if re.search(rf"[{WIDE}]", text) else ""


def vote(carousel: Carousel, texts: Sequence[str]) -> tuple[str, float | None]:
    """The name of the known category that most speaks for, and how sure that is. See the module."""
    tags = {_plain(tag) for tag in carousel.hashtags}
    title = carousel.title.casefold()
    slides = [text.casefold() for text in texts]
    votes: Counter[str] = Counter()
    for category in carousel.categories:
        for word in words_of(category.slug, category.name):
            there = _finder(word)
            votes[category.name] += max((_in_tag(_plain(word), tag) for tag in tags), default=0) + 2 * bool(there.search(title))
            votes[category.name] += sum(1 for text in slides if there.search(text))
    ranked = votes.most_common(2)
    if not ranked or ranked[0][1] < LEAST_VOTES or (len(ranked) > 1 and ranked[1][1] == ranked[0][1]):
        return "", None
    name, count = ranked[0]
    share = count / votes.total()
    return name, round(share * count / (count + 1), 4)


@cache
def _finder(word: str) -> re.Pattern[str]:
    word = re.escape(word.casefold())
    return re.compile(word if re.search(rf"[{WIDE}]", word) else rf"(?<!\w){word}(?!\w)")


def _in_tag(word: str, tag: str) -> int:
    """The votes of a hashtag: #travel, #solotravel and #养猫日常 speak for a category, #cathedral does not."""
    if word == tag:
        return 3
    if re.search(rf"[{WIDE}]", word):
        return 2 if len(word) > 1 and word in tag else 0
    return 2 if len(word) >= LEAST_WORD and (tag.startswith(word) or tag.endswith(word)) else 0


def _plain(word: str) -> str:
    """Letters alone, without case and accents, as hashtags are mostly written: #dulich for “du lịch”."""
    bare = (char for char in unicodedata.normalize("NFKD", word.casefold()) if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", "", "".join(bare).replace("đ", "d"))


def _is_counter(text: str, count: int) -> bool:
    """ "3 / 7" on a carousel of seven says nothing of its own."""
    found = _COUNTER.fullmatch(text.strip())
    return found is not None and int(found[2]) == count and 1 <= int(found[1]) <= count
