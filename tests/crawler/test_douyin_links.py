import json

import pytest
from django.core.exceptions import ValidationError

from crawler.providers import douyin_facts
from crawler.validators import clean_value

SEC = "MS4wLjABAAAA-x_9"


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [
        ("topic", "  猫 咪 ", "猫 咪"),
        ("profile", SEC, SEC),
        ("profile", f" https://www.douyin.com/user/{SEC}?from_tab_name=main ", SEC),
        ("profile", f"https://www.iesdouyin.com/share/user/123?sec_uid={SEC}&x=1", SEC),
        ("hashtag", "#猫", "猫"),
        ("hashtag", "＃家常菜", "家常菜"),
        ("hashtag", "1577530461786125", "1577530461786125"),
        ("hashtag", "https://www.douyin.com/hashtag/1577530461786125?x=1", "1577530461786125"),
        ("hashtag", "https://www.iesdouyin.com/share/challenge/1577530461786125", "1577530461786125"),
        ("sound", "https://www.douyin.com/music/6872216793570609154", "6872216793570609154"),
        ("sound", "6872216793570609154", "6872216793570609154"),
        ("trending", "热榜", "hot"),
        ("trending", "https://www.douyin.com/hot", "hot"),
    ],
)
def test_what_is_watched_has_one_spelling(kind, typed, kept):
    assert clean_value("douyin", kind, typed) == kept


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("topic", " .. ", "no words"),
        ("profile", "https://evil.test/user/" + SEC, "only its last part"),
        ("profile", "https://www.douyin.com/video/7400000000000000001", "only its last part"),
        ("profile", "two words", "only its last part"),
        ("profile", "https://v.douyin.com/abc/", "short link"),
        ("hashtag", "two words", "hashtag's name"),
        ("hashtag", "https://www.douyin.com/user/" + SEC, "hashtag's name"),
        ("sound", "猫", "sound's page"),
        ("trending", "cats", "one list"),
        ("profile", "http://[", "only its last part"),
    ],
)
def test_what_cannot_be_watched_is_refused_with_what_belongs_there(kind, typed, says):
    with pytest.raises(ValidationError, match=says):
        clean_value("douyin", kind, typed)


def read(shared_dir, name):
    return json.loads((shared_dir / "payloads" / name).read_text("utf-8"))


def test_captured_people_are_read_with_their_counters(shared_dir):
    people = [douyin_facts.author_of(user, "https://www.douyin.com") for user in read(shared_dir, "douyin-web/users.json")]

    assert len(people) == 13
    assert all(person.external_id and person.name and person.followers for person in people)
    liziqi = next(person for person in people if person.handle == "71158770")
    assert (liziqi.name, liziqi.followers, liziqi.videos, liziqi.likes) == ("李子柒", 40201989, 772, 222610560)


def test_the_captured_hot_list_is_read_with_places_and_heat(shared_dir):
    words = douyin_facts.hot_words(read(shared_dir, "douyin-app/hot_list_2021.json"))

    assert [(hot.position, hot.word, hot.heat) for hot in words][:2] == [
        (1, "李心艾回应胖了", 8782523),
        (2, "我喜欢你定档", 8671307),
    ]
    assert len(words) == 4


def test_the_captured_search_for_music_is_read(shared_dir):
    sounds = douyin_facts.sounds_in(read(shared_dir, "douyin-app/search_music_2021.json"))

    assert [(s.external_id, s.title, s.duration_seconds) for s in sounds] == [("6872216793570609154", sounds[0].title, 60.0)]
