CREATE TABLE installation (
    id SERIAL NOT NULL,
    kind VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_installation_kind_word CHECK (kind IN ('demo', 'real')),
    CONSTRAINT pk_installation PRIMARY KEY (id)
)
;
CREATE TABLE stores (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    is_first BOOLEAN NOT NULL,
    audit_count BIGINT NOT NULL,
    issuer_key_sealed BYTEA NOT NULL,
    CONSTRAINT ck_stores_audit_count_range CHECK (audit_count >= 0 AND audit_count <= 2100000000000000000),
    CONSTRAINT pk_stores PRIMARY KEY (id)
)
;
CREATE UNIQUE INDEX ux_stores_first ON stores (is_first) WHERE is_first
;
CREATE TABLE users (
    id VARCHAR NOT NULL,
    email VARCHAR NOT NULL,
    password_hash VARCHAR,
    created_at BIGINT NOT NULL,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email)
)
;
CREATE TABLE api_keys (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    secret_hash VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    revoked_at BIGINT,
    last_used_at BIGINT,
    CONSTRAINT ck_api_keys_role_word CHECK (role IN ('owner', 'manager', 'approver', 'viewer', 'auditor', 'developer')),
    CONSTRAINT fk_api_keys_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_api_keys PRIMARY KEY (id)
)
;
CREATE INDEX ix_api_keys_store_id ON api_keys (store_id)
;
CREATE TABLE audit (
    store_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_kind VARCHAR NOT NULL,
    actor_id VARCHAR,
    action VARCHAR NOT NULL,
    subject_id VARCHAR,
    before VARCHAR,
    after VARCHAR,
    address VARCHAR,
    request_id VARCHAR,
    hash VARCHAR,
    CONSTRAINT ck_audit_actor_kind_word CHECK (actor_kind IN ('person', 'api_key', 'system', 'payee')),
    CONSTRAINT ck_audit_number_range CHECK (number >= 1 AND number <= 2100000000000000000),
    CONSTRAINT fk_audit_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_audit PRIMARY KEY (store_id, number)
)
;
CREATE INDEX ix_audit_store_at ON audit (store_id, at)
;
CREATE TABLE data_keys (
    store_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    sealed_key BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_data_keys_version_range CHECK (version >= 1 AND version <= 1000000),
    CONSTRAINT fk_data_keys_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_data_keys PRIMARY KEY (store_id, version)
)
;
CREATE TABLE idempotency (
    store_id VARCHAR NOT NULL,
    route VARCHAR NOT NULL,
    key VARCHAR NOT NULL,
    body_hash VARCHAR NOT NULL,
    status BIGINT NOT NULL,
    answer BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_idempotency_status_range CHECK (status >= 0 AND status <= 599),
    CONSTRAINT fk_idempotency_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_idempotency PRIMARY KEY (store_id, route, key)
)
;
CREATE INDEX ix_idempotency_created_at ON idempotency (created_at)
;
CREATE TABLE ledger (
    store_id VARCHAR NOT NULL,
    transaction_id VARCHAR NOT NULL,
    leg BIGINT NOT NULL,
    account VARCHAR NOT NULL,
    unit VARCHAR NOT NULL,
    amount BIGINT NOT NULL,
    payout_id VARCHAR,
    at BIGINT NOT NULL,
    CONSTRAINT ck_ledger_amount_range CHECK (amount >= -2100000000000000000 AND amount <= 2100000000000000000),
    CONSTRAINT ck_ledger_leg_range CHECK (leg >= 0 AND leg <= 100),
    CONSTRAINT fk_ledger_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_ledger PRIMARY KEY (transaction_id, leg)
)
;
CREATE INDEX ix_ledger_account ON ledger (store_id, account, unit)
;
CREATE INDEX ix_ledger_payout ON ledger (payout_id)
;
CREATE TABLE memberships (
    user_id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    role VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_memberships_role_word CHECK (role IN ('owner', 'manager', 'approver', 'viewer', 'auditor', 'developer')),
    CONSTRAINT fk_memberships_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_memberships_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT pk_memberships PRIMARY KEY (user_id, store_id)
)
;
CREATE INDEX ix_memberships_store_id ON memberships (store_id)
;
CREATE TABLE outbox (
    id BIGSERIAL NOT NULL,
    store_id VARCHAR NOT NULL,
    topic VARCHAR NOT NULL,
    subject_id VARCHAR NOT NULL,
    payload VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    told_at BIGINT,
    CONSTRAINT ck_outbox_tries_range CHECK (tries >= 0 AND tries <= 1000),
    CONSTRAINT fk_outbox_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_outbox PRIMARY KEY (id)
)
;
CREATE INDEX ix_outbox_waiting ON outbox (id) WHERE told_at IS NULL
;
CREATE TABLE pull_payments (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    currency VARCHAR NOT NULL,
    budget BIGINT NOT NULL,
    reserved BIGINT NOT NULL,
    paid BIGINT NOT NULL,
    min_sats BIGINT NOT NULL,
    max_sats BIGINT,
    starts_at BIGINT NOT NULL,
    expires_at BIGINT,
    auto_approve BOOLEAN NOT NULL,
    state VARCHAR NOT NULL,
    claim_token_hash VARCHAR NOT NULL,
    claim_token_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_pull_payments_budget_range CHECK (budget >= 1 AND budget <= 1000000000000000),
    CONSTRAINT ck_pull_payments_max_sats_range CHECK (max_sats >= 1 AND max_sats <= 2100000000000000),
    CONSTRAINT ck_pull_payments_min_sats_range CHECK (min_sats >= 1 AND min_sats <= 2100000000000000),
    CONSTRAINT ck_pull_payments_paid_range CHECK (paid >= 0 AND paid <= 1000000000000000),
    CONSTRAINT ck_pull_payments_reserved_range CHECK (reserved >= 0 AND reserved <= 1000000000000000),
    CONSTRAINT ck_pull_payments_state_word CHECK (state IN ('active', 'archived')),
    CONSTRAINT ck_pull_payments_within_budget CHECK (reserved + paid <= budget),
    CONSTRAINT fk_pull_payments_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_pull_payments PRIMARY KEY (id),
    CONSTRAINT uq_pull_payments_claim_token_hash UNIQUE (claim_token_hash)
)
;
CREATE INDEX ix_pull_payments_store_created ON pull_payments (store_id, created_at, id)
;
CREATE TABLE rollups (
    store_id VARCHAR NOT NULL,
    grain VARCHAR NOT NULL,
    bucket BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    shard BIGINT NOT NULL,
    count BIGINT NOT NULL,
    amount_sats BIGINT NOT NULL,
    value_cents BIGINT NOT NULL,
    CONSTRAINT ck_rollups_amount_sats_range CHECK (amount_sats >= -2100000000000000000 AND amount_sats <= 2100000000000000000),
    CONSTRAINT ck_rollups_count_range CHECK (count >= -2100000000000000000 AND count <= 2100000000000000000),
    CONSTRAINT ck_rollups_grain_word CHECK (grain IN ('quarter', 'day')),
    CONSTRAINT ck_rollups_kind_word CHECK (kind IN ('claim', 'tap', 'manual')),
    CONSTRAINT ck_rollups_shard_range CHECK (shard >= 0 AND shard <= 1000),
    CONSTRAINT ck_rollups_status_word CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_rollups_value_cents_range CHECK (value_cents >= -2100000000000000000 AND value_cents <= 2100000000000000000),
    CONSTRAINT fk_rollups_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_rollups PRIMARY KEY (store_id, grain, bucket, status, kind, shard)
)
;
CREATE TABLE wallets (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    flash_wallet_id VARCHAR,
    currency VARCHAR,
    gate VARCHAR NOT NULL,
    gate_reason VARCHAR,
    gate_changed_at BIGINT,
    stopped_at BIGINT,
    short_since BIGINT,
    balance_nanousd BIGINT,
    balance_at BIGINT,
    lease_owner VARCHAR,
    lease_until BIGINT,
    fence BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_wallets_balance_nanousd_range CHECK (balance_nanousd >= -2100000000000000000 AND balance_nanousd <= 2100000000000000000),
    CONSTRAINT ck_wallets_fence_range CHECK (fence >= 0 AND fence <= 2100000000000000000),
    CONSTRAINT ck_wallets_gate_word CHECK (gate IN ('open', 'shut')),
    CONSTRAINT fk_wallets_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_wallets PRIMARY KEY (id),
    CONSTRAINT uq_wallets_store_id UNIQUE (store_id)
)
;
CREATE TABLE cards (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    pull_payment_id VARCHAR NOT NULL,
    alias VARCHAR NOT NULL,
    alias_key VARCHAR COLLATE "C" NOT NULL,
    state VARCHAR NOT NULL,
    uid_hash VARCHAR,
    uid_sealed BYTEA,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    CONSTRAINT ck_cards_state_word CHECK (state IN ('active', 'disabled')),
    CONSTRAINT fk_cards_pull_payment_id FOREIGN KEY(pull_payment_id) REFERENCES pull_payments (id),
    CONSTRAINT fk_cards_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_cards PRIMARY KEY (id),
    CONSTRAINT uq_cards_store_id_alias_key UNIQUE (store_id, alias_key),
    CONSTRAINT uq_cards_uid_hash UNIQUE (uid_hash)
)
;
CREATE INDEX ix_cards_pull_payment_id ON cards (pull_payment_id)
;
CREATE INDEX ix_cards_store_created ON cards (store_id, created_at, id)
;
CREATE INDEX ix_cards_store_last_used ON cards (store_id, last_used_at)
;
CREATE TABLE card_rollups (
    store_id VARCHAR NOT NULL,
    card_id VARCHAR NOT NULL,
    grain VARCHAR NOT NULL,
    bucket BIGINT NOT NULL,
    status VARCHAR NOT NULL,
    shard BIGINT NOT NULL,
    count BIGINT NOT NULL,
    amount_sats BIGINT NOT NULL,
    value_cents BIGINT NOT NULL,
    CONSTRAINT ck_card_rollups_amount_sats_range CHECK (amount_sats >= -2100000000000000000 AND amount_sats <= 2100000000000000000),
    CONSTRAINT ck_card_rollups_count_range CHECK (count >= -2100000000000000000 AND count <= 2100000000000000000),
    CONSTRAINT ck_card_rollups_grain_word CHECK (grain IN ('quarter', 'day')),
    CONSTRAINT ck_card_rollups_shard_range CHECK (shard >= 0 AND shard <= 1000),
    CONSTRAINT ck_card_rollups_status_word CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_card_rollups_value_cents_range CHECK (value_cents >= -2100000000000000000 AND value_cents <= 2100000000000000000),
    CONSTRAINT fk_card_rollups_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_card_rollups_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_card_rollups PRIMARY KEY (card_id, grain, bucket, status, shard)
)
;
CREATE INDEX ix_card_rollups_store_bucket ON card_rollups (store_id, grain, status, bucket)
;
CREATE TABLE key_sets (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    card_id VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    is_current BOOLEAN NOT NULL,
    k1_hash VARCHAR NOT NULL,
    keys_sealed BYTEA NOT NULL,
    last_counter BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_key_sets_last_counter_range CHECK (last_counter >= 0 AND last_counter <= 16777215),
    CONSTRAINT ck_key_sets_version_range CHECK (version >= 0 AND version <= 4294967295),
    CONSTRAINT fk_key_sets_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_key_sets_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_key_sets PRIMARY KEY (id),
    CONSTRAINT uq_key_sets_card_id_version UNIQUE (card_id, version)
)
;
CREATE INDEX ix_key_sets_k1_hash ON key_sets (k1_hash)
;
CREATE UNIQUE INDEX ux_key_sets_current ON key_sets (card_id) WHERE is_current
;
CREATE TABLE payouts (
    id VARCHAR COLLATE "C" NOT NULL,
    store_id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    revision BIGINT NOT NULL,
    pull_payment_id VARCHAR,
    card_id VARCHAR,
    card_verified BOOLEAN NOT NULL,
    card_hint VARCHAR,
    tap_id VARCHAR,
    original_amount BIGINT NOT NULL,
    currency VARCHAR NOT NULL,
    amount_msat BIGINT,
    amount_sats BIGINT,
    value_cents BIGINT,
    rate_numerator BIGINT,
    rate_denominator BIGINT,
    rate_source VARCHAR,
    rate_at BIGINT,
    fee_msat BIGINT,
    debited_nanousd BIGINT,
    destination_kind VARCHAR NOT NULL,
    destination_start VARCHAR COLLATE "C" NOT NULL,
    destination_sealed BYTEA NOT NULL,
    payment_hash VARCHAR COLLATE "C",
    attempts BIGINT NOT NULL,
    evidence VARCHAR,
    memo VARCHAR,
    metadata_json VARCHAR NOT NULL,
    error_code VARCHAR,
    error_message VARCHAR,
    created_at BIGINT NOT NULL,
    eligible_at BIGINT,
    approved_at BIGINT,
    submitted_at BIGINT,
    unknown_since BIGINT,
    review_at BIGINT,
    completed_at BIGINT,
    closed_at BIGINT,
    next_try_at BIGINT,
    claim_key VARCHAR,
    wallet_id VARCHAR,
    fence BIGINT NOT NULL,
    CONSTRAINT ck_payouts_amount_msat_range CHECK (amount_msat >= 1 AND amount_msat <= 2100000000000000000),
    CONSTRAINT ck_payouts_amount_sats_range CHECK (amount_sats >= 1 AND amount_sats <= 2100000000000000),
    CONSTRAINT ck_payouts_attempts_range CHECK (attempts >= 0 AND attempts <= 1000),
    CONSTRAINT ck_payouts_debited_nanousd_range CHECK (debited_nanousd >= 0 AND debited_nanousd <= 2100000000000000000),
    CONSTRAINT ck_payouts_destination_kind_word CHECK (destination_kind IN ('bolt11', 'lnurl', 'address', 'flash')),
    CONSTRAINT ck_payouts_evidence_settles CHECK ((state IN ('completed', 'reversed')) = (evidence IS NOT NULL)),
    CONSTRAINT ck_payouts_evidence_word CHECK (evidence IN ('preimage', 'flash_success', 'flash_invoice', 'statement', 'stripe_transfer', 'person')),
    CONSTRAINT ck_payouts_fee_msat_range CHECK (fee_msat >= 0 AND fee_msat <= 2100000000000000000),
    CONSTRAINT ck_payouts_fence_range CHECK (fence >= 0 AND fence <= 2100000000000000000),
    CONSTRAINT ck_payouts_kind_word CHECK (kind IN ('claim', 'tap', 'manual')),
    CONSTRAINT ck_payouts_original_amount_range CHECK (original_amount >= 1 AND original_amount <= 1000000000000000),
    CONSTRAINT ck_payouts_rate_denominator_range CHECK (rate_denominator >= 1 AND rate_denominator <= 2100000000000000000),
    CONSTRAINT ck_payouts_rate_numerator_range CHECK (rate_numerator >= 1 AND rate_numerator <= 2100000000000000000),
    CONSTRAINT ck_payouts_revision_range CHECK (revision >= 1 AND revision <= 2100000000000000000),
    CONSTRAINT ck_payouts_state_word CHECK (state IN ('pending', 'awaiting_approval', 'approved', 'processing', 'in_flight', 'needs_review', 'completed', 'failed', 'rejected', 'cancelled', 'expired', 'reversed')),
    CONSTRAINT ck_payouts_status_word CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
    CONSTRAINT ck_payouts_value_cents_range CHECK (value_cents >= 0 AND value_cents <= 1000000000000000),
    CONSTRAINT fk_payouts_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_payouts_pull_payment_id FOREIGN KEY(pull_payment_id) REFERENCES pull_payments (id),
    CONSTRAINT fk_payouts_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_payouts_wallet_id FOREIGN KEY(wallet_id) REFERENCES wallets (id),
    CONSTRAINT pk_payouts PRIMARY KEY (id),
    CONSTRAINT uq_payouts_claim_key UNIQUE (claim_key)
)
;
CREATE INDEX ix_payouts_card_created ON payouts (card_id, created_at DESC, id DESC) WHERE card_id IS NOT NULL
;
CREATE INDEX ix_payouts_open ON payouts (state, store_id, created_at) WHERE state IN ('awaiting_approval', 'approved', 'processing', 'in_flight')
;
CREATE INDEX ix_payouts_pull_payment_created ON payouts (pull_payment_id, created_at DESC, id DESC) WHERE pull_payment_id IS NOT NULL
;
CREATE INDEX ix_payouts_store_created ON payouts (store_id, created_at DESC, id DESC)
;
CREATE INDEX ix_payouts_store_destination ON payouts (store_id, destination_start)
;
CREATE INDEX ix_payouts_store_hash ON payouts (store_id, payment_hash)
;
CREATE INDEX ix_payouts_store_status_created ON payouts (store_id, status, created_at DESC, id DESC)
;
CREATE TABLE attempts (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    payment_hash VARCHAR NOT NULL,
    invoice_sealed BYTEA NOT NULL,
    amount_msat BIGINT NOT NULL,
    invoice_expires_at BIGINT NOT NULL,
    home VARCHAR NOT NULL,
    verify_sealed BYTEA,
    expired_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_attempts_amount_msat_range CHECK (amount_msat >= 1 AND amount_msat <= 2100000000000000000),
    CONSTRAINT ck_attempts_home_word CHECK (home IN ('unasked', 'home', 'foreign')),
    CONSTRAINT ck_attempts_number_range CHECK (number >= 1 AND number <= 1000),
    CONSTRAINT ck_attempts_state_word CHECK (state IN ('live', 'settled', 'dead')),
    CONSTRAINT fk_attempts_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_attempts_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_attempts PRIMARY KEY (id),
    CONSTRAINT uq_attempts_payment_hash UNIQUE (payment_hash)
)
;
CREATE INDEX ix_attempts_payout ON attempts (payout_id, number)
;
CREATE INDEX ix_attempts_store_created ON attempts (store_id, created_at)
;
CREATE UNIQUE INDEX ux_attempts_live ON attempts (payout_id) WHERE state = 'live'
;
CREATE TABLE evidence (
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    grade VARCHAR NOT NULL,
    preimage_sealed BYTEA,
    detail VARCHAR,
    at BIGINT NOT NULL,
    CONSTRAINT ck_evidence_grade_word CHECK (grade IN ('preimage', 'flash_success', 'flash_invoice', 'statement', 'stripe_transfer', 'person')),
    CONSTRAINT fk_evidence_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_evidence_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_evidence PRIMARY KEY (payout_id, grade)
)
;
CREATE TABLE payout_events (
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    source VARCHAR,
    target VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    actor_kind VARCHAR NOT NULL,
    actor_id VARCHAR,
    reason_code VARCHAR,
    reason VARCHAR,
    request_id VARCHAR,
    CONSTRAINT ck_payout_events_actor_kind_word CHECK (actor_kind IN ('person', 'api_key', 'system', 'payee')),
    CONSTRAINT ck_payout_events_number_range CHECK (number >= 1 AND number <= 2100000000000000000),
    CONSTRAINT ck_payout_events_target_word CHECK (target IN ('pending', 'awaiting_approval', 'approved', 'processing', 'in_flight', 'needs_review', 'completed', 'failed', 'rejected', 'cancelled', 'expired', 'reversed')),
    CONSTRAINT fk_payout_events_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_payout_events_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_payout_events PRIMARY KEY (payout_id, number)
)
;
CREATE TABLE payout_words (
    store_id VARCHAR NOT NULL,
    word VARCHAR COLLATE "C" NOT NULL,
    payout_id VARCHAR NOT NULL,
    CONSTRAINT fk_payout_words_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT pk_payout_words PRIMARY KEY (store_id, word, payout_id)
)
;
CREATE TABLE sightings (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    attempt_id VARCHAR,
    source VARCHAR NOT NULL,
    external_id VARCHAR NOT NULL,
    says VARCHAR NOT NULL,
    detail VARCHAR,
    at BIGINT NOT NULL,
    CONSTRAINT ck_sightings_source_word CHECK (source IN ('send', 'status', 'socket', 'verify', 'statement', 'person', 'sweep')),
    CONSTRAINT fk_sightings_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_sightings_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_sightings PRIMARY KEY (id)
)
;
CREATE INDEX ix_sightings_payout ON sightings (payout_id)
;
CREATE UNIQUE INDEX ux_sightings_source ON sightings (source, external_id)
;
CREATE TABLE taps (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    card_id VARCHAR NOT NULL,
    key_set_id VARCHAR NOT NULL,
    pull_payment_id VARCHAR NOT NULL,
    counter BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    k1_hash VARCHAR NOT NULL,
    payout_id VARCHAR,
    hint VARCHAR,
    at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT ck_taps_counter_range CHECK (counter >= 0 AND counter <= 16777215),
    CONSTRAINT ck_taps_state_word CHECK (state IN ('open', 'used')),
    CONSTRAINT fk_taps_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_taps_key_set_id FOREIGN KEY(key_set_id) REFERENCES key_sets (id),
    CONSTRAINT fk_taps_pull_payment_id FOREIGN KEY(pull_payment_id) REFERENCES pull_payments (id),
    CONSTRAINT fk_taps_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_taps PRIMARY KEY (id),
    CONSTRAINT uq_taps_k1_hash UNIQUE (k1_hash),
    CONSTRAINT uq_taps_key_set_id_counter UNIQUE (key_set_id, counter)
)
;
CREATE INDEX ix_taps_card_at ON taps (card_id, at)
;
CREATE TABLE sends (
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    idempotency_key VARCHAR,
    fence BIGINT NOT NULL,
    logged_at BIGINT NOT NULL,
    answered_at BIGINT,
    answer VARCHAR,
    answer_code VARCHAR,
    CONSTRAINT ck_sends_answer_word CHECK (answer IN ('settled', 'refused', 'not_executed', 'pending', 'unknown', 'error')),
    CONSTRAINT ck_sends_fence_range CHECK (fence >= 0 AND fence <= 2100000000000000000),
    CONSTRAINT ck_sends_number_range CHECK (number >= 1 AND number <= 100000),
    CONSTRAINT fk_sends_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT fk_sends_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_sends_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_sends PRIMARY KEY (attempt_id, number)
)
;
CREATE INDEX ix_sends_payout ON sends (payout_id)
;
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
;
CREATE TRIGGER ledger_no_change BEFORE UPDATE OR DELETE ON ledger FOR EACH ROW EXECUTE FUNCTION refuse_change()
;
CREATE TRIGGER payout_events_no_change BEFORE UPDATE OR DELETE ON payout_events FOR EACH ROW EXECUTE FUNCTION refuse_change()
;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION refuse_change()
;
