// Counts down to a moment, as minutes and seconds; it says so when that is over.
const SECOND_MS = 1000;
export default {
  template: '<span class="num" role="timer">{{ words }}</span>',
  props: { left: Number, over: String },
  data() {
    return { seconds: 0 };
  },
  computed: {
    words() {
      if (this.seconds <= 0) return this.over;
      const rest = String(this.seconds % 60).padStart(2, '0');
      return `${Math.floor(this.seconds / 60)}:${rest} left`;
    },
  },
  mounted() {
    // The browser's own clock may be off: what is left is counted from now.
    this.until = performance.now() + this.left;
    this.tick();
    this.timer = setInterval(() => this.tick(), SECOND_MS);
  },
  beforeUnmount() {
    clearInterval(this.timer);
  },
  methods: {
    tick() {
      this.seconds = Math.max(0, Math.ceil((this.until - performance.now()) / SECOND_MS));
      if (!this.seconds) clearInterval(this.timer);
    },
  },
};
