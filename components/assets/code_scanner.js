// Reads a QR code with the browser's own detector, from the camera or from a picture, and types
// what it says into a field. No picture leaves the browser; without a detector nothing is shown.
const LOOK_MS = 150;
const LIMIT_MS = 60_000;
const REFUSED = {
  NotAllowedError: 'The camera is not allowed here. Allow it in the browser, or paste the text.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'Another program uses the camera.',
};
export default {
  template: `
    <div v-if="can" class="fp-scan">
      <div class="fp-scan-acts">
        <button v-if="camera" type="button" class="fp-button" @click="live ? stop() : begin()">{{
          live ? 'Stop the camera' : 'Scan a code' }}</button>
        <label class="fp-button">From a picture<input type="file" accept="image/*"
          class="fp-unseen" @change="pick"></label>
      </div>
      <video v-show="live" ref="video" muted playsinline aria-label="What the camera sees"></video>
      <p v-if="words" class="fp-field-error" role="status">{{ words }}</p>
    </div>`,
  props: { target: String },
  data() {
    return { can: false, camera: false, live: false, words: '' };
  },
  async mounted() {
    if (!('BarcodeDetector' in window)) return;
    const formats = await BarcodeDetector.getSupportedFormats();
    this.can = formats.includes('qr_code');
    this.camera = Boolean(navigator.mediaDevices?.getUserMedia);
  },
  beforeUnmount() {
    this.stop();
  },
  methods: {
    detector() {
      return new BarcodeDetector({ formats: ['qr_code'] });
    },
    async begin() {
      this.words = '';
      this.live = true;
      try {
        const wanted = { video: { facingMode: 'environment' }, audio: false };
        const stream = await navigator.mediaDevices.getUserMedia(wanted);
        // Whoever stopped meanwhile wants no camera that begins now.
        if (!this.live) return stream.getTracks().forEach((track) => track.stop());
        this.stream = stream;
        this.$refs.video.srcObject = stream;
        await this.$refs.video.play();
        await this.look(this.detector(), performance.now() + LIMIT_MS);
      } catch (error) {
        if (this.live) this.words = REFUSED[error.name] || 'The camera cannot be used.';
      }
      this.stop();
    },
    async look(detector, until) {
      while (this.live && performance.now() < until) {
        const video = this.$refs.video;
        if (!video?.offsetParent) return; // the dialog was closed
        const [found] = await detector.detect(video);
        if (found) return this.take(found.rawValue);
        await new Promise((resume) => setTimeout(resume, LOOK_MS));
      }
      if (this.live) this.words = 'No code was found. Hold it still, or paste the text.';
    },
    stop() {
      this.live = false;
      this.stream?.getTracks().forEach((track) => track.stop());
      this.stream = null;
    },
    async pick(event) {
      const file = event.target.files[0];
      event.target.value = '';
      if (!file) return;
      this.words = '';
      try {
        const [found] = await this.detector().detect(await createImageBitmap(file));
        if (found) this.take(found.rawValue);
        else this.words = 'There is no code in this picture.';
      } catch {
        this.words = 'This picture cannot be read.';
      }
    },
    take(text) {
      // A code that asks for bitcoin may name an invoice too (BIP 21).
      const also = /^bitcoin:/i.test(text) && new URLSearchParams(text.split('?')[1]).get('lightning');
      const field = this.$el.closest('form').elements[this.target];
      field.value = also || text;
      field.dispatchEvent(new Event('input', { bubbles: true }));
      field.focus();
    },
  },
};
