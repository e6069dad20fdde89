CREATE TABLE balances (
    store_id VARCHAR NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    at BIGINT NOT NULL,
    balance_nanousd BIGINT NOT NULL,
    CONSTRAINT ck_balances_balance_nanousd_range CHECK (balance_nanousd >= -2100000000000000000 AND balance_nanousd <= 2100000000000000000),
    CONSTRAINT fk_balances_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_balances PRIMARY KEY (store_id, flash_wallet_id, at)
)
;
CREATE INDEX ix_outbox_topic ON outbox (store_id, topic, id)
;
