// Runs page.js on a list of three entries: node page.js SCRIPT. It prints what the
// page says of how many are shown, one line for each state of its controls.
const on = {};
const element = (more) => ({ hidden: true, value: "", addEventListener(what, f) { (on[what] ??= []).push(f); }, ...more });
const entry = (severity, search, place) => element({ hidden: false, dataset: { search, place, count: 1, rule: search, state: "live" }, classList: { contains: (c) => c === severity } });
const boxes = ["critical", "high"].map((name) => ({ id: "show-" + name, checked: true }));
const list = element({ children: [entry("critical", "jwt key", 0), entry("high", "jwt", 1), entry("high", "card", 2)], append() {} });
const form = element({ querySelectorAll: () => boxes.filter((b) => !b.checked) });
const byID = { list, search: element(), sort: element(), shown: element() };
globalThis.document = { getElementById: (id) => byID[id], querySelector: () => form, querySelectorAll: () => [] };
require("node:vm").runInThisContext(require("node:fs").readFileSync(process.argv[2], "utf8"));
const say = (critical, words) => {
  boxes[0].checked = critical;
  byID.search.value = words;
  for (const f of on.input) f();
  console.log(critical, JSON.stringify(words), JSON.stringify(byID.shown.value));
};
say(true, "");
say(true, "JWT");
say(false, "");
say(false, "key");
