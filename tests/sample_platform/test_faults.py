import pytest

from sample_platform.faults import Faults, UnknownFault


def test_a_fault_for_a_topic_touches_only_looking_for_it():
    faults = Faults()
    faults.switch("block", {"topic": "Dance"})

    assert faults.take("block", "search", topics={"dance"})
    assert not faults.take("block", "search", topics={"猫"})
    assert not faults.take("block", "detail", topics={"dance"}, video="1")


def test_a_fault_for_a_video_touches_only_that_video():
    faults = Faults()
    faults.switch("truncated", {"video": "12"})

    assert faults.take("slow truncated", "clip", topics={"猫"}, video="12")
    assert not faults.take("slow truncated", "clip", topics={"猫"}, video="13")
    assert not faults.take("slow truncated", "cover", video="12")


def test_a_counted_fault_ends_after_so_many_requests():
    faults = Faults()
    faults.switch("ratelimit", {"count": 2})

    taken = [bool(faults.take("ratelimit", "search", topics={"猫"})) for _ in range(4)]

    assert taken == [True, True, False, False]
    assert faults.active[0].touched == 2


def test_switching_again_replaces_the_same_scope_and_leaves_others():
    faults = Faults()
    faults.switch("block", {"topic": "猫"})
    faults.switch("block", {"topic": "dance"})
    faults.switch("block", {"topic": "猫", "value": "captcha"})
    faults.switch("block", {"topic": "dance", "on": False})

    assert [(fault.topic, fault.value) for fault in faults.active] == [("猫", "captcha")]


@pytest.mark.parametrize(
    ("name", "order"),
    [
        ("nonsense", {}),
        ("block", {"count": 0}),
        ("block", {"count": True}),
        ("block", {"count": "many"}),
        ("block", {"topic": ["猫"]}),
        ("block", {"places": ["kitchen"]}),
        ("block", {"places": "search"}),
        ("block", {"places": [["search"]]}),
    ],
)
def test_an_order_that_makes_no_sense_is_refused_with_a_reason(name, order):
    faults = Faults()

    with pytest.raises(UnknownFault):
        faults.switch(name, order)

    assert faults.active == []
