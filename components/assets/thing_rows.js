// Rows of a list: the server says what stands in their cells, and later only which rows changed.
export default {
  template: `
    <ul class="fp-rows">
      <li v-for="row in list" :key="row.id">
        <component :is="row.href ? 'a' : 'div'" class="fp-row" :class="kind" :href="row.href"
          :data-go="row.href ? '' : null">
          <span v-for="(cell, place) in row.cells" :key="place" :class="cell.look">
            <template v-if="cell.text">{{ cell.text }}</template>
            <span v-for="(line, at) in cell.lines || []" :key="at" :class="line.look">{{
              line.text }}</span>
            <span v-if="cell.bar" class="fp-stack">
              <span v-for="(part, at) in cell.bar" :key="at" class="part" :class="part.look"
                :style="{ width: part.width }"></span>
            </span>
          </span>
        </component>
      </li>
    </ul>`,
  props: { kind: String, rows: String },
  data() {
    return { list: JSON.parse(this.rows) };
  },
  watch: {
    rows(rows) {
      this.list = JSON.parse(rows);
    },
  },
  methods: {
    patch(changed) {
      const fresh = new Map(changed.map((row) => [row.id, row]));
      this.list = this.list.map((row) => fresh.get(row.id) || row);
    },
  },
};
