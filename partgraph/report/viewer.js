// The page at work: what of each case is shown and from where, and the controls that change it.
"use strict";

const HOME = { yaw: 35, pitch: 12 }; // degrees; yaw turns about the vertical, pitch looks from above
const VIEWS = { front: { yaw: 0, pitch: 0 }, side: { yaw: -90, pitch: 0 }, top: { yaw: 0, pitch: 90 } };
const KEYS = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] };
const DRAG = 0.6; // degrees per pixel
const SPIN = 24; // degrees per second
const NEAR = 14; // pixels from the pointer to a part that is pointed at

const data = JSON.parse(document.getElementById("poses").textContent);

class Case {
  constructor(article) {
    const { size, poses, aligned } = data.cases[article.dataset.case];
    this.size = size;
    this.poses = poses;
    this.scenes = article.querySelector(".space") && {
      found: makeScene(poses),
      aligned: makeScene(aligned || poses),
    };
    this.alignment = "aligned";
    this.view = HOME;
    this.focus = null; // the pose whose switch is pointed at
    this.part = null; // the part that is pointed at
    this.overlay = article.querySelector(".overlay");
    this.space = article.querySelector(".space");
    this.switches = [...article.querySelectorAll("input")];
    this.placed = new Map(); // of each canvas: [[colour, points on it], ...]
    this.listen();
  }

  listen() {
    for (const box of this.switches) {
      box.addEventListener("change", () => this.draw());
      box.parentElement.addEventListener("pointerenter", () => this.emphasise(box.dataset.pose));
      box.parentElement.addEventListener("pointerleave", () => this.emphasise(null));
    }
    for (const canvas of [this.overlay, this.space].filter(Boolean)) {
      canvas.addEventListener("pointermove", (event) => this.point(canvas, event));
      canvas.addEventListener("pointerleave", () => this.mark(null));
    }
  }

  colours() {
    return this.switches.filter((box) => box.checked).map((box) => box.dataset.pose);
  }

  emphasise(colour) {
    this.focus = this.colours().includes(colour) ? colour : null;
    this.draw();
  }

  point(canvas, event) {
    if (this.held || event.pointerType === "touch") return;
    const distances = this.placed.get(canvas).flatMap(([, points]) =>
      points.map((point, part) => [point ? Math.hypot(point[0] - event.offsetX, point[1] - event.offsetY) : 1e9, part]),
    );
    const [distance, part] = distances.reduce((best, other) => (other[0] < best[0] ? other : best), [NEAR, null]);
    this.mark(distance < NEAR ? part : null);
  }

  mark(part) {
    if (part === this.part) return;
    this.part = part;
    this.draw();
  }

  look(view) {
    this.view = { yaw: view.yaw, pitch: Math.max(-90, Math.min(90, view.pitch)) };
    this.drawSpace();
  }

  turn(yaw, pitch) {
    this.look({ yaw: this.view.yaw + yaw, pitch: this.view.pitch + pitch });
  }

  draw() {
    const { context, width, height } = prepare(this.overlay);
    this.drawPoses(this.overlay, context, this.poses, fitted(this.size, width, height), width);
    if (this.space) this.drawSpace();
  }

  drawSpace() {
    const { context, width, height } = prepare(this.space);
    const scene = this.scenes[this.alignment];
    const project = camera(this.view, scene.radius, width, height);
    drawFloor(context, project, scene, data, this.colours());
    this.space.dataset.limbs = this.drawPoses(this.space, context, scene.poses, project, width);
    this.space.dataset.yaw = Math.round(this.view.yaw);
    this.space.dataset.pitch = Math.round(this.view.pitch);
  }

  drawPoses(canvas, context, poses, place, width) {
    const placed = this.colours().map((colour) => [colour, poses[colour].map((point) => point && place(point))]);
    const strength = (colour) => (this.focus === null || this.focus === colour ? 1 : 0.15);
    const count = drawLimbs(context, data, placed, Math.max(2, Math.min(4, width / 100)), strength, canvas === this.overlay);
    if (this.part !== null) drawMark(context, data, placed, this.part, width);
    this.placed.set(canvas, placed);
    return count;
  }
}

function makeTurnable(item) {
  const canvas = item.space;
  let last = null;
  canvas.addEventListener("pointerdown", (event) => {
    last = event;
    item.held = true;
    item.part = null;
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!item.held) return;
    item.turn((event.clientX - last.clientX) * DRAG, (event.clientY - last.clientY) * DRAG);
    last = event;
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (item.held = false));
  canvas.addEventListener("dblclick", () => item.look(HOME));
  canvas.addEventListener("keydown", (event) => {
    if (event.key === "Home") item.look(HOME);
    else if (KEYS[event.key]) item.turn(...KEYS[event.key]);
    else return;
    event.preventDefault();
  });
}

// A switch of the bar sets its pose in every case, and shows whether all, some or none of them have it.
function linkSwitch(box) {
  const followers = cases.flatMap((item) => item.switches).filter((other) => other.dataset.pose === box.dataset.pose);
  box.addEventListener("change", () => {
    for (const other of followers) other.checked = box.checked;
    cases.forEach((item) => item.draw());
  });
  for (const other of followers) {
    other.addEventListener("change", () => {
      const count = followers.filter(({ checked }) => checked).length;
      box.checked = count === followers.length;
      box.indeterminate = count > 0 && !box.checked;
    });
  }
}

function toggle(button) {
  const pressed = button.getAttribute("aria-pressed") === "false";
  button.setAttribute("aria-pressed", String(pressed));
  return pressed;
}

function align(button) {
  const alignment = toggle(button) ? "aligned" : "found";
  for (const item of spatial) {
    item.alignment = alignment;
    item.drawSpace();
  }
}

function spin(button) {
  let last = performance.now();
  const step = (now) => {
    if (button.getAttribute("aria-pressed") === "false") return;
    for (const item of spatial) {
      const { top, bottom } = item.space.getBoundingClientRect();
      if (!item.held && bottom > 0 && top < innerHeight) item.turn(((now - last) * SPIN) / 1000, 0);
    }
    last = now;
    requestAnimationFrame(step);
  };
  if (toggle(button)) requestAnimationFrame(step);
}

readTheme();
const cases = [...document.querySelectorAll(".case")].map((article) => new Case(article));
const spatial = cases.filter((item) => item.space);
spatial.forEach(makeTurnable);

const resized = new ResizeObserver((entries) => {
  for (const { target } of entries) cases.find((item) => item.overlay === target).draw();
});
for (const item of cases) {
  item.draw(); // at once: the observer's first call waits for a frame, which a page in the background may never have
  resized.observe(item.overlay);
}

for (const query of ["print", "(prefers-color-scheme: dark)"]) {
  matchMedia(query).addEventListener("change", () => {
    readTheme();
    cases.forEach((item) => item.draw());
  });
}

const bar = document.querySelector(".bar");
if (bar) {
  bar.hidden = false;
  bar.querySelectorAll("input").forEach(linkSwitch);
  for (const button of bar.querySelectorAll("button")) {
    const act = { align, spin }[button.dataset.act] || (() => spatial.forEach((item) => item.look(VIEWS[button.dataset.act])));
    button.addEventListener("click", () => act(button));
  }
}
