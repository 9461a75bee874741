// The search of the start page: shows only those entries of the lists that hold every word typed.
"use strict";
{
  const box = document.querySelector(".find");
  const input = box.querySelector("input");
  const hits = box.querySelector(".hits");
  const folded = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const lists = [...document.querySelectorAll(".findable")].map((section) => ({
    section,
    entries: [...section.querySelectorAll("li")].map((entry) => ({
      entry,
      text: folded(entry.textContent),
    })),
  }));

  const find = () => {
    const words = folded(input.value).split(/\s+/).filter(Boolean);
    let count = 0;
    for (const { section, entries } of lists) {
      let shown = 0;
      for (const { entry, text } of entries) {
        entry.hidden = !words.every((word) => text.includes(word));
        shown += entry.hidden ? 0 : 1;
      }
      section.hidden = shown === 0;
      count += shown;
    }
    hits.textContent = words.length === 0 ? "" : count === 1 ? "1 träff" : `${count} träffar`;
  };

  input.addEventListener("input", find);
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !input.value.trim()) return;
    document.querySelector(".findable li:not([hidden]) a")?.click();
  });
  box.hidden = false;
  find();
}
