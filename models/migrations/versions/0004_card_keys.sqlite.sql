CREATE TABLE card_links (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    card_id VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    token_hash VARCHAR NOT NULL,
    tries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    key_set_id VARCHAR,
    uid_hash VARCHAR,
    CONSTRAINT ck_card_links_action_word CHECK (action IN ('program', 'reset')),
    CONSTRAINT ck_card_links_tries_range CHECK (tries >= 0 AND tries <= 1000),
    CONSTRAINT ck_card_links_tries_whole CHECK (tries IS NULL OR typeof(tries) = 'integer'),
    CONSTRAINT fk_card_links_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_card_links_key_set_id FOREIGN KEY(key_set_id) REFERENCES key_sets (id),
    CONSTRAINT fk_card_links_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_card_links PRIMARY KEY (id),
    CONSTRAINT uq_card_links_token_hash UNIQUE (token_hash)
)
;
CREATE INDEX ix_card_links_card ON card_links (card_id, created_at)
;
