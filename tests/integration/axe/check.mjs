// Opens pages in headless Chromium and asks axe-core what is wrong with them.
// usage: node check.mjs FOLDER_WITH_NODE_MODULES CHROMIUM PROFILE PAGE.html …
// prints one JSON object: "PAGE width" -> violations; with PICTURES set, a picture of each as well.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { from, launch } from "./launch.mjs";

const [modules, chromium, profile, ...pages] = process.argv.slice(2);
const axe = readFileSync(from(modules).resolve("axe-core/axe.min.js"), "utf8");
const WIDTHS = [1440, 768, 390];

const browser = await launch(modules, chromium, profile, { bypassCSP: true });
const found = {};
for (const page of pages) {
  for (const width of WIDTHS) {
    const tab = await browser.newPage();
    await tab.setViewportSize({ width, height: 900 });
    await tab.goto(pathToFileURL(resolve(page)).href);
    const open = (value) => tab.evaluate((value) => {
      for (const part of document.querySelectorAll("details")) part.open = value;
    }, value);
    await open(true);  // what is folded is checked as well
    await tab.evaluate(axe);
    const { violations, passes } = await tab.evaluate(() => axe.run());
    const overflow = await tab.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    found[`${page} ${width}`] = {
      passes: passes.length,
      overflow,
      violations: violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.html.slice(0, 120)}`)),
    };
    if (process.env.PICTURES) {
      await open(false);
      const name = join(process.env.PICTURES, `${page.replace(/\W+/g, "_")}_${width}`);
      await tab.screenshot({ path: `${name}.png`, fullPage: true });
      if (width === WIDTHS[0]) await tab.pdf({ path: `${name}.pdf`, preferCSSPageSize: true });
    }
    await tab.close();
  }
}
await browser.close();
console.log(JSON.stringify(found));
