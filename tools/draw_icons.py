"""Draw the PNG icons of the page's app from icon.svg, with the Chromium that the tests use.

Home screens want them: many do not take SVG. Run it once after icon.svg has changed, and commit what it writes.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

from playwright.async_api import async_playwright

FOLDER = Path(__file__).resolve().parents[1] / "packages/nes2mqtt/src/nes2mqtt/outputs/web/static/install"
_FULL = 'rx="0"'
ICONS: tuple[tuple[str, int, dict[str, str]], ...] = (
    ("icon-180.png", 180, {'rx="15"': _FULL}),
    ("icon-192.png", 192, {}),
    ("icon-512.png", 512, {}),
    ("icon-maskable-512.png", 512, {'rx="15"': _FULL, 'viewBox="0 0 64 64"': 'viewBox="-4 -4 72 72"'}),
)
"""Name, size, and what is written differently. iOS rounds the corners itself; a home screen may cut any shape out of a
"maskable" icon, so all of it is painted and the picture stays within the inner 80 %."""

_PAGE = """<style>body {{ margin: 0; background: {paper} }} svg {{ display: block; width: {size}px; height: {size}px }}</style>{svg}"""


async def draw() -> None:
    """Write the files."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    if program is None:
        sys.exit("Chromium is not installed: sudo apt install chromium")
    svg = (FOLDER / "icon.svg").read_text(encoding="utf-8")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--headless=new", "--no-sandbox"])
        for name, size, differences in ICONS:
            page = await browser.new_page(viewport={"width": size, "height": size})
            picture = svg
            for written, instead in differences.items():
                picture = picture.replace(written, instead)
            paper = "#1d2327" if differences else "transparent"
            await page.set_content(_PAGE.format(paper=paper, size=size, svg=picture))
            await page.screenshot(path=FOLDER / name, omit_background=True)
            await page.close()
            print(f"wrote {name}")
        await browser.close()


if __name__ == "__main__":
    asyncio.run(draw())
