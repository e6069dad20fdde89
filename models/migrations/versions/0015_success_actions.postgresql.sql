CREATE TABLE success_actions (
    attempt_id VARCHAR NOT NULL,
    store_id VARCHAR NOT NULL,
    payout_id VARCHAR NOT NULL,
    action_sealed BYTEA NOT NULL,
    CONSTRAINT fk_success_actions_attempt_id FOREIGN KEY(attempt_id) REFERENCES attempts (id),
    CONSTRAINT fk_success_actions_payout_id FOREIGN KEY(payout_id) REFERENCES payouts (id),
    CONSTRAINT fk_success_actions_store_id FOREIGN KEY(store_id) REFERENCES stores (id),
    CONSTRAINT pk_success_actions PRIMARY KEY (attempt_id)
)
;
CREATE INDEX ix_success_actions_payout ON success_actions (payout_id)
;
