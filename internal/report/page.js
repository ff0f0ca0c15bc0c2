"use strict";
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const entries = [...list.children];
  const search = document.getElementById("search");
  const sort = document.getElementById("sort");
  const shown = document.getElementById("shown");
  for (const e of document.querySelectorAll(".script")) e.hidden = false;
  document.querySelector("form.controls").addEventListener("submit", (e) => e.preventDefault());

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let n = 0;
    for (const e of entries) {
      e.hidden = !words.every((w) => e.dataset.search.includes(w));
      if (!e.hidden) n++;
    }
    shown.value = n === entries.length ? "" : n + " of " + entries.length;
  };
  const by = (key) => (a, b) => {
    const place = a.dataset.place - b.dataset.place;
    if (key === "place") return place;
    if (key === "count") return b.dataset.count - a.dataset.count || place;
    return (a.dataset[key] < b.dataset[key] ? -1 : a.dataset[key] > b.dataset[key] ? 1 : 0) || place;
  };
  search.addEventListener("input", filter);
  sort.addEventListener("change", () => list.append(...entries.sort(by(sort.value))));
})();
