"""Categories renamed and merged, slide texts searched, carousels read again: all from the admin."""

from typing import Any

import pytest
from django.urls import reverse

from analysis.models import AnalysisJob, Category
from tests.factories import AnalysisFactory, CategoryFactory, SlideTextFactory, VideoFactory

pytestmark = pytest.mark.django_db
CATEGORIES = "admin:analysis_category_changelist"


def test_a_new_name_brings_the_videos_along_and_the_old_name_leads_there(staff_client: Any) -> None:
    category = CategoryFactory(name="Fodo", is_from_model=True)
    video = VideoFactory(category="fodo")

    answer = staff_client.post(reverse("admin:analysis_category_change", args=[category.pk]), {"name": "Street Food"})

    assert answer.status_code == 302
    category.refresh_from_db()
    video.refresh_from_db()
    assert (category.name, category.slug, category.is_from_model) == ("Street Food", "street-food", False)
    assert video.category == "street-food"
    assert Category.objects.get(slug="fodo").merged_into == category


def test_a_name_that_another_category_has_is_refused(staff_client: Any) -> None:
    CategoryFactory(name="Food")
    other = CategoryFactory(name="Eating")

    answer = staff_client.post(reverse("admin:analysis_category_change", args=[other.pk]), {"name": "food"})

    assert answer.status_code == 200
    assert "merge them instead" in answer.content.decode()
    other.refresh_from_db()
    assert other.slug == "eating"


def test_categories_are_merged_after_a_question(staff_client: Any) -> None:
    food, eats = CategoryFactory(name="Food"), CategoryFactory(name="Eats", is_from_model=True)
    older = CategoryFactory(name="Snacks", merged_into=eats)
    video = VideoFactory(category="eats")
    reading = AnalysisFactory(video=video, category=eats)
    chosen = {"action": "merge", "_selected_action": [food.pk, eats.pk]}

    asked = staff_client.post(reverse(CATEGORIES), chosen)
    assert "2 categories become one" in asked.content.decode()
    assert not Category.objects.filter(slug="eats", merged_into=food).exists()
    staff_client.post(reverse(CATEGORIES), chosen | {"confirmed": "yes", "choice": str(food.pk)})

    video.refresh_from_db()
    reading.refresh_from_db()
    assert (video.category, reading.category) == ("food", food)
    assert set(Category.objects.filter(merged_into=food).values_list("pk", flat=True)) == {eats.pk, older.pk}
    listed = staff_client.get(reverse(CATEGORIES)).content.decode()
    assert "Eats" not in listed


def test_a_merge_needs_two_and_a_choice(staff_client: Any) -> None:
    food, eats = CategoryFactory(name="Food"), CategoryFactory(name="Eats")

    staff_client.post(reverse(CATEGORIES), {"action": "merge", "_selected_action": [food.pk]})
    both = {"action": "merge", "_selected_action": [food.pk, eats.pk], "confirmed": "yes"}
    staff_client.post(reverse(CATEGORIES), both | {"choice": "99999"})

    assert Category.objects.filter(merged_into=None).count() == 2


def test_slide_texts_are_found_and_read_again(staff_client: Any) -> None:
    slide, other = SlideTextFactory(text="先备好猫砂盆"), SlideTextFactory(text="多喝水")
    address = reverse("admin:analysis_slidetext_changelist")

    listed = staff_client.get(address, {"q": "猫砂"}).content.decode()
    assert slide.text in listed
    assert other.text not in listed
    staff_client.post(address, {"action": "read_again", "_selected_action": [slide.pk]})

    job = AnalysisJob.objects.get()
    assert (job.video, job.requested_by is not None) == (slide.video, True)
