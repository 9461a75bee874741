// Types into the search of the start page and tells which entries are left.
// usage: node find.mjs FOLDER_WITH_NODE_MODULES CHROMIUM PROFILE URL TEXT …
// prints one JSON object: TEXT -> entries, what is announced and where Enter leads; "" -> all.
import { launch } from "./launch.mjs";

const [modules, chromium, profile, url, ...texts] = process.argv.slice(2);
const shown = (tab) => tab.evaluate(() =>
  [...document.querySelectorAll("main li")]
    .filter((entry) => entry.closest(".names") && entry.checkVisibility())
    .map((entry) => entry.textContent.trim().replace(/\s+/g, " ")));

const browser = await launch(modules, chromium, profile);
const found = {};
const page = await browser.newPage();
for (const text of ["", ...texts]) {
  await page.goto(url);
  await page.locator("input").focus();
  await page.keyboard.type(text);
  const entries = await shown(page), said = await page.locator("[role=status]").textContent();
  const hasLink = await page.locator(".findable li:not([hidden]) a").count() > 0;
  await page.keyboard.press("Enter");
  if (text && hasLink) await page.waitForURL((address) => address.href !== url);
  found[text] = { entries, said, leads: page.url() };
}
await browser.close();

const bare = await launch(modules, chromium, `${profile}-bare`, { javaScriptEnabled: false });
const tab = await bare.newPage();
await tab.goto(url);
found.bare = {
  count: await tab.locator(".findable li").count(),
  visible: await tab.locator(".findable li:visible").count(),
  box: await tab.locator("input").isVisible(),
};
await bare.close();
console.log(JSON.stringify(found));
