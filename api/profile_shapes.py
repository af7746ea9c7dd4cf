"""How a profile does, as JSON: for an author, and for the source that watches one."""

from typing import Any

from rest_framework import serializers

from catalog.outliers import Verdict
from catalog.profiles import Performance, Profile
from crawler.models import VideoKind


class FollowersPoint(serializers.Serializer[Any]):
    observed_at = serializers.DateTimeField()
    followers = serializers.IntegerField()


class OutlierDocument(serializers.Serializer[Any]):
    """A video that has far more, or far less, than the profile's others at a like age."""

    id = serializers.IntegerField()
    title = serializers.CharField()
    kind = serializers.ChoiceField(choices=VideoKind.choices)
    published_at = serializers.DateTimeField()
    side = serializers.ChoiceField(choices=["above", "below"])
    count = serializers.IntegerField(help_text="Of `metric`.")
    usual = serializers.FloatField(help_text="Median of the others at a like age.")
    times = serializers.FloatField(help_text="`count` over `usual`; where that is 0, one is taken for it.")
    robust_z = serializers.FloatField(help_text="Of log counts, by median and median absolute deviation.")
    compared_with = serializers.IntegerField(help_text="How many others.")


class ProfilePerformance(serializers.Serializer[Any]):
    """Of its latest 200 videos. Nulls: too few were seen to say it, or the platform does not show it."""

    metric = serializers.ChoiceField(choices=["views", "likes"], help_text="What videos are compared by.")
    median = serializers.FloatField(allow_null=True, help_text="Of `metric`, as the videos stand.")
    compared = serializers.IntegerField(help_text="Videos that have enough others of a like age.")
    least_videos = serializers.IntegerField(help_text="So many of a like age are needed to compare.")
    outliers = OutlierDocument(many=True, help_text="Those above first, the farthest first.")
    engagement = serializers.FloatField(allow_null=True, help_text="Median of reactions per view: 0.08 is 8 %.")
    likes_per_follower = serializers.FloatField(allow_null=True, help_text="Median over videos.")
    hours_between_posts = serializers.FloatField(allow_null=True, help_text="Median.")
    followers_gained = serializers.IntegerField(allow_null=True, help_text="Over `followers_history`.")
    followers_history = FollowersPoint(many=True, help_text="Oldest first.")


def performance_document(found: Profile) -> dict[str, Any]:
    """A ProfilePerformance."""
    rhythm = found.rhythm
    return {
        "metric": found.metric,
        "median": found.median,
        "compared": found.compared,
        "least_videos": found.least_videos,
        "outliers": [
            _outlier(video, verdict, side)
            for side, videos in (("above", found.above), ("below", found.below))
            for video in videos
            if (verdict := video.verdict) is not None
        ],
        "engagement": found.engagement,
        "likes_per_follower": found.reactions_per_follower,
        "hours_between_posts": round(rhythm.gap.total_seconds() / 3600, 2) if rhythm else None,
        "followers_gained": found.followers_gained,
        "followers_history": [{"observed_at": point.at.isoformat(), "followers": point.value} for point in found.followers],
    }


def _outlier(video: Performance, verdict: Verdict, side: str) -> dict[str, Any]:
    return {
        "id": video.id,
        "title": video.title,
        "kind": video.kind,
        "published_at": video.published_at.isoformat(),
        "side": side,
        "count": verdict.count,
        "usual": verdict.usual,
        "times": verdict.times,
        "robust_z": verdict.z,
        "compared_with": verdict.others,
    }
