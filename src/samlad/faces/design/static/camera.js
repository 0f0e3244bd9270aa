/* Barcodes by camera: the browser's own reader where it has one, else ZXing as WebAssembly, loaded at the first use.

   What is read goes into the field that the macro names, as if a scanner had typed it. The same code again counts after a
   pause, so that a packet that is held still is one. */

const FORMATS = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "code_39", "itf", "qr_code", "data_matrix"];
const LOOK_MS = 150;
const SAME_MS = 1500;

function loaded(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", done);
    script.addEventListener("error", () => failed(new Error("the reader did not load")));
    document.head.append(script);
  });
}

async function reader(place) {
  if ("BarcodeDetector" in window) {
    const known = await window.BarcodeDetector.getSupportedFormats();
    if (known.includes("ean_13") && known.includes("code_128")) return new window.BarcodeDetector({ formats: FORMATS.filter((each) => known.includes(each)) });
  }
  if (!window.BarcodeDetectionAPI) await loaded(place.dataset.library);
  const { BarcodeDetector, prepareZXingModule } = window.BarcodeDetectionAPI;
  await prepareZXingModule({ overrides: { locateFile: () => place.dataset.reader }, fireImmediately: true });
  return new BarcodeDetector({ formats: FORMATS });
}

function put(target, text) {
  const field = document.getElementById(target);
  if (!field) return;
  if (field.matches("textarea")) {
    const before = field.value && !field.value.endsWith("\n") ? `${field.value}\n` : field.value;
    field.value = `${before}${text}\n`;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  } else {
    field.value = text;
    field.form?.requestSubmit();
  }
}

class Camera {
  constructor(place) {
    this.place = place;
    this.video = place.querySelector("[data-camera-picture]");
    this.button = place.querySelector("[data-camera-switch]");
    this.said = place.querySelector("[data-camera-said]");
    this.stream = null;
    this.last = { text: "", at: 0 };
    this.button.addEventListener("click", () => (this.stream ? this.stop() : this.start()));
    addEventListener("pagehide", () => this.stop());
    place.hidden = false;
  }

  say(text) {
    this.said.textContent = text;
  }

  async start() {
    const words = this.place.dataset;
    if (!navigator.mediaDevices?.getUserMedia) return this.say(words.none);
    this.button.disabled = true;
    try {
      this.stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 } }, audio: false });
    } catch (error) {
      return this.say(error.name === "NotAllowedError" ? words.refused : words.none);
    } finally {
      this.button.disabled = false;
    }
    try {
      this.video.srcObject = this.stream;
      this.video.hidden = false;
      this.button.setAttribute("aria-pressed", "true");
      await this.video.play();
      this.detector ??= await reader(this.place);
    } catch {
      this.stop();
      return this.say(words.unread);
    }
    this.say(words.ready);
    this.look();
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.stream = null;
    this.video.srcObject = null;
    this.video.hidden = true;
    this.button.setAttribute("aria-pressed", "false");
    this.say("");
  }

  async look() {
    while (this.stream) {
      let found = [];
      try {
        found = await this.detector.detect(this.video);
      } catch {
        found = []; // a picture that is not there yet
      }
      const text = found[0]?.rawValue;
      const at = performance.now();
      if (this.stream && text) {
        const isSame = text === this.last.text && at - this.last.at < SAME_MS;
        this.last = { text, at };
        if (!isSame) {
          this.say(`${this.place.dataset.read} ${text}`);
          navigator.vibrate?.(60);
          put(this.place.dataset.camera, text);
        }
      }
      await new Promise((done) => setTimeout(done, LOOK_MS));
    }
  }
}

for (const place of document.querySelectorAll("[data-camera]")) new Camera(place);
