"use strict";
(() => {
  const list = document.getElementById("list");
  if (!list) return;
  const entries = [...list.children];
  const search = document.getElementById("search");
  const sort = document.getElementById("sort");
  const shown = document.getElementById("shown");
  const form = document.querySelector("form.controls");
  for (const e of document.querySelectorAll(".script")) e.hidden = false;
  form.addEventListener("submit", (e) => e.preventDefault());

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const off = [...form.querySelectorAll("input:not(:checked)[id^=show-]")].map((box) => box.id.slice("show-".length));
    let n = 0;
    for (const e of entries) {
      e.hidden = !words.every((w) => e.dataset.search.includes(w));
      if (!e.hidden && !off.some((name) => e.classList.contains(name))) n++;
    }
    shown.value = n === entries.length ? "" : n + " of " + entries.length + " shown";
  };
  const by = (key) => (a, b) => {
    const place = a.dataset.place - b.dataset.place;
    if (key === "place") return place;
    if (key === "count") return b.dataset.count - a.dataset.count || place;
    return (a.dataset[key] < b.dataset[key] ? -1 : a.dataset[key] > b.dataset[key] ? 1 : 0) || place;
  };
  form.addEventListener("input", filter);
  sort.addEventListener("change", () => list.append(...entries.sort(by(sort.value))));
})();
