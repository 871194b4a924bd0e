"use strict";
// A person's way through the test: introduction, practice, clips in an order of their own, answers.

const $ = (id) => document.getElementById(id);

const blobOf = (base64) =>
  new Blob([Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))], { type: "audio/mpeg" });

/** The same in random order (Fisher and Yates). */
function shuffled(items) {
  const mixed = [...items];
  for (let last = mixed.length - 1; last > 0; last--) {
    const [drawn] = crypto.getRandomValues(new Uint32Array(1));
    const other = drawn % (last + 1);
    [mixed[last], mixed[other]] = [mixed[other], mixed[last]];
  }
  return mixed;
}

class Session {
  constructor(data) {
    this.data = data;
    this.order = [...data.practice, ...shuffled(data.clips)];
    this.place = -1;
    this.answers = [];
    this.running = false;
    this.layers = new Audio(URL.createObjectURL(blobOf(data.layers.mp3)));
    this.clip = new Audio();
    this.clip.addEventListener("ended", () => this.heard());
    for (const id of ["hear-layers", "again"]) $(id).addEventListener("click", () => this.playLayers());
    $("play").addEventListener("click", () => this.play());
    $("begin").addEventListener("submit", (event) => { event.preventDefault(); this.begin(); });
    $("ask").addEventListener("submit", (event) => { event.preventDefault(); this.answer(); });
    $("ask").addEventListener("change", () => this.choose());
    $("store").addEventListener("click", () => { this.running = false; });
    addEventListener("keydown", (event) => this.key(event));
    addEventListener("beforeunload", (event) => { if (this.running) event.preventDefault(); });
    $("main").hidden = false;
    document.documentElement.dataset.ready = "yes";
  }

  get now() { return this.order[this.place]; }
  get practising() { return this.place < this.data.practice.length; }

  begin() {
    this.person = $("person").value;
    this.device = $("begin").elements.device.value;
    this.begun = new Date().toISOString();
    this.running = true;
    $("intro").hidden = true;
    $("trial").hidden = false;
    this.next();
  }

  next() {
    this.place += 1;
    if (this.place === this.order.length) {
      this.finish();
      return;
    }
    this.stop();
    URL.revokeObjectURL(this.clip.src);
    this.clip.src = URL.createObjectURL(blobOf(this.now.mp3));
    this.plays = 0;
    $("play").textContent = "Play";
    this.told = false;
    const practice = this.data.practice.length;
    $("trial-heading").textContent = this.practising
      ? `Practice clip ${this.place + 1} of ${practice}`
      : `Clip ${this.place - practice + 1} of ${this.order.length - practice}`;
    $("done").value = this.place / this.order.length;
    $("ask").reset();
    $("healthy").disabled = $("next").disabled = true;
    $("told").textContent = "";
    $("next").textContent = "Next";
    this.choose();
    $("trial-heading").focus();
  }

  stop() {
    this.layers.pause();
    this.clip.pause();
  }

  playLayers() {
    this.stop();
    this.layers.currentTime = 0;
    this.layers.play();
  }

  play() {
    this.stop();
    if (!this.plays) this.started = performance.now();
    this.plays += 1;
    this.clip.currentTime = 0;
    this.clip.play();
    $("play").textContent = "Play again";
    $("status").textContent = "Playing.";
  }

  heard() {
    $("healthy").disabled = $("next").disabled = false;
    $("status").textContent = "The clip has ended. Please answer.";
  }

  /** Ask what and which layer only where something is wrong; what is not asked is not required. */
  choose() {
    const ill = $("ask").elements.healthy.value === "no";
    $("trouble").hidden = !ill;
    for (const field of $("trouble").querySelectorAll("fieldset")) field.disabled = !ill;
  }

  answer() {
    if (this.practising && !this.told) {
      this.tell();
      return;
    }
    const { healthy, kind, layer } = $("ask").elements;
    const ill = healthy.value === "no";
    this.answers.push({
      clip: this.now.id,
      practice: this.practising,
      kind: ill ? kind.value : "healthy",
      layer: !ill ? "none" : layer.value === "all" ? "all" : Number(layer.value),
      plays: this.plays,
      seconds: Math.round((performance.now() - this.started) / 100) / 10,
    });
    this.next();
  }

  tell() {
    const { kind, layer } = this.now;
    const words = document.querySelector(`input[name=kind][value=${kind}]`)?.parentElement.textContent.trim();
    const where = layer === "none" ? "" : ` It was layer ${layer}.`;
    $("told").textContent = words ? `This was ${words}.${where}` : "This one was healthy.";
    $("next").textContent = "Go on";
    this.told = true;
    $("healthy").disabled = true;
    for (const field of $("trouble").querySelectorAll("fieldset")) field.disabled = true;
  }

  finish() {
    this.stop();
    const { schema_version, test } = this.data;
    const [practice, answers] = [true, false].map((wanted) => this.answers
      .filter((one) => one.practice === wanted).map(({ practice: _, ...answer }) => answer));
    const stored = JSON.stringify({
      schema_version, what: "answers to a listening test", test,
      person: this.person, device: this.device,
      begun: this.begun, ended: new Date().toISOString(), practice, answers,
    }, null, 1);
    $("text").value = stored;
    $("store").href = URL.createObjectURL(new Blob([stored], { type: "application/json" }));
    $("store").download = `listening-test-${this.person}.json`;
    $("trial").hidden = true;
    $("end").hidden = false;
    $("end-heading").focus();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target === $("person")) return;
    if ($("trial").hidden) return;
    const key = event.key.toLowerCase();
    if (key === "p") this.play();
    else if (key === "l") this.playLayers();
  }
}

const session = new Session(JSON.parse($("data").textContent));
