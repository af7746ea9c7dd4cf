from dataclasses import dataclass
from PIL import Image, ImageDraw
from sample_platform.world import Video

@dataclass
class Sprite:
    image: Image.Image
    x: int
    y: int
    motion: str

@dataclass
class Scene:
    background: Image.Image
    sprites: list[Sprite]
    title: Image.Image

def scene(video: Video, width: int, height: int) -> Scene:
    im = Image.new("RGB", (width, height), (40, 90, (video.number * 37) % 255))
    s = Image.new("RGBA", (width // 3, width // 3), (0, 0, 0, 0))
    ImageDraw.Draw(s).ellipse((0, 0, width // 3 - 1, width // 3 - 1), fill=(255, 200, 80, 255))
    return Scene(im, [Sprite(s, width // 3, height // 2, "bob")], Image.new("RGBA", (width, height), (0, 0, 0, 0)))
