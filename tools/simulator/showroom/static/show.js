// Draws what the server says of the simulated door, and posts what somebody does. It decides nothing and keeps nothing.
const byId = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=token]").content;
const KEPT = 80;

async function act(what) {
  const answer = byId("answer");
  try {
    const response = await fetch("/act", {
      method: "POST",
      headers: { "content-type": "application/json", "x-showroom-token": token },
      body: JSON.stringify(what),
    });
    const said = await response.json();
    answer.textContent = said.refused ?? "";
  } catch {
    answer.textContent = "The showroom did not answer.";
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.act) act(JSON.parse(button.dataset.act));
  else if (button?.dataset.key) act({ act: "keys", keys: button.dataset.key });
});
// Digits of a keyboard press keys only while the keypad has the focus: nobody's shortcut is taken elsewhere.
byId("keypad").addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !/^[0-9*#]$/.test(event.key)) return;
  event.preventDefault();
  act({ act: "keys", keys: event.key });
});
byId("walks").addEventListener("change", (event) => act({ act: "walks", on: event.target.checked }));

function status(view) {
  if (!view.power) return view.granted ? "No power. The lock is fail-safe: it lets go." : "No power. The bolt holds.";
  if (view.leaf_open) return view.granted ? "The door stands open." : "The door stands open; the bolt will hold when it shuts.";
  return view.granted ? "Granted: the bolt lets go, the door can be pushed." : "Locked and shut.";
}

let offered = "";
function draw(view) {
  const scene = byId("scene");
  scene.classList.toggle("granted", view.granted);
  scene.classList.toggle("open", view.leaf_open);
  scene.classList.toggle("ajar", view.granted && !view.leaf_open);
  scene.classList.toggle("lit", view.lamp);
  scene.classList.toggle("dead", !view.power);
  byId("light-left").dataset.level = view.lights[0];
  byId("light-right").dataset.level = view.lights[1];
  byId("status").textContent = view.busy || status(view);
  byId("fact-lamp").textContent = view.lamp ? "burns" : "dark";
  byId("fact-lights").textContent = `${view.lights[0]} and ${view.lights[1]} of 3`;
  byId("fact-camera").textContent = view.camera_open ? "is read" : "is not read";
  byId("fact-frames").textContent = view.frames;
  const rooms = Object.entries(view.processes).map(([room, word]) => (word === "up" ? room : `${room} (${word})`));
  byId("fact-processes").textContent = rooms.join(", ") || "none";
  const power = byId("power");
  power.dataset.act = JSON.stringify({ act: "power", on: !view.power });
  power.textContent = view.power ? "Pull the power cord" : "Put the power cord back";
  byId("walks").checked = view.walks;
  held(view.held);
  for (const step of document.querySelectorAll("[data-step]")) {
    step.querySelector(".tick").hidden = !view.done.includes(step.dataset.step);
  }
  const next = document.querySelector("[data-step]:has(.tick[hidden])");
  if (next && next.dataset.step !== offered) {
    next.querySelector("details").open = true; // the others of its name close
    offered = next.dataset.step;
  }
}

function held({ who, kind, words }) {
  const tile = byId("tile");
  if (tile.dataset.who === who && tile.dataset.kind === kind) return;
  tile.dataset.who = who;
  tile.dataset.kind = kind;
  byId("tile-text").textContent = words;
  const face = byId("face");
  if (!face) return;
  face.hidden = !who;
  tile.querySelector(".figure").style.display = who ? "none" : "";
  if (who) face.src = `/picture/${who}`;
}

function element(name, text, ...classes) {
  const made = document.createElement(name);
  made.textContent = text;
  made.classList.add(...classes);
  return made;
}

function said({ kind, line }) {
  const list = byId(kind === "terminal" ? "terminal" : "said");
  if (kind === "terminal") list.append(`${line}\n`);
  else list.append(element("li", line, kind));
  while (kind !== "terminal" && list.children.length > KEPT) list.firstElementChild.remove();
  const frame = kind === "terminal" ? list : list.parentElement;
  frame.scrollTop = frame.scrollHeight;
}

function left(message) {
  const item = document.createElement("li");
  item.append(element("div", `${message.topic} · ${message.size} bytes`, "topic"));
  const alarm = message.meaning.startsWith("ALARM") ? ["alarm"] : [];
  item.append(element("div", message.meaning, "meaning", ...alarm));
  item.append(element("pre", message.text + (message.spaces ? ` and ${message.spaces} spaces` : "")));
  const list = byId("left");
  list.prepend(item);
  while (list.children.length > KEPT) list.lastElementChild.remove();
}

const total = (sum) => {
  byId("total").textContent = sum.messages ? `So far: ${sum.messages} messages, ${sum.bytes} bytes.` : "Nothing yet.";
};

const events = new EventSource("/events");
const on = (kind, take) => events.addEventListener(kind, (event) => take(JSON.parse(event.data)));
on("all", (all) => {
  for (const id of ["said", "left", "terminal"]) byId(id).replaceChildren();
  all.said.forEach(said);
  all.left.forEach(left);
  total(all.total);
});
on("view", draw);
on("said", said);
on("left", (message) => {
  left(message);
  total(message.total);
});
events.onopen = () => { byId("lost").hidden = true; };
events.onerror = () => { byId("lost").hidden = false; };
window.addEventListener("pagehide", () => events.close());
