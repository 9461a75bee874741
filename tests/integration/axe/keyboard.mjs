// Walks through pages by keyboard alone, with their own content security policy in force.
// usage: node keyboard.mjs FOLDER_WITH_NODE_MODULES CHROMIUM PROFILE URL …
// prints one JSON object: URL -> what can be used, what Tab reached, what went wrong.
import { launch } from "./launch.mjs";

const [modules, chromium, profile, ...urls] = process.argv.slice(2);
const browser = await launch(modules, chromium, profile);
const found = {};
for (const url of urls) {
  const tab = await browser.newPage();
  const errors = [];
  tab.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  tab.on("pageerror", (error) => errors.push(String(error)));
  await tab.setViewportSize({ width: 1440, height: 900 });
  await tab.goto(url);
  const usable = await tab.evaluate(() => {
    const all = [...document.querySelectorAll("a[href], summary, input, button, [tabindex='0']")];
    const seen = all.filter((element) => element.checkVisibility());
    seen.forEach((element, place) => { element.dataset.place = place; });
    return seen.length;
  });
  const reached = [], unmarked = [];
  for (let step = 0; step < usable; step += 1) {
    await tab.keyboard.press("Tab");
    const at = await tab.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      const { top, bottom } = document.activeElement.getBoundingClientRect();
      const isSeen = bottom > 0 && top < innerHeight;
      const isMarked = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      return { place: Number(document.activeElement.dataset.place), isFine: isSeen && isMarked };
    });
    reached.push(at.place);
    if (!at.isFine) unmarked.push(at.place);
  }
  const folded = tab.locator("summary").first();
  let opened = null;
  if (await folded.count()) {
    await folded.focus();
    await tab.keyboard.press("Enter");
    opened = await folded.evaluate((summary) => summary.parentElement.open);
  }
  await tab.goto(url);
  await tab.keyboard.press("Tab");
  await tab.keyboard.press("Enter");
  const skipped = await tab.evaluate(() => location.hash);
  const font = await tab.evaluate(async () => {
    await document.fonts.ready;
    return [...document.fonts].some((face) => face.status === "loaded");
  });
  found[url] = { usable, reached, unmarked, opened, skipped, font, errors };
  await tab.close();
}
await browser.close();
console.log(JSON.stringify(found));
