// The filter of a page. What somebody types stays here until it is accepted: a live page renders
// often, and would otherwise put the server's older value back under the typing hand.
const CHANGED = { min_sats: true, max_sats: true };

export default {
  template: `
    <div class="fp-filters" role="search" aria-label="Filter payouts">
      <div class="fp-segments" role="group" aria-label="Range">
        <button v-for="preset in presets" :key="preset.name" type="button"
          :aria-pressed="String(isPreset(preset))"
          @click="filter({ from: preset.from, to: preset.to })">{{ preset.name }}</button>
      </div>
      <div class="fp-filter-sheet" :class="{ open: open === 'more' }" ref="sheet"
        role="group" aria-label="More filters">
        <div class="fp-filter-head"><strong>Filters</strong>
          <button type="button" class="fp-button" @click="shut">Done</button></div>
        <label class="fp-filter-field status"><span class="name">Status</span>
          <select class="fp-control" data-testid="filter-status" aria-label="Status"
            :value="values.status || ''"
            @change="filter({ status: $event.target.value, state: '' })">
            <option value="">All statuses</option>
            <option v-for="status in statuses" :key="status" :value="status">
              {{ status[0].toUpperCase() + status.slice(1) }}</option>
            <option v-if="values.status && !statuses.includes(values.status)"
              :value="values.status">Several</option>
          </select></label>
        <label v-for="field in inBar" :key="field.name" class="fp-filter-field" :class="field.name">
          <span class="name">{{ field.label }}</span>
          <input class="fp-control" v-bind="attributes(field)" @input="typed(field, $event)"
            @change="commit(field, $event)" @blur="left(field, $event)">
          <span v-if="errorOf(field)" class="fp-filter-error" role="alert"
            :id="'error-' + field.name">{{ errorOf(field) }}</span></label>
        <div class="fp-filter-panel" :class="{ open: open === 'more' }">
          <label class="fp-filter-field pull"><span class="name">Pull payment</span>
            <select class="fp-control" data-testid="filter-pull_payment"
              aria-label="Pull payment" :value="values.pull_payment || ''"
              @change="filter({ pull_payment: $event.target.value })">
              <option value="">All pull payments</option>
              <option v-for="pull in pulls" :key="pull.id" :value="pull.id">{{ pull.name }}</option>
            </select></label>
          <div class="fp-filter-pair">
            <label v-for="field in inPanel" :key="field.name" class="fp-filter-field">
              <span class="name">{{ field.label }}</span>
              <input class="fp-control num" v-bind="attributes(field)"
                @input="typed(field, $event)" @change="commit(field, $event)"
                @blur="left(field, $event)">
              <span v-if="errorOf(field)" class="fp-filter-error" role="alert"
                :id="'error-' + field.name">{{ errorOf(field) }}</span></label>
          </div>
          <p class="fp-filter-hint">Amounts are in sats, both ends included.</p>
        </div>
      </div>
      <label class="fp-filter-field search">
        <input class="fp-control" v-bind="attributes(search)" ref="search"
          @input="typed(search, $event)" @change="commit(search, $event)"
          @blur="left(search, $event)" @keydown.esc.stop="emptySearch">
        <kbd v-if="!draft.q && !values.q" aria-hidden="true">/</kbd>
        <span v-if="errorOf(search)" class="fp-filter-error" role="alert" id="error-q">
          {{ errorOf(search) }}</span></label>
      <div class="fp-filter-acts">
        <button type="button" class="fp-button" data-testid="filter-more" ref="more"
          :aria-expanded="String(open === 'more')" @click.stop="toggle('more')">Filters
          <span v-if="hidden" class="fp-filter-count">{{ hidden }}</span></button>
        <div class="fp-views-menu">
          <button type="button" class="fp-button" data-testid="saved-views" ref="views"
            aria-haspopup="true" :aria-expanded="String(open === 'views')"
            @click.stop="toggle('views')">Views</button>
          <div v-if="open === 'views'" class="fp-views-sheet" data-testid="views-menu" ref="menu">
            <p v-if="!views.length" class="fp-filter-hint">
              Keep a filter you use often under a name.</p>
            <ul v-else class="fp-views">
              <li v-for="view in views" :key="view.id">
                <form v-if="renaming === view.id" @submit.prevent="rename(view)">
                  <input class="fp-control" v-model="newName" maxlength="40"
                    aria-label="New name" @keydown.esc.stop="renaming = null">
                  <button class="fp-button">Rename</button></form>
                <template v-else>
                  <button type="button" class="pick" @click="pick(view)">{{ view.name }}</button>
                  <button type="button" class="act" :aria-label="'Rename ' + view.name"
                    @click="renaming = view.id; newName = view.name">Rename</button>
                  <button type="button" class="act" :aria-label="'Delete ' + view.name"
                    @click="$emit('view', { act: 'remove', id: view.id })">Delete</button>
                </template></li></ul>
            <form class="fp-view-new" @submit.prevent="save">
              <input class="fp-control" v-model="name" maxlength="40" :disabled="!canSave"
                aria-label="Name of the view" data-testid="view-name"
                :placeholder="canSave ? 'Name this filter' : 'Set a filter to save it'">
              <button class="fp-button primary" :disabled="!canSave || !name.trim()">Save</button>
            </form>
            <p v-if="viewError" class="fp-filter-error" role="alert">{{ viewError }}</p>
          </div>
        </div>
      </div>
      <ul v-if="chips.length" class="fp-chips" data-testid="filter-chips" aria-label="Active filters">
        <li v-for="chip in chips" :key="chip.text" class="fp-filter-chip">{{ chip.text }}
          <button type="button" :aria-label="'Remove ' + chip.text"
            @click="filter(Object.fromEntries(chip.fields.map((name) => [name, ''])))">✕</button>
        </li>
        <li><button type="button" class="fp-filter-clear" data-testid="filter-clear"
          @click="$emit('clear')">Clear all</button></li></ul>
    </div>`,
  props: {
    values: Object, presets: Array, statuses: Array, pulls: Array, chips: Array, errors: Object,
    views: Array, viewError: String, canSave: Boolean,
  },
  emits: ["filter", "clear", "opened", "view"],
  data() {
    const text = { type: "text", maxlength: 64 };
    return {
      draft: {}, typing: {}, open: null, name: "", renaming: null, newName: "", asked: false,
      inBar: [
        { name: "card", label: "Card", ...text, placeholder: "Card name or number" },
        { name: "from", label: "From", type: "date" },
        { name: "to", label: "To", type: "date" },
      ],
      inPanel: [
        { name: "min_sats", label: "From, sats", ...text, inputmode: "numeric", placeholder: "0" },
        { name: "max_sats", label: "To, sats", ...text, inputmode: "numeric", placeholder: "any" },
      ],
      search: { name: "q", label: "Search", type: "search", maxlength: 64,
        placeholder: "Search", title: "Start of an id, payment hash, destination, card name, or of a word of the memo" },
    };
  },
  computed: {
    hidden() {
      const names = ["pull_payment", "min_sats", "max_sats"];
      return names.filter((name) => this.values[name]).length;
    },
  },
  watch: {
    // What was accepted needs no draft any more; what was refused keeps it, and so does what
    // somebody is still typing: this may be the answer to an earlier wish.
    // Whatever else is sent brings them along: where nothing is different, nothing was accepted.
    values(now, before) {
      if (JSON.stringify(now) === JSON.stringify(before)) return;
      const kept = Object.entries(this.draft).filter(([name]) =>
        this.errors[name] || this.typing[name]);
      this.draft = Object.fromEntries(kept);
    },
    errors() {
      if (this.errors.min_sats || this.errors.max_sats) this.open = "more";
    },
    // So are views, and they are asked for when the menu opens: a name may be typed by then.
    views(now, before) {
      if (!this.asked || JSON.stringify(now) === JSON.stringify(before)) return;
      this.asked = false; this.name = ""; this.renaming = null;
    },
  },
  mounted() {
    document.addEventListener("keydown", this.keyed);
    document.addEventListener("pointerdown", this.pressed);
  },
  unmounted() {
    document.removeEventListener("keydown", this.keyed);
    document.removeEventListener("pointerdown", this.pressed);
  },
  methods: {
    shown(name) { return this.draft[name] ?? this.values[name] ?? ""; },
    errorOf(field) { return this.typing[field.name] ? "" : this.errors[field.name] || ""; },
    attributes(field) {
      const { name, label, ...rest } = field;
      const wrong = this.errorOf(field) ? "true" : null;
      return { ...rest, value: this.shown(name), "data-testid": `filter-${name}`,
        "aria-label": label, "aria-invalid": wrong,
        "aria-describedby": wrong && `error-${name}` };
    },
    isPreset(preset) {
      return (this.values.from || "") === preset.from && (this.values.to || "") === preset.to;
    },
    typed(field, event) {
      this.draft = { ...this.draft, [field.name]: event.target.value };
      this.typing = { ...this.typing, [field.name]: true };
    },
    commit(field, event) {
      const raw = event.target.value.trim();
      const text = CHANGED[field.name] ? raw.replace(/[\s,_']/g, "") : raw;
      this.typing = { ...this.typing, [field.name]: false };
      this.filter({ [field.name]: text });
    },
    // A browser tells of no change where somebody typed what was there before.
    left(field, event) { if (this.typing[field.name]) this.commit(field, event); },
    filter(changes) { this.$emit("filter", changes); },
    emptySearch(event) {
      if (!this.shown("q")) { event.target.blur(); return; }
      this.draft = { ...this.draft, q: "" };
      this.typing = { ...this.typing, q: false };
      this.filter({ q: "" });
    },
    toggle(which) {
      this.open = this.open === which ? null : which;
      if (this.open) this.$emit("opened", which);
    },
    shut() {
      const button = this.$refs[this.open];
      this.open = null;
      if (button) button.focus();
    },
    save() { this.asked = true; this.$emit("view", { act: "save", name: this.name }); },
    rename(view) {
      if (this.newName.trim() === view.name) { this.renaming = null; return; }
      this.asked = true;
      this.$emit("view", { act: "rename", id: view.id, name: this.newName });
    },
    pick(view) { this.open = null; this.$emit("view", { act: "pick", id: view.id }); },
    pressed(event) {
      const inside = [this.$refs.sheet, this.$refs.more, this.$refs.menu, this.$refs.views];
      if (this.open && !inside.some((part) => part && part.contains(event.target)))
        this.open = null;
    },
    keyed(event) {
      if (event.key === "Escape" && this.open) { event.preventDefault(); this.shut(); return; }
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.target.closest("input, textarea, select, [contenteditable], [role=dialog]")) return;
      event.preventDefault();
      this.$refs.search.focus();
      this.$refs.search.select();
    },
  },
};
