// Chromium as every script here starts it.
import { createRequire } from "node:module";
import { join } from "node:path";

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export const from = (modules) => createRequire(join(modules, "package.json"));

export const launch = (modules, executablePath, profile, options = {}) =>
  from(modules)("playwright-core").chromium.launchPersistentContext(profile, {
    executablePath, headless: true, args: FLAGS, ...options,
  });
