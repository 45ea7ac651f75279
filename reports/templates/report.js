// Still drawings become live ones, each when its live twin is ready; whatever fails leaves the still one.
const specs = JSON.parse(document.getElementById("specs").textContent);
const options = { mode: "vega-lite", renderer: "svg", actions: false, ast: true };
let live = 0;
for (const [key, spec] of Object.entries(specs)) {
  const place = document.getElementById("figure-" + key);
  if (place === null) continue;
  const stage = document.createElement("div");
  stage.setAttribute("aria-hidden", "true");
  await window.vegaEmbed(stage, spec, options);
  place.replaceChildren(stage);
  live += 1;
}
document.documentElement.dataset.live = String(live);
