document.documentElement.classList.add("scripted");
const rows = [...document.querySelectorAll("details.row")].map((row) => [row, row.textContent.toLowerCase()]);
const search = document.getElementById("search");
const found = document.getElementById("found");
search.addEventListener("input", () => {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const [row, text] of rows) {
    row.hidden = !words.every((word) => text.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  found.textContent = words.length ? shown + " of " + rows.length : "";
});
document.getElementById("look").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.look ? root.dataset.look === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.look = dark ? "light" : "dark";
});
document.getElementById("open").addEventListener("click", () => {
  const open = rows.some(([row]) => !row.hidden && !row.open);
  for (const [row] of rows) {
    if (!row.hidden) row.open = open;
  }
});
