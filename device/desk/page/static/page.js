// What the pages do by themselves where a browser runs scripts; without it they ask to be looked at again.
// It never reads or shows anything but the words that the door sends, and it stops while nobody looks.
"use strict";
(() => {
  const { watch, stands, every, follow, again } = document.body.dataset;
  const ask = async (path) => {
    const answer = await fetch(path, { cache: "no-store", credentials: "same-origin" });
    return answer.ok ? answer.json() : null;
  };
  const repeat = (path, ms, heard) => {
    const once = async () => {
      let again = true;
      if (!document.hidden) {
        try {
          const told = await ask(path);
          again = told === null || heard(told);
        } catch {
          again = true; // the network is slow or gone for a moment
        }
      }
      if (again) setTimeout(once, ms);
    };
    setTimeout(once, ms);
  };
  if (watch) {
    repeat(watch, Number(every || 1500), (told) => {
      if (told.phase === stands) return true;
      location.replace("/");
      return false;
    });
  }
  if (follow) {
    const hint = document.getElementById("hint");
    const confirm = document.getElementById("confirm");
    repeat(follow, 700, (told) => {
      if (told.done) {
        location.replace("/act");
        return false;
      }
      if (hint.textContent !== told.hint) hint.textContent = told.hint;
      if (confirm) confirm.hidden = !told.confirm;
      return true;
    });
  }
  if (again) {
    setInterval(() => {
      if (!document.hidden) location.replace("/");
    }, Number(again));
  }
  const missing = document.getElementById("missing");
  if (missing) missing.focus();
  // A page that comes back from the browser's own memory is asked for anew: its owner may have left.
  addEventListener("pageshow", (event) => {
    if (event.persisted) location.reload();
  });
})();
