CREATE TABLE closed_books (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    base_id VARCHAR,
    balance_nanousd BIGINT NOT NULL,
    sent_nanousd BIGINT NOT NULL,
    fees_nanousd BIGINT NOT NULL,
    received_nanousd BIGINT NOT NULL,
    difference_nanousd BIGINT NOT NULL,
    rows BIGINT NOT NULL,
    unknown BIGINT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT ck_closed_books_balance_nanousd_range CHECK (balance_nanousd >= -2100000000000000000 AND balance_nanousd <= 2100000000000000000),
    CONSTRAINT ck_closed_books_balance_nanousd_whole CHECK (balance_nanousd IS NULL OR typeof(balance_nanousd) = 'integer'),
    CONSTRAINT ck_closed_books_difference_nanousd_range CHECK (difference_nanousd >= -2100000000000000000 AND difference_nanousd <= 2100000000000000000),
    CONSTRAINT ck_closed_books_difference_nanousd_whole CHECK (difference_nanousd IS NULL OR typeof(difference_nanousd) = 'integer'),
    CONSTRAINT ck_closed_books_fees_nanousd_range CHECK (fees_nanousd >= 0 AND fees_nanousd <= 2100000000000000000),
    CONSTRAINT ck_closed_books_fees_nanousd_whole CHECK (fees_nanousd IS NULL OR typeof(fees_nanousd) = 'integer'),
    CONSTRAINT ck_closed_books_received_nanousd_range CHECK (received_nanousd >= 0 AND received_nanousd <= 2100000000000000000),
    CONSTRAINT ck_closed_books_received_nanousd_whole CHECK (received_nanousd IS NULL OR typeof(received_nanousd) = 'integer'),
    CONSTRAINT ck_closed_books_rows_range CHECK (rows >= 0 AND rows <= 2100000000000000000),
    CONSTRAINT ck_closed_books_rows_whole CHECK (rows IS NULL OR typeof(rows) = 'integer'),
    CONSTRAINT ck_closed_books_sent_nanousd_range CHECK (sent_nanousd >= 0 AND sent_nanousd <= 2100000000000000000),
    CONSTRAINT ck_closed_books_sent_nanousd_whole CHECK (sent_nanousd IS NULL OR typeof(sent_nanousd) = 'integer'),
    CONSTRAINT ck_closed_books_state_word CHECK (state IN ('closed', 'agrees', 'differs')),
    CONSTRAINT ck_closed_books_unknown_range CHECK (unknown >= 0 AND unknown <= 2100000000000000000),
    CONSTRAINT ck_closed_books_unknown_whole CHECK (unknown IS NULL OR typeof(unknown) = 'integer'),
    CONSTRAINT fk_closed_books_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_closed_books PRIMARY KEY (id)
)
;
CREATE INDEX ix_closed_books_store_at ON closed_books (store_id, at)
;
CREATE TABLE holds (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    release_at BIGINT,
    placed_at BIGINT NOT NULL,
    placed_by_kind VARCHAR NOT NULL,
    placed_by VARCHAR,
    released_at BIGINT,
    released_by VARCHAR,
    CONSTRAINT ck_holds_placed_by_kind_word CHECK (placed_by_kind IN ('person', 'api_key', 'system', 'payee')),
    CONSTRAINT fk_holds_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_holds_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_holds PRIMARY KEY (id)
)
;
CREATE INDEX ix_holds_payout ON holds (payout_id)
;
CREATE UNIQUE INDEX ux_holds_open ON holds (payout_id) WHERE released_at IS NULL
;
CREATE TABLE quotes (
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    amount_msat BIGINT NOT NULL,
    rate_numerator BIGINT NOT NULL,
    rate_denominator BIGINT NOT NULL,
    rate_source VARCHAR NOT NULL,
    rate_at BIGINT NOT NULL,
    quoted_at BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    CONSTRAINT ck_quotes_amount_msat_range CHECK (amount_msat >= 1 AND amount_msat <= 2100000000000000000),
    CONSTRAINT ck_quotes_amount_msat_whole CHECK (amount_msat IS NULL OR typeof(amount_msat) = 'integer'),
    CONSTRAINT ck_quotes_number_range CHECK (number >= 1 AND number <= 1000),
    CONSTRAINT ck_quotes_number_whole CHECK (number IS NULL OR typeof(number) = 'integer'),
    CONSTRAINT ck_quotes_rate_denominator_range CHECK (rate_denominator >= 1 AND rate_denominator <= 2100000000000000000),
    CONSTRAINT ck_quotes_rate_denominator_whole CHECK (rate_denominator IS NULL OR typeof(rate_denominator) = 'integer'),
    CONSTRAINT ck_quotes_rate_numerator_range CHECK (rate_numerator >= 1 AND rate_numerator <= 2100000000000000000),
    CONSTRAINT ck_quotes_rate_numerator_whole CHECK (rate_numerator IS NULL OR typeof(rate_numerator) = 'integer'),
    CONSTRAINT fk_quotes_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_quotes_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_quotes PRIMARY KEY (payout_id, number)
)
;
CREATE TABLE debits (
    attempt_id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    expected_nanousd BIGINT NOT NULL,
    msat_per_cent BIGINT NOT NULL,
    row_id VARCHAR,
    amount_nanousd BIGINT,
    fee_nanousd BIGINT,
    logged_at BIGINT NOT NULL,
    claimed_at BIGINT,
    CONSTRAINT ck_debits_amount_nanousd_range CHECK (amount_nanousd >= 0 AND amount_nanousd <= 2100000000000000000),
    CONSTRAINT ck_debits_amount_nanousd_whole CHECK (amount_nanousd IS NULL OR typeof(amount_nanousd) = 'integer'),
    CONSTRAINT ck_debits_expected_nanousd_range CHECK (expected_nanousd >= 0 AND expected_nanousd <= 2100000000000000000),
    CONSTRAINT ck_debits_expected_nanousd_whole CHECK (expected_nanousd IS NULL OR typeof(expected_nanousd) = 'integer'),
    CONSTRAINT ck_debits_fee_nanousd_range CHECK (fee_nanousd >= 0 AND fee_nanousd <= 2100000000000000000),
    CONSTRAINT ck_debits_fee_nanousd_whole CHECK (fee_nanousd IS NULL OR typeof(fee_nanousd) = 'integer'),
    CONSTRAINT ck_debits_msat_per_cent_range CHECK (msat_per_cent >= 1 AND msat_per_cent <= 2100000000000000000),
    CONSTRAINT ck_debits_msat_per_cent_whole CHECK (msat_per_cent IS NULL OR typeof(msat_per_cent) = 'integer'),
    CONSTRAINT ck_debits_state_word CHECK (state IN ('open', 'claimed', 'dropped')),
    CONSTRAINT fk_debits_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT fk_debits_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_debits_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_debits PRIMARY KEY (attempt_id)
)
;
CREATE INDEX ix_debits_open ON debits (store_id, logged_at) WHERE state = 'open'
;
CREATE TABLE proposals (
    payout_id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    attempt_id VARCHAR NOT NULL,
    agreed_first_at BIGINT NOT NULL,
    agreed_twice_at BIGINT,
    book_id VARCHAR NOT NULL,
    decided_at BIGINT,
    CONSTRAINT fk_proposals_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT fk_proposals_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_proposals_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_proposals PRIMARY KEY (payout_id)
)
;
CREATE INDEX ix_proposals_store ON proposals (store_id, agreed_twice_at)
;
CREATE TABLE statement_rows (
    store_id VARCHAR NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    state VARCHAR NOT NULL,
    amount_nanousd BIGINT,
    fee_nanousd BIGINT,
    is_completed BOOLEAN,
    attempt_id VARCHAR,
    at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    claimed_at BIGINT,
    CONSTRAINT ck_statement_rows_amount_nanousd_range CHECK (amount_nanousd >= -2100000000000000000 AND amount_nanousd <= 2100000000000000000),
    CONSTRAINT ck_statement_rows_amount_nanousd_whole CHECK (amount_nanousd IS NULL OR typeof(amount_nanousd) = 'integer'),
    CONSTRAINT ck_statement_rows_fee_nanousd_range CHECK (fee_nanousd >= 0 AND fee_nanousd <= 2100000000000000000),
    CONSTRAINT ck_statement_rows_fee_nanousd_whole CHECK (fee_nanousd IS NULL OR typeof(fee_nanousd) = 'integer'),
    CONSTRAINT ck_statement_rows_state_word CHECK (state IN ('receipt', 'unclaimed', 'claimed', 'extra', 'before')),
    CONSTRAINT fk_statement_rows_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT fk_statement_rows_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_statement_rows PRIMARY KEY (store_id, id)
)
;
CREATE INDEX ix_statement_rows_at ON statement_rows (store_id, at)
;
CREATE INDEX ix_statement_rows_seen ON statement_rows (store_id, flash_wallet_id, seen_at)
;
CREATE INDEX ix_statement_rows_unclaimed ON statement_rows (store_id, at) WHERE state = 'unclaimed'
;
CREATE UNIQUE INDEX ux_statement_rows_attempt ON statement_rows (attempt_id)
;
