CREATE TABLE audit_runs (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    scope VARCHAR NOT NULL,
    chapter VARCHAR NOT NULL,
    "after" VARCHAR NOT NULL,
    payouts BIGINT NOT NULL,
    found BIGINT NOT NULL,
    started_at BIGINT NOT NULL,
    moved_at BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT ck_audit_runs_chapter_word CHECK (chapter IN ('open', 'payouts', 'ledger', 'budgets', 'days', 'cards', 'record', 'outbox')),
    CONSTRAINT ck_audit_runs_found_range CHECK (found >= 0 AND found <= 2100000000000000000),
    CONSTRAINT ck_audit_runs_found_whole CHECK (found IS NULL OR typeof(found) = 'integer'),
    CONSTRAINT ck_audit_runs_payouts_range CHECK (payouts >= 0 AND payouts <= 2100000000000000000),
    CONSTRAINT ck_audit_runs_payouts_whole CHECK (payouts IS NULL OR typeof(payouts) = 'integer'),
    CONSTRAINT ck_audit_runs_scope_word CHECK (scope IN ('recent', 'all')),
    CONSTRAINT fk_audit_runs_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_audit_runs PRIMARY KEY (id)
)
;
CREATE INDEX ix_audit_runs_store ON audit_runs (store_id, scope, started_at)
;
CREATE TABLE reconciliations (
    store_id VARCHAR NOT NULL,
    span VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    since BIGINT NOT NULL,
    until BIGINT NOT NULL,
    is_whole BOOLEAN NOT NULL,
    matched BIGINT NOT NULL,
    waiting BIGINT NOT NULL,
    differences BIGINT NOT NULL,
    balance_difference_nanousd BIGINT,
    first_differences VARCHAR NOT NULL,
    CONSTRAINT ck_reconciliations_balance_difference_nanousd_range CHECK (balance_difference_nanousd >= -2100000000000000000 AND balance_difference_nanousd <= 2100000000000000000),
    CONSTRAINT ck_reconciliations_balance_difference_nanousd_whole CHECK (balance_difference_nanousd IS NULL OR typeof(balance_difference_nanousd) = 'integer'),
    CONSTRAINT ck_reconciliations_differences_range CHECK (differences >= 0 AND differences <= 2100000000000000000),
    CONSTRAINT ck_reconciliations_differences_whole CHECK (differences IS NULL OR typeof(differences) = 'integer'),
    CONSTRAINT ck_reconciliations_matched_range CHECK (matched >= 0 AND matched <= 2100000000000000000),
    CONSTRAINT ck_reconciliations_matched_whole CHECK (matched IS NULL OR typeof(matched) = 'integer'),
    CONSTRAINT ck_reconciliations_span_word CHECK (span IN ('open', 'month')),
    CONSTRAINT ck_reconciliations_waiting_range CHECK (waiting >= 0 AND waiting <= 2100000000000000000),
    CONSTRAINT ck_reconciliations_waiting_whole CHECK (waiting IS NULL OR typeof(waiting) = 'integer'),
    CONSTRAINT fk_reconciliations_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_reconciliations PRIMARY KEY (store_id, span)
)
;
CREATE TABLE audit_findings (
    store_id VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL,
    invariant VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    detail VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT fk_audit_findings_run_id FOREIGN KEY(run_id) REFERENCES audit_runs (id),
    CONSTRAINT fk_audit_findings_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_audit_findings PRIMARY KEY (run_id, invariant, subject, detail)
)
;
