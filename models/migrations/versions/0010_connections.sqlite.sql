CREATE TABLE flash_connections (
    store_id VARCHAR NOT NULL,
    id VARCHAR NOT NULL,
    kind VARCHAR NOT NULL,
    credential_sealed BLOB NOT NULL,
    flash_wallet_id VARCHAR NOT NULL,
    made_by VARCHAR,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_flash_connections_kind_word CHECK (kind IN ('token', 'api_key')),
    CONSTRAINT fk_flash_connections_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_flash_connections PRIMARY KEY (store_id)
)
;
