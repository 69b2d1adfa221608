// Geometry and strokes: how poses become lines on a canvas. Plain 2D canvas, no library.
// A point is [x, y] or [x, y, z] as in the report (x right, y down, z away), or null where it is unknown.
"use strict";

const EYE = 4.5; // distance of the eye from the centre, in radii of the scene

// ---- Geometry

const radians = (degrees) => (degrees * Math.PI) / 180;
const known = (points) => points.filter((point) => point !== null);

function centred(points) {
  const some = known(points);
  const centre = [0, 1, 2].map((axis) => some.reduce((sum, point) => sum + point[axis], 0) / some.length);
  return points.map((point) => point && point.map((value, axis) => value - centre[axis]));
}

// Poses in one space, with the radius that shows them from every side and the height of the floor beneath them.
// A pose gone astray may leave the view rather than shrink the others.
function makeScene(poses) {
  const scene = Object.fromEntries(Object.entries(poses).map(([colour, points]) => [colour, centred(points)]));
  const all = Object.values(scene).map(known).filter((points) => points.length);
  const reaches = all.map((points) => Math.max(1e-6, ...points.map((point) => Math.hypot(...point))));
  const radius = Math.min(Math.max(...reaches), 1.5 * Math.min(...reaches));
  const lowest = Math.max(...all.flat().map((point) => point[1]));
  return { poses: scene, radius, floor: Math.min(lowest, radius) };
}

// A function from the scene to the canvas: [x, y, depth, magnification], with depth in radii, negative when near.
function camera({ yaw, pitch }, radius, width, height) {
  const [sinYaw, cosYaw] = [Math.sin(radians(yaw)), Math.cos(radians(yaw))];
  const [sinPitch, cosPitch] = [Math.sin(radians(pitch)), Math.cos(radians(pitch))];
  const scale = (0.41 * Math.min(width, height)) / radius;
  return ([x, y, z]) => {
    const across = cosYaw * x - sinYaw * z;
    const away = sinYaw * x + cosYaw * z;
    const down = cosPitch * y - sinPitch * away;
    const depth = (sinPitch * y + cosPitch * away) / radius;
    const magnification = EYE / (EYE + depth);
    const size = scale * magnification;
    return [width / 2 + across * size, height * 0.46 + down * size, depth, magnification];
  };
}

// A function from the picture's pixels to a canvas that contains the whole picture.
function fitted([imageWidth, imageHeight], width, height) {
  const scale = Math.min(width / imageWidth, height / imageHeight);
  return ([x, y]) => [width / 2 + (x - imageWidth / 2) * scale, height / 2 + (y - imageHeight / 2) * scale, 0, 1];
}

// ---- Strokes

let theme;

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  theme = { paper: colour("--paper"), ink: colour("--ink"), soft: colour("--soft"), poses: [] };
  for (let index = 0; colour(`--pose-${index}`); index++) theme.poses.push(colour(`--pose-${index}`));
}

function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.lineCap = "round";
  return { context, width, height };
}

function stroke(context, from, to, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.beginPath();
  context.moveTo(from[0], from[1]);
  context.lineTo(to[0], to[1]);
  context.stroke();
}

// Limbs from far to near; those of the left side are fainter, and the truth, colour 0, is a broad band. A rim of paper
// sets each limb off against what lies behind it; flat poses, all of one depth, get theirs as a whole.
// Returns the number of limbs drawn.
function drawLimbs(context, skeleton, placed, thickness, strength, flat) {
  const limbs = placed.flatMap(([colour, points]) =>
    skeleton.limbs
      .filter(([first, second]) => points[first] && points[second])
      .map(([first, second, side]) => makeLimb(points[first], points[second], side, colour, thickness)),
  );
  limbs.sort((a, b) => b.depth - a.depth);
  const layers = flat ? placed.map(([colour]) => limbs.filter((limb) => limb.colour === colour)) : limbs.map((limb) => [limb]);
  for (const layer of layers) {
    context.lineCap = flat ? "round" : "butt";
    for (const { from, to, colour, width } of layer) {
      context.globalAlpha = strength(colour);
      stroke(context, from, to, theme.paper, width + 2.5);
    }
    context.lineCap = "round";
    for (const { from, to, side, colour, width } of layer) {
      context.globalAlpha = strength(colour);
      stroke(context, from, to, theme.poses[colour], width);
      if (side !== "left") continue;
      context.globalAlpha *= 0.5;
      stroke(context, from, to, theme.paper, width);
    }
  }
  context.globalAlpha = 1;
  return limbs.length;
}

function makeLimb(from, to, side, colour, thickness) {
  const magnification = (from[3] + to[3]) / 2;
  const width = thickness * magnification ** 2 * (colour === "0" ? 2 : 1);
  return { from, to, side, colour, width, depth: from[2] + to[2] };
}

// Rings around one part in every pose, and its name.
function drawMark(context, skeleton, placed, part, width) {
  const marks = placed.filter(([, points]) => points[part]).map(([colour, points]) => [colour, ...points[part]]);
  if (!marks.length) return;
  for (const [colour, x, y] of marks) {
    for (const [shade, line] of [[theme.paper, 4], [theme.poses[colour], 2]]) {
      context.strokeStyle = shade;
      context.lineWidth = line;
      context.beginPath();
      context.arc(x, y, 6, 0, 2 * Math.PI);
      context.stroke();
    }
  }
  const [, x, y] = marks[marks.length - 1];
  const name = skeleton.parts[part];
  context.font = "600 13px system-ui, sans-serif";
  context.textBaseline = "middle";
  context.textAlign = "left";
  const extent = context.measureText(name).width;
  const left = Math.max(4, Math.min(x + 12, width - extent - 4));
  const top = Math.max(12, y - 14);
  context.lineJoin = "round";
  context.strokeStyle = theme.paper;
  context.lineWidth = 4;
  context.strokeText(name, left, top);
  context.fillStyle = theme.ink;
  context.fillText(name, left, top);
}

// A grid that fades towards its rim, with the poses' shadows and a word at the side that faced the camera.
function drawFloor(context, project, { poses, radius, floor }, skeleton, colours) {
  const cells = 6;
  const at = (step) => radius * 0.9 * ((2 * step) / cells - 1);
  for (let line = 0; line <= cells; line++) {
    for (let step = 0; step < cells; step++) {
      context.globalAlpha = 0.5 * Math.max(0, 1 - Math.hypot(at(line), at(step + 0.5)) / radius);
      const [a, b, c] = [at(line), at(step), at(step + 1)];
      stroke(context, project([a, floor, b]), project([a, floor, c]), theme.soft, 1);
      stroke(context, project([b, floor, a]), project([c, floor, a]), theme.soft, 1);
    }
  }
  context.globalAlpha = 0.1;
  context.strokeStyle = theme.ink;
  context.lineWidth = 4;
  for (const colour of colours) {
    const shadow = poses[colour].map((point) => point && project([point[0], floor, point[2]]));
    context.beginPath();
    for (const [first, second] of skeleton.limbs) {
      if (!shadow[first] || !shadow[second]) continue;
      context.moveTo(shadow[first][0], shadow[first][1]);
      context.lineTo(shadow[second][0], shadow[second][1]);
    }
    context.stroke();
  }
  const [x, y, , size] = project([0, floor, -radius * 0.65]);
  context.globalAlpha = 0.8;
  context.fillStyle = theme.soft;
  context.font = `${11 * size}px system-ui, sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillText("front", x, y);
}
