CREATE TABLE sessions (
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    user_id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    token_hash VARCHAR NOT NULL,
    rotation BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    fresh_until BIGINT NOT NULL,
    address VARCHAR,
    agent VARCHAR,
    ended_at BIGINT,
    end_reason VARCHAR,
    CONSTRAINT ck_sessions_end_reason_word CHECK (end_reason IN ('signed_out', 'ended', 'password', 'removed', 'reused')),
    CONSTRAINT ck_sessions_kind_word CHECK (kind IN ('browser', 'tokens')),
    CONSTRAINT ck_sessions_rotation_range CHECK (rotation >= 0 AND rotation <= 2100000000000000000),
    CONSTRAINT fk_sessions_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT fk_sessions_user_id FOREIGN KEY(user_id) REFERENCES users (id),
    CONSTRAINT pk_sessions PRIMARY KEY (id),
    CONSTRAINT uq_sessions_token_hash UNIQUE (token_hash)
)
;
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at)
;
CREATE INDEX ix_sessions_store_id ON sessions (store_id)
;
CREATE INDEX ix_sessions_user_created ON sessions (user_id, created_at)
;
