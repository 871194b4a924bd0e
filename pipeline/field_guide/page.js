"use strict";
// One sound at a time; a button plays the run beside, then the one with the trouble.
const sounds = [...document.querySelectorAll("audio")];
for (const sound of sounds) {
  sound.addEventListener("play", () => {
    for (const other of sounds) if (other !== sound) other.pause();
  });
}
for (const button of document.querySelectorAll("button")) {
  button.addEventListener("click", () => {
    const [first, second] = button.closest("article").querySelectorAll("audio");
    first.currentTime = second.currentTime = 0;
    first.addEventListener("ended", () => second.play(), { once: true });
    first.play();
  });
}
