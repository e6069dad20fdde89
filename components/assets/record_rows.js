// The record: each row opens to what was before and after. All text is set as text.
export default {
  template: `
    <ul class="fp-rows" data-testid="record">
      <li v-for="row in list" :key="row.id">
        <details class="fp-record">
          <summary class="fp-row fp-record-row">
            <span class="num soft">{{ row.at }}</span>
            <span class="strong what">{{ row.what }}</span>
            <span class="who clip">{{ row.who }}</span>
            <span class="where soft num clip">{{ row.where }}</span>
          </summary>
          <div class="fp-record-body">
            <table v-if="row.changes.length" class="fp-table">
              <thead><tr><th scope="col">Field</th><th scope="col">Before</th>
                <th scope="col">After</th></tr></thead>
              <tbody><tr v-for="(change, at) in row.changes" :key="at">
                <td>{{ change[0] }}</td><td>{{ change[1] }}</td><td>{{ change[2] }}</td></tr></tbody>
            </table>
            <p v-else class="fp-note">Nothing more was written down with it.</p>
            <dl class="fp-record-ids">
              <div v-for="(fact, at) in row.facts" :key="at"><dt>{{ fact[0] }}</dt>
                <dd>{{ fact[1] }}</dd></div>
            </dl>
          </div>
        </details>
      </li>
    </ul>`,
  props: { rows: String },
  data() {
    return { list: JSON.parse(this.rows) };
  },
  watch: {
    rows(rows) {
      this.list = JSON.parse(rows);
    },
  },
};
