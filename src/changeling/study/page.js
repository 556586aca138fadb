"use strict";
// Everything can be read without this file; it answers pointers and keys.

const pairs = (text) => (text ? text.split(" ").map((pair) => pair.split(",").map(Number)) : []);

for (const svg of document.querySelectorAll("svg.chart")) {
  const lines = [...svg.querySelectorAll(".line")].map((shape, index) => ({
    shape,
    places: pairs(shape.querySelector("polyline").getAttribute("points")),
    values: pairs(shape.dataset.values),
    dot: shape.querySelector("circle"),
    key: svg.querySelectorAll(".key")[index],
    shown: true,
  }));
  const area = svg.querySelector(".area");
  const rule = svg.querySelector(".rule");
  const axis = svg.querySelector(".x");
  const name = axis.textContent;
  let at = null;

  const nearest = (places) => {
    let best = 0;
    places.forEach(([x], index) => {
      if (Math.abs(x - at) < Math.abs(places[best][0] - at)) best = index;
    });
    return best;
  };

  const show = () => {
    const said = [];
    axis.textContent = name;
    for (const { places, values, dot, key, shown } of lines) {
      const value = key.querySelector(".value");
      const told = at !== null && shown && places.length > 0;
      dot.setAttribute("visibility", told ? "visible" : "hidden");
      if (!told) {
        value.textContent = value.dataset.last;
        continue;
      }
      const index = nearest(places);
      dot.setAttribute("cx", places[index][0]);
      dot.setAttribute("cy", places[index][1]);
      value.textContent = String(Number(values[index][1].toPrecision(4)));
      axis.textContent = `${name} ${Number(values[index][0].toPrecision(4))}`;
      said.push(`${key.querySelector("text").textContent} ${value.textContent}`);
    }
    rule.setAttribute("visibility", at === null ? "hidden" : "visible");
    if (at !== null) for (const end of ["x1", "x2"]) rule.setAttribute(end, at);
    area.setAttribute("aria-valuetext", [axis.textContent, ...said].join(", "));
  };

  const steps = () =>
    [...new Set(lines.filter((line) => line.shown).flatMap((line) => line.places.map(([x]) => x)))].sort(
      (one, other) => one - other,
    );

  area.setAttribute("tabindex", 0);
  area.setAttribute("role", "slider");
  area.setAttribute("aria-label", name);
  area.addEventListener("pointermove", (event) => {
    const box = area.getBoundingClientRect();
    const left = Number(area.getAttribute("x"));
    at = left + ((event.clientX - box.left) / box.width) * Number(area.getAttribute("width"));
    show();
  });
  for (const end of ["pointerleave", "blur"])
    area.addEventListener(end, () => {
      at = null;
      show();
    });
  area.addEventListener("keydown", (event) => {
    const forward = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    const places = steps();
    if (!forward || !places.length) return;
    event.preventDefault();
    if (at === null) at = forward > 0 ? places[0] : places[places.length - 1];
    else if (forward > 0) at = places.find((x) => x > at) ?? at;
    else at = places.findLast((x) => x < at) ?? at;
    show();
  });

  for (const line of lines) {
    const toggle = () => {
      line.shown = !line.shown;
      line.shape.setAttribute("visibility", line.shown ? "visible" : "hidden");
      line.key.setAttribute("aria-pressed", line.shown);
      show();
    };
    line.key.setAttribute("tabindex", 0);
    line.key.setAttribute("role", "button");
    line.key.setAttribute("aria-pressed", true);
    line.key.addEventListener("click", toggle);
    line.key.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle();
    });
  }
}

for (const pair of document.querySelectorAll(".beside")) {
  pair.classList.add("over");
  const slider = pair.querySelector("input");
  const move = () => pair.style.setProperty("--at", `${slider.value}%`);
  slider.addEventListener("input", move);
  move();
}

for (const group of document.querySelectorAll(".films")) {
  const films = [...group.querySelectorAll("video")];
  const others = (film, what) => films.filter((other) => other !== film).forEach(what);
  for (const film of films) {
    film.addEventListener("play", () =>
      others(film, (other) => {
        if (!other.paused) return;
        other.currentTime = film.currentTime;
        other.play();
      }),
    );
    film.addEventListener("pause", () => others(film, (other) => other.pause()));
    film.addEventListener("seeked", () =>
      others(film, (other) => {
        if (Math.abs(other.currentTime - film.currentTime) > 0.1) other.currentTime = film.currentTime;
      }),
    );
  }
}
