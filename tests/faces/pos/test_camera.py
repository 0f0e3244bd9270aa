"""Barcodes by camera: Chromium takes a file for its camera; what it shows is read and put into the field."""

from pathlib import Path

import pypdfium2
import pytest
from browser import Site
from market import Market
from one_chromium import CHROMIUM, CHROMIUM_ARGS
from playwright.async_api import async_playwright, expect

from samlad.labels import drawing, rules
from samlad.labels.model import Tag

GTIN = "7310865004703"
WIDTH, HEIGHT = 640, 480


def video(path: Path) -> None:
    """Two frames (Y4M) of a camera that looks at a price tag of ours."""
    tag = Tag(
        title="Kettle", options="", price="99,00 kr", unit_price="", lowest="", code=GTIN, gtin=GTIN, link=""
    )
    page = drawing.pdf(rules.TEMPLATES["roll-58x40"], [tag], with_qr=False)
    picture = pypdfium2.PdfDocument(page)[0].render(scale=3.5).to_pil().convert("L").resize((WIDTH, HEIGHT))
    plane = bytes(16 + value * 219 // 255 for value in picture.tobytes())
    frame = b"FRAME\n" + plane + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)


@pytest.mark.browser
async def test_the_camera_reads_what_lies_before_it(site: Site, market: Market, tmp_path: Path) -> None:
    await market.product(variants=[{"sku": "KETTLE", "gtin": GTIN}], stock=[5])
    video(tmp_path / "camera.y4m")
    signed_in = await site.staff(width=390)
    cookies = await signed_in.context.cookies()
    complaints: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[
                *CHROMIUM_ARGS,
                "--use-fake-ui-for-media-stream",
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={tmp_path / 'camera.y4m'}",
            ],
        )
        context = await browser.new_context(
            base_url=site.url, viewport={"width": 390, "height": 900}, service_workers="block"
        )
        await context.add_cookies(cookies)  # type: ignore[arg-type]
        page = await context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        await page.goto("/pos/soder/labels")
        await page.get_by_role("button", name="Scan with the camera").click()
        await expect(page.get_by_label("SKUs or barcodes")).to_have_value(GTIN + "\n")
        await expect(page.get_by_text(f"Read: {GTIN}")).to_be_visible()
        assert await site.violations(page) == []
        await page.get_by_role("button", name="Scan with the camera").click()
        await expect(page.locator("video")).to_be_hidden()
        await page.goto("/pos/soder")
        await page.get_by_role("button", name="Scan with the camera").click()
        await page.locator("#ticket").get_by_text("Kettle").first.wait_for()
        assert complaints == []
        await browser.close()
    await signed_in.goto("/pos/soder/labels")  # a browser without a camera says so in words
    await signed_in.get_by_role("button", name="Scan with the camera").click()
    await signed_in.get_by_text("Type the number").first.wait_for()
