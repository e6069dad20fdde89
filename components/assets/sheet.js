// A region that the server wrote down, and whose pieces it patches where they stand. They are
// counted in the order they are read in; a drawing counts as one.
const patched = new Map(); // by id: what changed since, for a sheet that is mounted once more

function patch(node, name, value) {
  if (name === "text") {
    const first = node.firstChild;
    if (first && first.nodeType === Node.TEXT_NODE) first.data = value;
    else node.prepend(value);
  } else if (name === "class") node.className = value;
  else if (name === "value") node.value = value;
  else if (value === null) node.removeAttribute(name);
  else node.setAttribute(name, value);
}

function valueOf(event) {
  const node = event.currentTarget;
  if (event.type === "toggle") return event.newState;
  if (event.type !== "change") return null;
  return node.type === "checkbox" ? node.checked : node.value;
}

export default {
  template: `<component :is="as"></component>`,
  props: { as: String, html: String, heard: Array },
  emits: ["act"],
  mounted() {
    this.$el.insertAdjacentHTML("beforeend", this.html);
    this.pieces = [this.$el, ...this.$el.querySelectorAll(":not(svg *)")];
    for (const node of this.pieces)
      if (node.tagName === "SELECT") node.value = node.getAttribute("value") ?? node.value;
    for (const [piece, event] of this.heard)
      this.pieces[piece].addEventListener(event, (e) => {
        this.$emit("act", { piece, event, value: valueOf(e) });
        // A list of acts shows none as chosen.
        if ("act" in e.currentTarget.dataset) e.currentTarget.value = "";
      });
    this.take(patched.get(this.$el.id) || {});
  },
  methods: {
    take(changes) {
      const before = patched.get(this.$el.id) || {};
      for (const [piece, change] of Object.entries(changes)) {
        before[piece] = { ...before[piece], ...change };
        for (const [name, value] of Object.entries(change)) patch(this.pieces[piece], name, value);
      }
      patched.set(this.$el.id, before);
    },
  },
};
