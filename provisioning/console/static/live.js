// Changes the rows of doors while somebody looks at them. Without it, or without a stream, a page says what was true
// when it was loaded; nothing else on any page needs it.
"use strict";
(function () {
  const news = document.getElementById("news");
  const stream = new EventSource("/events");
  stream.addEventListener("door", function (event) {
    const door = JSON.parse(event.data);
    for (const bell of document.querySelectorAll("[data-live-alarms]")) {
      bell.textContent = door.alarms ? " (" + door.alarms + ")" : "";
    }
    for (const count of document.querySelectorAll("[data-live-count]")) {
      count.textContent = door[count.dataset.liveCount];
    }
    const row = door.id && document.querySelector('[data-door="' + CSS.escape(door.id) + '"]');
    if (!row) {
      return;
    }
    const health = row.querySelector("[data-live=health]");
    const before = health.dataset.health;
    health.dataset.health = door.health;
    if (row.dataset.health) {
      row.dataset.health = door.health;
    }
    health.textContent = door.text;
    for (const name of ["heard", "software", "documents"]) {
      const cell = row.querySelector("[data-live=" + name + "]");
      if (cell) {
        cell.textContent = door[name] || "–";
      }
    }
    row.classList.add("changed");
    setTimeout(function () { row.classList.remove("changed"); }, 1500);
    if (news && before !== door.health) {
      news.textContent = row.dataset.name + ": " + door.text;
    }
  });
  stream.addEventListener("anew", function () { location.reload(); });
  stream.addEventListener("over", function () { stream.close(); });
  for (const button of document.querySelectorAll("button[data-print]")) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  }
})();
