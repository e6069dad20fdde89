CREATE TABLE saved_views (
    id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    owner_id VARCHAR NOT NULL,
    slot BIGINT NOT NULL,
    name VARCHAR NOT NULL,
    name_key VARCHAR NOT NULL,
    "query" VARCHAR NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT ck_saved_views_slot_range CHECK (slot >= 1 AND slot <= 50),
    CONSTRAINT ck_saved_views_slot_whole CHECK (slot IS NULL OR typeof(slot) = 'integer'),
    CONSTRAINT fk_saved_views_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_saved_views PRIMARY KEY (id)
)
;
CREATE UNIQUE INDEX ux_saved_views_name ON saved_views (store_id, owner_id, name_key)
;
CREATE UNIQUE INDEX ux_saved_views_slot ON saved_views (store_id, owner_id, slot)
;
