CREATE TABLE fee_rollups (
    store_id VARCHAR NOT NULL,
    grain VARCHAR NOT NULL,
    bucket BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    fee_msat BIGINT NOT NULL,
    known BIGINT NOT NULL,
    CONSTRAINT ck_fee_rollups_fee_msat_range CHECK (fee_msat >= -2100000000000000000 AND fee_msat <= 2100000000000000000),
    CONSTRAINT ck_fee_rollups_fee_msat_whole CHECK (fee_msat IS NULL OR typeof(fee_msat) = 'integer'),
    CONSTRAINT ck_fee_rollups_grain_word CHECK (grain IN ('quarter', 'day')),
    CONSTRAINT ck_fee_rollups_known_range CHECK (known >= -2100000000000000000 AND known <= 2100000000000000000),
    CONSTRAINT ck_fee_rollups_known_whole CHECK (known IS NULL OR typeof(known) = 'integer'),
    CONSTRAINT ck_fee_rollups_shard_range CHECK (shard >= 0 AND shard <= 1000),
    CONSTRAINT ck_fee_rollups_shard_whole CHECK (shard IS NULL OR typeof(shard) = 'integer'),
    CONSTRAINT fk_fee_rollups_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_fee_rollups PRIMARY KEY (store_id, grain, bucket, shard)
)
;
CREATE TABLE card_fee_rollups (
    store_id VARCHAR NOT NULL,
    card_id VARCHAR NOT NULL,
    grain VARCHAR NOT NULL,
    bucket BIGINT NOT NULL,
    shard BIGINT NOT NULL,
    fee_msat BIGINT NOT NULL,
    known BIGINT NOT NULL,
    CONSTRAINT ck_card_fee_rollups_fee_msat_range CHECK (fee_msat >= -2100000000000000000 AND fee_msat <= 2100000000000000000),
    CONSTRAINT ck_card_fee_rollups_fee_msat_whole CHECK (fee_msat IS NULL OR typeof(fee_msat) = 'integer'),
    CONSTRAINT ck_card_fee_rollups_grain_word CHECK (grain IN ('quarter', 'day')),
    CONSTRAINT ck_card_fee_rollups_known_range CHECK (known >= -2100000000000000000 AND known <= 2100000000000000000),
    CONSTRAINT ck_card_fee_rollups_known_whole CHECK (known IS NULL OR typeof(known) = 'integer'),
    CONSTRAINT ck_card_fee_rollups_shard_range CHECK (shard >= 0 AND shard <= 1000),
    CONSTRAINT ck_card_fee_rollups_shard_whole CHECK (shard IS NULL OR typeof(shard) = 'integer'),
    CONSTRAINT fk_card_fee_rollups_card_id FOREIGN KEY(card_id) REFERENCES cards (id),
    CONSTRAINT fk_card_fee_rollups_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_card_fee_rollups PRIMARY KEY (card_id, grain, bucket, shard)
)
;
INSERT INTO fee_rollups (store_id, grain, bucket, shard, fee_msat, known)
    SELECT store_id, 'quarter', created_at - created_at % 900000000, 0, sum(fee_msat), count(*)
    FROM payouts WHERE status = 'completed' AND fee_msat IS NOT NULL
    GROUP BY store_id, created_at - created_at % 900000000
;
INSERT INTO fee_rollups (store_id, grain, bucket, shard, fee_msat, known)
    SELECT store_id, 'day', created_at - created_at % 86400000000, 0, sum(fee_msat), count(*)
    FROM payouts WHERE status = 'completed' AND fee_msat IS NOT NULL
    GROUP BY store_id, created_at - created_at % 86400000000
;
INSERT INTO card_fee_rollups (store_id, card_id, grain, bucket, shard, fee_msat, known)
    SELECT store_id, card_id, 'quarter', created_at - created_at % 900000000, 0, sum(fee_msat), count(*)
    FROM payouts WHERE status = 'completed' AND fee_msat IS NOT NULL AND card_id IS NOT NULL
    GROUP BY store_id, card_id, created_at - created_at % 900000000
;
INSERT INTO card_fee_rollups (store_id, card_id, grain, bucket, shard, fee_msat, known)
    SELECT store_id, card_id, 'day', created_at - created_at % 86400000000, 0, sum(fee_msat), count(*)
    FROM payouts WHERE status = 'completed' AND fee_msat IS NOT NULL AND card_id IS NOT NULL
    GROUP BY store_id, card_id, created_at - created_at % 86400000000
;
