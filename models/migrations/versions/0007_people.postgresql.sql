CREATE TABLE sign_in_tries (
    account VARCHAR NOT NULL,
    fails BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    blocked_until BIGINT NOT NULL,
    CONSTRAINT ck_sign_in_tries_fails_range CHECK (fails >= 0 AND fails <= 2100000000000000000),
    CONSTRAINT pk_sign_in_tries PRIMARY KEY (account)
)
;
CREATE INDEX ix_sign_in_tries_last_at ON sign_in_tries (last_at)
;
CREATE TABLE links (
    id VARCHAR NOT NULL,
    purpose VARCHAR NOT NULL,
    token_hash VARCHAR NOT NULL,
    store_id VARCHAR,
    email VARCHAR,
    role VARCHAR,
    made_by VARCHAR,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    CONSTRAINT ck_links_purpose_word CHECK (purpose IN ('set_up', 'invitation')),
    CONSTRAINT ck_links_role_word CHECK (role IN ('owner', 'manager', 'approver', 'viewer', 'auditor', 'developer')),
    CONSTRAINT fk_links_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_links PRIMARY KEY (id),
    CONSTRAINT uq_links_token_hash UNIQUE (token_hash)
)
;
CREATE INDEX ix_links_store_created ON links (store_id, created_at)
;
CREATE TABLE recovery_codes (
    code_hash VARCHAR NOT NULL,
    user_id VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT,
    CONSTRAINT fk_recovery_codes_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT pk_recovery_codes PRIMARY KEY (code_hash)
)
;
CREATE INDEX ix_recovery_codes_user_id ON recovery_codes (user_id)
;
CREATE TABLE second_factors (
    user_id VARCHAR NOT NULL,
    secret_sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL,
    CONSTRAINT ck_second_factors_last_step_range CHECK (last_step >= 0 AND last_step <= 2100000000000000000),
    CONSTRAINT fk_second_factors_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT pk_second_factors PRIMARY KEY (user_id)
)
;
