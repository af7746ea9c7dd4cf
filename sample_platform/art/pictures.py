"""Whole pictures: covers, slides, faces."""
from PIL import Image
from sample_platform.art.scenes import scene
from sample_platform.world import Author, Video

def cover(video: Video) -> Image.Image:
    side = 540
    return scene(video, side, round(side * video.height / video.width)).background

def slide(video: Video, position: int) -> Image.Image:
    return Image.new("RGB", (1080, 1440), (200, position * 30, 90))

def avatar(author: Author, size: int) -> Image.Image:
    return Image.new("RGB", (size, size), (author.index * 4, 80, 140))
