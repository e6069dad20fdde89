CREATE TABLE restorations (
    store_id VARCHAR NOT NULL,
    copied_at BIGINT NOT NULL,
    began_at BIGINT NOT NULL,
    flash_wallet_id VARCHAR,
    read_at BIGINT,
    opened_at BIGINT,
    ended_at BIGINT,
    CONSTRAINT fk_restorations_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_restorations PRIMARY KEY (store_id)
)
;
